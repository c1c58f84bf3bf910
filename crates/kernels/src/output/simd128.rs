//! Four columns to a vector; what is left of a row goes through the scalar form, which rounds alike.
//!
//! A float is rounded to an integer by adding 1.5 * 2^23: among floats of that size neighbours are 1 apart, so the sum is rounded to the nearest
//! integer, ties to even, and its low bits are that integer. One instruction in every engine, where `nearest` and `trunc_sat` are ten.

use super::Rows;
use super::scalar::Scalar;
use crate::layout::WORD_BITS;
use crate::v128::{
    V128, bits_of_lanes, f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_pmin,
    f32x4_splat, f32x4_store, i8x16_narrow_i16x8, i8x16_store, i16x8_min, i16x8_narrow_i32x4, i16x8_splat,
    i32x4_add, i32x4_load, i32x4_lt, i32x4_max, i32x4_splat, i32x4_sub, u8x16_splat, v128_opaque,
    v128_store32_lane, v128_xor,
};

/// 1.5 * 2^23
const ROUND: f32 = 12_582_912.0;

/// From sums or floats to int8 or uint8, for kernels that hold them in registers. uint8 is int8 less 128 until the end.
pub(crate) struct Quantizer {
    round: V128,
    low: V128,
    zero: V128,
    high: V128,
    flips: V128,
}

impl Quantizer {
    #[inline(always)]
    pub(crate) fn new(zero_point: i32, clamp: [i32; 2]) -> Self {
        let shift = if clamp[0] < 0 { 0 } else { 128 };
        let zero = ROUND.to_bits() as i32 - (zero_point - shift);
        Self {
            round: v128_opaque(f32x4_splat(ROUND)),
            low: v128_opaque(i32x4_splat(zero + clamp[0] - shift)),
            zero: v128_opaque(i32x4_splat(zero)),
            high: v128_opaque(i16x8_splat((clamp[1] - shift) as i16)),
            flips: v128_opaque(u8x16_splat(shift as u8)),
        }
    }

    /// Four sums, rounded and not below the lower bound, for [`Self::bytes`] to clamp from above.
    #[inline(always)]
    pub(crate) fn lanes(&self, sums: V128, multiplier: V128) -> V128 {
        self.rounded(f32x4_mul(f32x4_convert_i32x4(sums), multiplier))
    }

    /// The same of four floats, none of them a NaN.
    ///
    /// A float beyond 2^22 is not rounded to an integer by the addition, but its bits, which are compared as an integer, still lie beyond every bound: above as large
    /// positive ones, below as smaller or (with the sign) negative ones.
    #[inline(always)]
    pub(crate) fn rounded(&self, v: V128) -> V128 {
        i32x4_sub(i32x4_max(f32x4_add(v, self.round), self.low), self.zero)
    }

    /// The bytes of sixteen.
    #[inline(always)]
    pub(crate) fn bytes(&self, [a, b, c, d]: [V128; 4]) -> V128 {
        // Clamped in between: of one narrowing behind another LLVM makes the first of minima, maxima and shuffles.
        let half = |a: V128, b: V128| i16x8_min(i16x8_narrow_i32x4(a, b), self.high);
        v128_xor(i8x16_narrow_i16x8(half(a, b), half(c, d)), self.flips)
    }
}

pub(super) struct Simd128;

impl Rows for Simd128 {
    fn f32(acc: &[i32], scale: &[f32], bias: &[f32], clamp: [f32; 2], y: &mut [f32]) {
        let (low, high) = (f32x4_splat(clamp[0]), f32x4_splat(clamp[1]));
        let whole = y.len() / 4 * 4;
        for at in (0..whole).step_by(4) {
            let v = f32x4_mul(f32x4_convert_i32x4(i32x4_load(&acc[at..])), f32x4_load(&scale[at..]));
            let v = f32x4_add(v, f32x4_load(&bias[at..]));
            f32x4_store(&mut y[at..], f32x4_pmin(f32x4_pmax(v, low), high));
        }
        Scalar::f32(&acc[whole..], &scale[whole..], &bias[whole..], clamp, &mut y[whole..]);
    }

    fn int8(acc: &[i32], multiplier: &[f32], bias: &[i32], zero_point: i32, clamp: [i32; 2], y: &mut [i8]) {
        let quantizer = Quantizer::new(zero_point, clamp);
        let four = |acc: &[i32], multiplier: &[f32], bias: &[i32]| {
            quantizer.lanes(i32x4_add(i32x4_load(acc), i32x4_load(bias)), f32x4_load(multiplier))
        };
        let whole = y.len() / 16 * 16;
        let columns =
            acc.as_chunks::<16>().0.iter().zip(multiplier.as_chunks::<16>().0).zip(bias.as_chunks::<16>().0);
        for (y, ((acc, multiplier), bias)) in y.as_chunks_mut::<16>().0.iter_mut().zip(columns) {
            let four = |at: usize| four(&acc[at..at + 4], &multiplier[at..at + 4], &bias[at..at + 4]);
            i8x16_store(y, quantizer.bytes([four(0), four(4), four(8), four(12)]));
        }
        let fours = y.len() / 4 * 4;
        for at in (whole..fours).step_by(4) {
            let q = four(&acc[at..], &multiplier[at..], &bias[at..]);
            let Some(y) = y[at..].first_chunk_mut() else { unreachable!("a four of the row") };
            v128_store32_lane::<0>(y, quantizer.bytes([q; 4]));
        }
        let y = &mut y[fours..];
        Scalar::int8(&acc[fours..], &multiplier[fours..], &bias[fours..], zero_point, clamp, y);
    }

    fn bits(acc: &[i32], thresholds: &[i32], y: &mut [u32]) {
        let whole = acc.len() / WORD_BITS;
        for ((y, acc), thresholds) in
            y.iter_mut().zip(acc.chunks_exact(WORD_BITS)).zip(thresholds.chunks_exact(WORD_BITS))
        {
            *y = bits_of_lanes(|at| i32x4_lt(i32x4_load(&acc[at..]), i32x4_load(&thresholds[at..])));
        }
        let from = whole * WORD_BITS;
        Scalar::bits(&acc[from..], &thresholds[from..], &mut y[whole..]);
    }
}
