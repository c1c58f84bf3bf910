//! The gradient of least squares from two copies of the data.

use super::OP;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// `g = Σ_i first_i (second_i · x - b_i) / samples` of rows `[samples, K]`, sums in f64 over ascending index, rounded to f32 once.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` without samples.
pub fn least_squares(first: &[f32], second: &[f32], x: &[f32], b: &[f32], g: &mut [f32]) -> Result<()> {
    check_range(OP, What::Rows, 1, i64::MAX, b.len() as i64)?;
    check_range(OP, What::Columns, 1, i64::MAX, x.len() as i64)?;
    for data in [first, second] {
        check_shape(OP, What::Length, checked_area(OP, b.len(), x.len())?, data.len())?;
    }
    check_shape(OP, What::Columns, x.len(), g.len())?;
    let mut sums = vec![0.0_f64; x.len()];
    for ((first, second), &b) in first.chunks_exact(x.len()).zip(second.chunks_exact(x.len())).zip(b) {
        let product = second.iter().zip(x).fold(0.0, |sum, (&a, &x)| sum + f64::from(a) * f64::from(x));
        let residual = product - f64::from(b);
        for (sum, &a) in sums.iter_mut().zip(first) {
            *sum += f64::from(a) * residual;
        }
    }
    for (g, sum) in g.iter_mut().zip(sums) {
        *g = (sum / b.len() as f64) as f32;
    }
    Ok(())
}
