//! Two products of a relaxed dot in int16: codes are its 7-bit operand. A lane takes at most 2 * 15 * 128 from a piece, so 8 pieces fit.

use super::simd128::piece_of;
use crate::v128::{
    i8x16_load, i16x8_add, i16x8_relaxed_dot_i8x16_i7x16, i16x8_splat, i32x4_add,
    i32x4_extadd_pairwise_i16x8, i32x4_splat, i32x4_sum, u8x16_load, u8x16_splat,
};

/// Blocks whose sums fit int16: 4 of 2 pieces of 30 * 128, 4 of 4 pieces of 6 * 128, 4 of 8 pieces of 2 * 128.
const BLOCKS: usize = 4;

#[inline(always)]
pub(super) fn dot<const WIDTH: u32>(part: &[u8], query: &[i8]) -> i32 {
    let mask = u8x16_splat((1 << WIDTH) - 1);
    let mut sum = i32x4_splat(0);
    let held = 128 / WIDTH as usize;
    for (blocks, query) in part.chunks(16 * BLOCKS).zip(query.chunks(held * BLOCKS)) {
        let mut sums = i16x8_splat(0);
        for (block, query) in blocks.as_chunks::<16>().0.iter().zip(query.chunks_exact(held)) {
            let block = u8x16_load(block);
            for (piece, query) in query.as_chunks::<16>().0.iter().enumerate() {
                let codes = piece_of::<WIDTH>(block, piece, mask);
                sums = i16x8_add(sums, i16x8_relaxed_dot_i8x16_i7x16(i8x16_load(query), codes));
            }
        }
        sum = i32x4_add(sum, i32x4_extadd_pairwise_i16x8(sums));
    }
    i32x4_sum(sum)
}
