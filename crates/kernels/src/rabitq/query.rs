//! From a query's floats to its codes.

use super::{Metric, OP, QUERY_BLOCK};
use crate::error::{Result, What, check_finite, check_range, check_shape};

/// Codes a rotated query in 8 bits; returns step and base of [`super::RabitqQuery`].
///
/// - `query`, `centroid`: `[D]`; for l2 the query less the centroid is what is coded
/// - `codes`: `[query_bytes(D)]`
///
/// Sums in f64, ascending; steps of largest / 127, to the nearest, ties to even. Refuses lengths that do not fit and values that are not finite.
pub fn prepare(query: &[f32], centroid: &[f32], metric: Metric, codes: &mut [i8]) -> Result<(f32, f32)> {
    check_range(OP, What::Depth, 1, super::MAX_DIMENSION as i64, query.len() as i64)?;
    check_shape(OP, What::Queries, query.len(), centroid.len())?;
    check_shape(OP, What::Codes, query.len().next_multiple_of(QUERY_BLOCK), codes.len())?;
    check_finite(OP, query)?;
    let value = |j: usize| match metric {
        Metric::L2 => query[j] - centroid[j],
        Metric::InnerProduct => query[j],
    };
    let (mut most, mut base) = (0.0_f32, 0.0_f64);
    for (j, centre) in centroid.iter().enumerate() {
        let value = value(j);
        most = most.max(value.abs());
        base += match metric {
            Metric::L2 => f64::from(value) * f64::from(value),
            Metric::InnerProduct => -f64::from(value) * f64::from(*centre),
        };
    }
    let step = (f64::from(most) / 127.0) as f32;
    let step = if step == 0.0 { 1.0 } else { step };
    codes.fill(0);
    for (j, code) in codes[..query.len()].iter_mut().enumerate() {
        *code = (f64::from(value(j)) / f64::from(step)).round_ties_even().clamp(-127.0, 127.0) as i8;
    }
    Ok((step, base as f32))
}
