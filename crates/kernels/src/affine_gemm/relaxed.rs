//! Relaxed byte dots for 4-bit and 2-bit codes: four codes of four columns at a time, 16 products per instruction.
//!
//! The unsigned codes are the 7-bit operand, where the instruction's result is the same in every engine; activations are the signed one. Since
//! `x - zero point` may need 9 bits, x itself is multiplied and the zero point's share, a constant per column, is taken out.

use super::pack::Packed;
use super::simd128::{self, Simd128, Step};
use super::sums::{Group, Rows, Tile};
use crate::v128::{
    V128, i16x8_extadd_pairwise_i8x16, i32x4_add, i32x4_extadd_pairwise_i16x8,
    i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, i32x4_store, i32x4_sum, u8x16_splat, u16x8_shr, v128_and,
    v128_xor,
};

/// 128-bit vectors with relaxed dots.
pub(super) struct Relaxed;

impl Tile for Relaxed {
    fn prepare(packed: &Packed, x: &[i8], len: usize, values: &mut [i32]) -> i32 {
        // uint8 - 128 is a flip of the highest bit. Positions behind the row become 0.
        let flip = if packed.input.unsigned { 0x80 } else { 0 };
        let flips = u8x16_splat(flip);
        let mut sums = i32x4_splat(0);
        for (at, values) in (0..len).step_by(16).zip(values.chunks_exact_mut(4)) {
            let x = v128_xor(simd128::load_part(&x[at..], len - at, flip as i8), flips);
            sums = i32x4_add(sums, i32x4_extadd_pairwise_i16x8(i16x8_extadd_pairwise_i8x16(x)));
            i32x4_store(values, x);
        }
        i32x4_sum(sums)
    }

    fn accumulate(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize) {
        match group.width {
            4 => simd128::accumulate::<Quads<4>, 2>(group, rows, acc, pitch),
            _ => simd128::accumulate::<Quads<2>, 4>(group, rows, acc, pitch),
        }
    }

    fn add_scaled(acc: &[i32], scale: &[f32], y: &mut [f32]) {
        Simd128::add_scaled(acc, scale, y);
    }
}

struct Quads<const WIDTH: usize>;

impl<const WIDTH: usize> Step for Quads<WIDTH> {
    const ZEROS: bool = true;

    #[inline(always)]
    fn codes(words: V128, j: usize) -> V128 {
        v128_and(u16x8_shr(words, (WIDTH * j) as u32), u8x16_splat((1 << WIDTH) - 1))
    }

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        i32x4_relaxed_dot_i8x16_i7x16_add(x, codes, acc)
    }
}
