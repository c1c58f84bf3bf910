//! Codes and query as int16, a lane from the even bytes and one from the odd ones: a shift and a mask make the codes, and the query, widened once, serves all rows.

use super::vectors::Products;
use crate::v128::{V128, i16x8_shl, i16x8_shr, i32x4_add, i32x4_dot_i16x8, u16x8_shr, u16x8_splat, v128_and};

pub(super) struct Words;

impl Products for Words {
    #[inline(always)]
    fn mask(width: u32) -> V128 {
        u16x8_splat((1 << width) - 1)
    }

    #[inline(always)]
    fn add(sum: V128, block: V128, at: u32, mask: V128, query: V128) -> V128 {
        let (even, odd) = (i16x8_shr(i16x8_shl(query, 8), 8), i16x8_shr(query, 8));
        let sum = i32x4_add(sum, i32x4_dot_i16x8(v128_and(u16x8_shr(block, at), mask), even));
        i32x4_add(sum, i32x4_dot_i16x8(v128_and(u16x8_shr(block, 8 + at), mask), odd))
    }
}
