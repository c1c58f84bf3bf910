//! Four products of a relaxed dot in int32: codes, of at most 4 bits, are its 7-bit operand. Engines that have it in two steps sum 2 * 15 * 128 in int16 between.

use super::ROWS;
use super::simd128::{add_blocks, finish};
use crate::v128::{
    V128, i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, u8x16_splat, u16x8_shr, v128_and, v128_opaque,
};

/// Four int32 of each row.
pub(super) struct Sums([V128; ROWS]);

impl super::Sums for Sums {
    #[inline(always)]
    fn zero() -> Self {
        Self([i32x4_splat(0); ROWS])
    }

    #[inline(always)]
    fn add<const WIDTH: u32>(&mut self, part: [&[u8]; ROWS], query: &[i8], shift: u32) {
        let mask = v128_opaque(u8x16_splat((1 << WIDTH) - 1));
        add_blocks::<WIDTH>(&mut self.0, part, query, shift, |sum, block, piece, query| {
            // Of words and not of bytes: the mask takes off what comes from the neighbour, and x64 has no shift of bytes.
            let codes = v128_and(u16x8_shr(block, WIDTH * piece), mask);
            i32x4_relaxed_dot_i8x16_i7x16_add(query, codes, sum)
        });
    }

    #[inline(always)]
    fn finish(self) -> [i32; ROWS] {
        finish(self.0)
    }
}
