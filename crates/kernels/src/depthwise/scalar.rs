//! The specification: tap after tap.

use super::bytes::{BLOCK, BytePixel, DepthwiseAffine, pairs};
use super::float::FloatPixel;
use super::walk::{MISSING, Taps};

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
    fn pixel(layer: &DepthwiseAffine, x: &[i8], taps: &Taps<'_>, _: &[i8; BLOCK], sums: &mut [i32]) {
        let (input, pairs) = (layer.input, pairs(taps.inputs.len()));
        let wide = |x: i8| if input.unsigned { i32::from(x as u8) } else { i32::from(x) };
        let multiplier = layer.walk.outputs / layer.walk.channels;
        for (o, sum) in sums[..layer.walk.outputs].iter_mut().enumerate() {
            let weights = &layer.weights[o / BLOCK * pairs * 2 * BLOCK..][..pairs * 2 * BLOCK];
            *sum = 0;
            for (tap, &at) in taps.inputs.iter().enumerate().filter(|(_, at)| **at != MISSING) {
                let x = wide(x[taps.base + at as usize + o / multiplier]) - input.zero_point;
                *sum += x * i32::from(weights[(tap / 2 * BLOCK + o % BLOCK) * 2 + tap % 2]);
            }
        }
    }
}
