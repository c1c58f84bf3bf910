//! The specification: tap after tap.

use super::bytes::BytePixel;
use super::float::FloatPixel;
use super::walk::Taps;
use crate::affine_gemm::AffineInput;

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

impl BytePixel for Scalar {
    fn pixel(x: &[i8], input: AffineInput, w: &[i8], taps: &Taps<'_>, multiplier: usize, sums: &mut [i32]) {
        for (o, sum) in sums.iter_mut().enumerate() {
            *sum = byte_sum(x, input, w, taps, o / multiplier, o);
        }
    }
}

/// One output of bytes: input channel `channel`, weights of output `o`.
pub(super) fn byte_sum(
    x: &[i8],
    input: AffineInput,
    w: &[i8],
    taps: &Taps<'_>,
    channel: usize,
    o: usize,
) -> i32 {
    let wide = |x: i8| if input.unsigned { i32::from(x as u8) } else { i32::from(x) };
    taps.iter()
        .map(|(at, weights)| (wide(x[at + channel]) - input.zero_point) * i32::from(w[weights + o]))
        .sum()
}
