//! Four columns to a vector; what is left of a row goes through the scalar form, which rounds alike.
//!
//! A float is rounded to an integer by adding 1.5 * 2^23: among floats of that size neighbours are 1 apart, so the sum is rounded to the nearest
//! integer, ties to even, and its low bits are that integer. One instruction in every engine, where `nearest` and `trunc_sat` are ten.

use super::Rows;
use super::scalar::Scalar;
use crate::layout::WORD_BITS;
use crate::v128::{
    V128, bits_of_lanes, f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_pmin,
    f32x4_splat, f32x4_store, i8x16_shuffle, i8x16_store, i32x4_add, i32x4_extract_lane, i32x4_load,
    i32x4_lt, i32x4_shl, i32x4_splat, v128_and, v128_or,
};

/// 1.5 * 2^23
const ROUND: f32 = 12_582_912.0;

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
        let low = f32x4_splat((clamp[0] - zero_point) as f32);
        let high = f32x4_splat((clamp[1] - zero_point) as f32);
        let round = f32x4_splat(ROUND);
        let zero = i32x4_splat(zero_point - ROUND.to_bits() as i32);
        // Clamped before it is rounded: the bounds are integers of at most 383, so the order is all one, and nothing overflows.
        let quantize = |acc: &[i32], multiplier: &[f32], bias: &[i32]| {
            let sum = i32x4_add(i32x4_load(acc), i32x4_load(bias));
            let v = f32x4_mul(f32x4_convert_i32x4(sum), f32x4_load(multiplier));
            i32x4_add(f32x4_add(f32x4_pmin(f32x4_pmax(v, low), high), round), zero)
        };
        // The low bytes of four vectors, which are right for int8 and for uint8: side by side in every lane, then in the order of the columns.
        let byte = i32x4_splat(0xff);
        let narrow = |a: V128, b: V128, c: V128, d: V128| {
            let low = v128_or(v128_and(a, byte), i32x4_shl(v128_and(b, byte), 8));
            let high = v128_or(i32x4_shl(v128_and(c, byte), 16), i32x4_shl(d, 24));
            let bytes = v128_or(low, high);
            i8x16_shuffle::<0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15>(bytes, bytes)
        };
        let whole = y.len() / 16 * 16;
        let columns =
            acc.as_chunks::<16>().0.iter().zip(multiplier.as_chunks::<16>().0).zip(bias.as_chunks::<16>().0);
        for (y, ((acc, multiplier), bias)) in y.as_chunks_mut::<16>().0.iter_mut().zip(columns) {
            let four = |at: usize| quantize(&acc[at..at + 4], &multiplier[at..at + 4], &bias[at..at + 4]);
            i8x16_store(y, narrow(four(0), four(4), four(8), four(12)));
        }
        let fours = y.len() / 4 * 4;
        for at in (whole..fours).step_by(4) {
            let q = quantize(&acc[at..], &multiplier[at..], &bias[at..]);
            let bytes = i32x4_extract_lane::<0>(narrow(q, q, q, q)).to_le_bytes();
            y[at..at + 4].copy_from_slice(&bytes.map(|byte| byte as i8));
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
