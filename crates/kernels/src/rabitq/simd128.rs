//! Products of bytes in int16, widened after eight blocks: at most 8 blocks * 2 products of 15 * 128 in a lane, below 2^15.

use crate::v128::{
    V128, i8x16_load, i16x8_add, i16x8_extmul_high_i8x16, i16x8_extmul_low_i8x16, i16x8_splat, i32x4_add,
    i32x4_extadd_pairwise_i16x8, i32x4_splat, i32x4_sum, u8x16_load, u8x16_shr, u8x16_splat, v128_and,
};

/// Blocks whose products fit int16: a lane takes 8 products of 1 * 128, 4 of 3 * 128 or 2 of 15 * 128 a block.
const BLOCKS: usize = 8;

#[inline(always)]
pub(super) fn dot<const WIDTH: u32>(part: &[u8], query: &[i8]) -> i32 {
    let mask = u8x16_splat((1 << WIDTH) - 1);
    let mut sum = i32x4_splat(0);
    let held = 128 / WIDTH as usize;
    for (blocks, query) in part.chunks(16 * BLOCKS).zip(query.chunks(held * BLOCKS)) {
        let (mut low, mut high) = (i16x8_splat(0), i16x8_splat(0));
        for (block, query) in blocks.as_chunks::<16>().0.iter().zip(query.chunks_exact(held)) {
            let block = u8x16_load(block);
            for (piece, query) in query.as_chunks::<16>().0.iter().enumerate() {
                let codes = piece_of::<WIDTH>(block, piece, mask);
                let query = i8x16_load(query);
                low = i16x8_add(low, i16x8_extmul_low_i8x16(codes, query));
                high = i16x8_add(high, i16x8_extmul_high_i8x16(codes, query));
            }
        }
        sum = i32x4_add(sum, i32x4_extadd_pairwise_i16x8(low));
        sum = i32x4_add(sum, i32x4_extadd_pairwise_i16x8(high));
    }
    i32x4_sum(sum)
}

/// Coordinates 16 `piece` .. of a block.
#[inline(always)]
pub(super) fn piece_of<const WIDTH: u32>(block: V128, piece: usize, mask: V128) -> V128 {
    v128_and(u8x16_shr(block, WIDTH * piece as u32), mask)
}
