//! Channels side by side: floats sixteen, then four at a time, the rest as `scalar`; bytes sixteen at a time.
//!
//! Bytes of two taps are interleaved and widened to i16, so that one i16 dot multiplies and adds both taps of four channels. Weights lie so from the start, which is
//! why a pixel at an edge walks all its taps too, with the zero point for what is missing.

use super::bytes::{BLOCK, BytePixel, DepthwiseAffine, pairs};
use super::float::FloatPixel;
use super::scalar::Scalar;
use super::walk::{MISSING, Taps};
use crate::affine_gemm::AffineInput;
use crate::v128::{
    V128, f32x4_add, f32x4_load, f32x4_mul, f32x4_splat, f32x4_store, i8x16_load, i8x16_shuffle,
    i16x8_extend_high_u8x16, i16x8_extend_low_u8x16, i16x8_load, i16x8_splat, i16x8_sub, i32x4_add,
    i32x4_dot_i16x8, i32x4_splat, i32x4_store, u8x16_splat, v128_xor,
};

/// 128-bit vectors.
pub(super) struct Simd128;

impl FloatPixel for Simd128 {
    fn pixel(x: &[f32], w: &[f32], taps: &Taps<'_>, multiplier: usize, y: &mut [f32]) {
        if multiplier != 1 {
            return <Scalar as FloatPixel>::pixel(x, w, taps, multiplier, y);
        }
        let mut first = 0;
        while first + 16 <= y.len() {
            floats::<4>(x, w, taps, first, y);
            first += 16;
        }
        while first + 4 <= y.len() {
            floats::<1>(x, w, taps, first, y);
            first += 4;
        }
        for (o, y) in y.iter_mut().enumerate().skip(first) {
            *y = taps.iter().fold(0.0, |sum, (input, weights)| sum + x[input + o] * w[weights + o]);
        }
    }
}

/// `4 * NV` channels from `first` on.
#[inline(always)]
fn floats<const NV: usize>(x: &[f32], w: &[f32], taps: &Taps<'_>, first: usize, y: &mut [f32]) {
    let mut sums = [f32x4_splat(0.0); NV];
    for (input, weights) in taps.iter() {
        let (x, w) = (&x[input + first..][..4 * NV], &w[weights + first..][..4 * NV]);
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = f32x4_add(*sum, f32x4_mul(f32x4_load(&x[4 * v..]), f32x4_load(&w[4 * v..])));
        }
    }
    for (v, sum) in sums.into_iter().enumerate() {
        f32x4_store(&mut y[first + 4 * v..], sum);
    }
}

impl BytePixel for Simd128 {
    fn pixel(layer: &DepthwiseAffine, x: &[i8], taps: &Taps<'_>, fill: &[i8; BLOCK], sums: &mut [i32]) {
        if layer.walk.outputs != layer.walk.channels {
            return <Scalar as BytePixel>::pixel(layer, x, taps, fill, sums);
        }
        // Taps go through the image in ascending order.
        let last = taps.inputs.iter().rfind(|input| **input != MISSING);
        let last = taps.base + last.map_or(0, |&input| input as usize);
        let (weights, _) = layer.weights.as_chunks::<{ 2 * BLOCK }>();
        let blocks = weights.chunks_exact(pairs(taps.inputs.len())).zip(sums.as_chunks_mut::<BLOCK>().0);
        for (block, (weights, sums)) in blocks.enumerate() {
            let from = &x[taps.base + block * BLOCK..];
            if last + (block + 1) * BLOCK <= x.len() {
                bytes::<true>(layer.input, from, taps.inputs, fill, weights, sums);
            } else {
                bytes::<false>(layer.input, from, taps.inputs, fill, weights, sums);
            }
        }
    }
}

/// A block of channels, which begins at `x` of the pixel that inputs count from. `WHOLE`: it lies inside x at every tap. What loads a part of it
/// is a call, and a loop with a call in it keeps its sums in memory.
#[inline(always)]
fn bytes<const WHOLE: bool>(
    input: AffineInput,
    x: &[i8],
    inputs: &[u32],
    fill: &[i8; BLOCK],
    weights: &[[i16; 2 * BLOCK]],
    out: &mut [i32; BLOCK],
) {
    // int8 + 128 is a flip of the highest bit, after which both types are unsigned.
    let flip = if input.unsigned { 0 } else { 128 };
    let (flips, zero) = (u8x16_splat(flip), i16x8_splat(input.zero_point as i16 + i16::from(flip)));
    let tap = |at: u32| {
        let x = if at == MISSING { fill } else { &x[at as usize..] };
        v128_xor(if WHOLE { i8x16_load(x) } else { load_part(x, fill[0]) }, flips)
    };
    let mut sums = [i32x4_splat(0); 4];
    for (inputs, weights) in inputs.chunks(2).zip(weights) {
        // A tap without a partner meets weights of 0 there, so itself serves as one.
        let (first, second) = (tap(inputs[0]), tap(inputs[inputs.len() - 1]));
        let low = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(first, second);
        let high =
            i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(first, second);
        let x = [
            i16x8_extend_low_u8x16(low),
            i16x8_extend_high_u8x16(low),
            i16x8_extend_low_u8x16(high),
            i16x8_extend_high_u8x16(high),
        ];
        for (v, (sum, x)) in sums.iter_mut().zip(x).enumerate() {
            let dot = i32x4_dot_i16x8(i16x8_sub(x, zero), i16x8_load(&weights[8 * v..]));
            *sum = i32x4_add(*sum, dot);
        }
    }
    for (v, sum) in sums.into_iter().enumerate() {
        i32x4_store(&mut out[4 * v..], sum);
    }
}

/// The first 16 of `x`, or what there is of them: behind the last channel of the last pixel, where weights are 0.
#[inline(never)]
fn load_part(x: &[i8], fill: i8) -> V128 {
    if let Some(whole) = x.first_chunk::<BLOCK>() {
        return i8x16_load(whole);
    }
    let mut padded = [fill; BLOCK];
    for (to, &from) in padded.iter_mut().zip(x) {
        *to = from;
    }
    i8x16_load(&padded)
}
