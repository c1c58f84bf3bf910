//! Levels by byte swizzles: up to 16 of them are four tables of 16 bytes, so that four lookups and eight interleavings decode 16 columns.
//!
//! Beyond 4 bits a table does not fit a register, and levels are loaded one by one.

use super::Decode;
use super::pack::{Levels, Position};
use crate::gemm_f32::simd128::Simd128;
use crate::v128::{
    V128, f32x4_add, f32x4_load, f32x4_mul, f32x4_splat, f32x4_store, f32x4_sub, i8x16_shuffle,
    i8x16_swizzle, u8x16_load, u8x16_splat, u16x8_shr, v128_and,
};

impl Decode for Simd128 {
    fn weights(codes: &Position<'_>, levels: &Levels, zeros: &[f32], scales: &[f32], out: &mut [f32]) {
        let levels = if codes.width <= 4 { by_swizzle(codes, levels) } else { by_load(codes, levels) };
        for (v, level) in levels.into_iter().enumerate() {
            let level = if zeros.is_empty() { level } else { f32x4_sub(level, f32x4_load(&zeros[4 * v..])) };
            f32x4_store(&mut out[4 * v..], f32x4_mul(level, f32x4_load(&scales[4 * v..])));
        }
    }

    fn partial_dots(x: &[f32], codebook: &[f32], lut: &mut [f32]) {
        let entries = lut.len();
        for (at, lut) in lut.chunks_exact_mut(4).enumerate() {
            let mut sum = f32x4_splat(0.0);
            for (&x, centroids) in x.iter().zip(codebook.chunks_exact(entries)) {
                sum = f32x4_add(sum, f32x4_mul(f32x4_splat(x), f32x4_load(&centroids[4 * at..])));
            }
            f32x4_store(lut, sum);
        }
    }
}

/// The levels of 16 columns, four to a vector.
#[inline(always)]
fn by_swizzle(codes: &Position<'_>, levels: &Levels) -> [V128; 4] {
    let mask = u8x16_splat((1 << codes.width) - 1);
    let codes = v128_and(u16x8_shr(u8x16_load(codes.bytes), codes.shift), mask);
    let [b0, b1, b2, b3] = levels.bytes.each_ref().map(|table| i8x16_swizzle(u8x16_load(table), codes));
    let (low0, low1) = interleave_bytes(b0, b1);
    let (high0, high1) = interleave_bytes(b2, b3);
    let (v0, v1) = interleave_pairs(low0, high0);
    let (v2, v3) = interleave_pairs(low1, high1);
    [v0, v1, v2, v3]
}

#[inline(always)]
fn interleave_bytes(a: V128, b: V128) -> (V128, V128) {
    (
        i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(a, b),
        i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(a, b),
    )
}

#[inline(always)]
fn interleave_pairs(a: V128, b: V128) -> (V128, V128) {
    (
        i8x16_shuffle::<0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23>(a, b),
        i8x16_shuffle::<8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31>(a, b),
    )
}

fn by_load(codes: &Position<'_>, levels: &Levels) -> [V128; 4] {
    core::array::from_fn(|v| {
        let lanes: [f32; 4] = core::array::from_fn(|lane| levels.values[codes.code(4 * v + lane)]);
        f32x4_load(&lanes)
    })
}
