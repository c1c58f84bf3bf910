//! Four products of a relaxed dot in int32: codes, of at most 4 bits, are its 7-bit operand. Engines that have it in two steps sum 2 * 15 * 128 in int16 between.

use super::vectors::Products;
use crate::v128::{V128, i32x4_relaxed_dot_i8x16_i7x16_add, u8x16_splat, u16x8_shr, v128_and};

pub(super) struct Dots;

impl Products for Dots {
    #[inline(always)]
    fn mask(width: u32) -> V128 {
        u8x16_splat((1 << width) - 1)
    }

    #[inline(always)]
    fn add(sum: V128, block: V128, at: u32, mask: V128, query: V128) -> V128 {
        // Of words and not of bytes: the mask takes off what comes from the neighbour, and x64 has no shift of bytes.
        i32x4_relaxed_dot_i8x16_i7x16_add(query, v128_and(u16x8_shr(block, at), mask), sum)
    }
}
