//! Sixteen floats at a time: a division, a mask for NaNs, and the rounding of the output transforms. LLVM leaves the plain loop as it is, an element after the other.

use crate::output::Quantizer;
use crate::v128::{f32x4_div, f32x4_eq, f32x4_load, f32x4_splat, i8x16_store, v128_and};

/// The sixteens that `x` holds; how many elements these are. `y` holds as many as `x`.
pub(super) fn quantize(x: &[f32], scale: f32, zero_point: i32, range: (i32, i32), y: &mut [i8]) -> usize {
    let (quantizer, scale) = (Quantizer::new(zero_point, [range.0, range.1]), f32x4_splat(scale));
    let lanes = |x: &[f32]| {
        let steps = f32x4_div(f32x4_load(x), scale);
        // A NaN, which equals nothing, becomes 0.
        quantizer.rounded(v128_and(steps, f32x4_eq(steps, steps)))
    };
    for (x, y) in x.as_chunks::<16>().0.iter().zip(y.as_chunks_mut::<16>().0) {
        i8x16_store(y, quantizer.bytes([lanes(x), lanes(&x[4..]), lanes(&x[8..]), lanes(&x[12..])]));
    }
    x.len() / 16 * 16
}
