//! The definition in f64, one output element at a time: every axis's weights at once.

use super::{Axis, Method, Taps};

/// `y`, row-major.
///
/// # Panics
/// Where [`Taps`] refuses an axis.
#[must_use]
pub fn resize(x: &[f64], axes: &[Axis], method: &Method) -> Vec<f64> {
    let tables: Vec<_> = axes.iter().map(|axis| Taps::new(axis, method).expect("valid")).collect();
    let places: Vec<Vec<_>> = tables.iter().map(|table| table.places().collect()).collect();
    let count = axes.iter().map(|axis| axis.output).product();
    (0..count)
        .map(|index: usize| {
            let mut terms = vec![(0_usize, 1.0_f64)];
            let mut rest = index;
            let mut at = vec![0; axes.len()];
            for (i, axis) in axes.iter().enumerate().rev() {
                at[i] = rest % axis.output;
                rest /= axis.output;
            }
            if tables.iter().zip(&at).any(|(table, at)| table.is_outside(*at)) {
                return f64::from(method.extrapolation);
            }
            for (i, axis) in axes.iter().enumerate() {
                let (sources, weights) = places[i][at[i]];
                terms = terms
                    .iter()
                    .flat_map(|(position, factor)| {
                        sources.iter().zip(weights).map(move |(source, weight)| {
                            (position * axis.input + *source as usize, factor * f64::from(*weight))
                        })
                    })
                    .collect();
            }
            terms.iter().map(|(position, factor)| factor * x[*position]).sum()
        })
        .collect()
}
