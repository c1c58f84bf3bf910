//! Whole words in vectors; the end of a row as `scalar` does it.

use super::Signs;
use super::scalar::Scalar;
use crate::v128::{
    V128, bits_of_lanes, f32x4_gt, f32x4_load, f32x4_lt, f32x4_splat, f32x4_store, i8x16_bitmask, i8x16_lt,
    i8x16_splat, i16x8_shl, i32x4_eq, i32x4_splat, u8x16_load, u8x16_splat, u32x4_load, u32x4_splat,
    v128_and, v128_bitselect, v128_or, v128_xor,
};

pub(super) struct Simd128;

/// Lanes of ones where the bits `4 at .. 4 at + 4` of `word` are set.
#[inline(always)]
fn lanes(word: u32, at: usize) -> V128 {
    let four = i32x4_splat((word >> (4 * at)) as i32);
    let each = u32x4_load(&[1, 2, 4, 8]);
    i32x4_eq(v128_and(four, each), each)
}

impl Signs for Simd128 {
    #[inline(always)]
    fn trits(x: &[f32]) -> (u32, u32) {
        let Ok(x) = <&[f32; 32]>::try_from(x) else { return Scalar::trits(x) };
        let zero = f32x4_splat(0.0);
        let below = bits_of_lanes(|at| f32x4_lt(f32x4_load(&x[at..]), zero));
        let above = bits_of_lanes(|at| f32x4_gt(f32x4_load(&x[at..]), zero));
        (below, below | above)
    }

    #[inline(always)]
    fn signs(x: &[f32]) -> u32 {
        let Ok(x) = <&[f32; 32]>::try_from(x) else { return Scalar::signs(x) };
        bits_of_lanes(|at| f32x4_lt(f32x4_load(&x[at..]), f32x4_splat(0.0)))
    }

    #[inline(always)]
    fn signs_int8(x: &[u8], flip: u8, zero_point: i8) -> u32 {
        let Ok(x) = <&[u8; 32]>::try_from(x) else { return Scalar::signs_int8(x, flip, zero_point) };
        let half = |at: usize| {
            let signed = v128_xor(u8x16_load(&x[at..]), u8x16_splat(flip));
            u32::from(i8x16_bitmask(i8x16_lt(signed, i8x16_splat(zero_point))))
        };
        half(0) | half(16) << 16
    }

    #[inline(always)]
    fn plane(x: &[u8], bit: u32) -> u32 {
        let Ok(x) = <&[u8; 32]>::try_from(x) else { return Scalar::plane(x, bit) };
        // The bit becomes the sign of its byte; what comes from the byte below is not looked at.
        let half = |at: usize| u32::from(i8x16_bitmask(i16x8_shl(u8x16_load(&x[at..]), 7 - bit)));
        !(half(0) | half(16) << 16)
    }

    #[inline(always)]
    fn unpack(signs: u32, nonzero: u32, y: &mut [f32]) {
        let Ok(y) = <&mut [f32; 32]>::try_from(&mut *y) else { return Scalar::unpack(signs, nonzero, y) };
        let sign_bit = u32x4_splat(0x8000_0000);
        for (at, y) in y.chunks_exact_mut(4).enumerate() {
            let one = v128_or(f32x4_splat(1.0), v128_and(lanes(signs, at), sign_bit));
            f32x4_store(y, v128_bitselect(one, f32x4_splat(0.0), lanes(nonzero, at)));
        }
    }
}
