//! What equalization and bias correction need of a matrix: figures of its columns, scaling by rows and columns, products with a vector.

use super::OP;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// Figures of every column, over ascending rows.
pub struct ColumnStats<'a> {
    /// Σ x
    pub sum: &'a mut [f64],
    /// Σ |x|
    pub sum_abs: &'a mut [f64],
    /// max |x|
    pub max_abs: &'a mut [f64],
    /// Σ x²
    pub sum_squares: &'a mut [f64],
}

/// Figures of the columns of `x [rows, columns]`, added to what `stats` holds, so that rows may come in parts.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there is no column.
pub fn column_stats(x: &[f32], columns: usize, stats: &mut ColumnStats<'_>) -> Result<()> {
    check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
    check_shape(OP, What::Length, 0, x.len() % columns)?;
    let ColumnStats { sum, sum_abs, max_abs, sum_squares } = stats;
    for part in [&*sum, sum_abs, max_abs, sum_squares] {
        check_shape(OP, What::Columns, columns, part.len())?;
    }
    for row in x.chunks_exact(columns) {
        for (j, &x) in row.iter().enumerate() {
            let x = f64::from(x);
            sum[j] += x;
            sum_abs[j] += x.abs();
            max_abs[j] = if x.abs() > max_abs[j] { x.abs() } else { max_abs[j] };
            sum_squares[j] += x * x;
        }
    }
    Ok(())
}

/// `w[n][k] *= rows[n] * channels[k % channels]` in place, the factors multiplied in f64 and the product rounded once.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn scale(w: &mut [f32], columns: usize, rows: &[f64], channels: &[f64]) -> Result<()> {
    check_shape(OP, What::Length, checked_area(OP, rows.len(), columns)?, w.len())?;
    check_range(OP, What::Channels, 1, i64::MAX, channels.len() as i64)?;
    check_shape(OP, What::Channels, 0, columns % channels.len())?;
    for (row, factor) in w.chunks_exact_mut(columns.max(1)).zip(rows) {
        for taps in row.chunks_exact_mut(channels.len()) {
            for (w, channel) in taps.iter_mut().zip(channels) {
                *w = (f64::from(*w) * (factor * channel)) as f32;
            }
        }
    }
    Ok(())
}

/// `y[n] = Σ_k w[n][k] * x[k]` in f64 over ascending k.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn row_dots(w: &[f32], x: &[f64], y: &mut [f64]) -> Result<()> {
    check_shape(OP, What::Length, checked_area(OP, y.len(), x.len())?, w.len())?;
    for (y, w) in y.iter_mut().zip(w.chunks_exact(x.len().max(1))) {
        *y = w.iter().zip(x).fold(0.0, |sum, (&w, x)| sum + f64::from(w) * x);
    }
    Ok(())
}

/// `x^exponent` of every x >= 0 in place.
pub fn powers(x: &mut [f64], exponent: f64) {
    for x in x {
        *x = libm::pow(*x, exponent);
    }
}
