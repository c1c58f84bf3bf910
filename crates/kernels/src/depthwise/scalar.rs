//! The specification: tap after tap.

use super::float::FloatPixel;
use super::walk::Taps;

/// Plain Rust.
pub(super) struct Scalar;

impl FloatPixel for Scalar {
    fn pixel(x: &[f32], w: &[f32], taps: &Taps<'_>, multiplier: usize, y: &mut [f32]) {
        for (o, y) in y.iter_mut().enumerate() {
            *y = taps
                .iter()
                .fold(0.0, |sum, (input, weights)| sum + x[input + o / multiplier] * w[weights + o]);
        }
    }
}

/// `sums[o] = Σ_tap (wide(x[tap + o / multiplier]) - zero) * w[tap][o]`, all outputs of a pixel.
pub(super) fn bytes(
    x: &[i8],
    w: &[i16],
    taps: &Taps<'_>,
    multiplier: usize,
    wide: impl Fn(i8) -> i32,
    sums: &mut [i32],
) {
    for (o, sum) in sums.iter_mut().enumerate() {
        *sum = taps
            .iter()
            .map(|(input, weights)| wide(x[input + o / multiplier]) * i32::from(w[weights + o]))
            .sum();
    }
}
