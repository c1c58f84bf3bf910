//! Channels side by side: sixteen, then four (f32) at a time, the rest as `scalar`.
//!
//! Bytes are widened to i16, where `(x - zero point) * w` is exact (at most 255 * 128 = 32640), and added up in int32.

use super::bytes::BytePixel;
use super::float::FloatPixel;
use super::scalar::{Scalar, byte_sum};
use super::walk::Taps;
use crate::affine_gemm::AffineInput;
use crate::v128::{
    f32x4_add, f32x4_load, f32x4_mul, f32x4_splat, f32x4_store, i8x16_load, i16x8_extend_high_i8x16,
    i16x8_extend_high_u8x16, i16x8_extend_low_i8x16, i16x8_extend_low_u8x16, i16x8_mul, i16x8_splat,
    i16x8_sub, i32x4_add, i32x4_extend_high_i16x8, i32x4_extend_low_i16x8, i32x4_splat, i32x4_store,
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
    fn pixel(x: &[i8], input: AffineInput, w: &[i8], taps: &Taps<'_>, multiplier: usize, sums: &mut [i32]) {
        if multiplier != 1 {
            return <Scalar as BytePixel>::pixel(x, input, w, taps, multiplier, sums);
        }
        let mut first = 0;
        while first + 16 <= sums.len() {
            bytes(x, input, w, taps, first, &mut sums[first..]);
            first += 16;
        }
        for (o, sum) in sums.iter_mut().enumerate().skip(first) {
            *sum = byte_sum(x, input, w, taps, o, o);
        }
    }
}

/// 16 channels from `first` on.
#[inline(always)]
fn bytes(x: &[i8], input: AffineInput, w: &[i8], taps: &Taps<'_>, first: usize, out: &mut [i32]) {
    let zero = i16x8_splat(input.zero_point as i16);
    let mut sums = [i32x4_splat(0); 4];
    for (at, weights) in taps.iter() {
        let (x, w) = (i8x16_load(&x[at + first..]), i8x16_load(&w[weights + first..]));
        let (low, high) = if input.unsigned {
            (i16x8_extend_low_u8x16(x), i16x8_extend_high_u8x16(x))
        } else {
            (i16x8_extend_low_i8x16(x), i16x8_extend_high_i8x16(x))
        };
        let low = i16x8_mul(i16x8_sub(low, zero), i16x8_extend_low_i8x16(w));
        let high = i16x8_mul(i16x8_sub(high, zero), i16x8_extend_high_i8x16(w));
        sums[0] = i32x4_add(sums[0], i32x4_extend_low_i16x8(low));
        sums[1] = i32x4_add(sums[1], i32x4_extend_high_i16x8(low));
        sums[2] = i32x4_add(sums[2], i32x4_extend_low_i16x8(high));
        sums[3] = i32x4_add(sums[3], i32x4_extend_high_i16x8(high));
    }
    for (v, sum) in sums.into_iter().enumerate() {
        i32x4_store(&mut out[4 * v..], sum);
    }
}
