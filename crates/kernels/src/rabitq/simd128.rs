//! Codes and query as int16, a lane from the even bytes and one from the odd ones: a shift and a mask make the codes, and the query, widened once, serves all rows.

use super::ROWS;
use crate::v128::{
    V128, i8x16_load, i16x8_shl, i16x8_shr, i32x4_add, i32x4_dot_i16x8, i32x4_shl, i32x4_shuffle,
    i32x4_splat, i32x4_store, u8x16_load, u16x8_shr, u16x8_splat, v128_and, v128_opaque,
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
        let mask = v128_opaque(u16x8_splat((1 << WIDTH) - 1));
        add_blocks::<WIDTH>(&mut self.0, part, query, shift, |mut sum, block, piece, query| {
            let (even, odd) = (i16x8_shr(i16x8_shl(query, 8), 8), i16x8_shr(query, 8));
            let at = WIDTH * piece;
            sum = i32x4_add(sum, i32x4_dot_i16x8(v128_and(u16x8_shr(block, at), mask), even));
            i32x4_add(sum, i32x4_dot_i16x8(v128_and(u16x8_shr(block, 8 + at), mask), odd))
        });
    }

    #[inline(always)]
    fn finish(self) -> [i32; ROWS] {
        finish(self.0)
    }
}

/// Adds to the sums, times 2^`shift`, `product(sum, block, piece, coordinates 16 piece .. of the block in the query)` of every block of every row.
#[inline(always)]
pub(super) fn add_blocks<const WIDTH: u32>(
    sums: &mut [V128; ROWS],
    part: [&[u8]; ROWS],
    query: &[i8],
    shift: u32,
    product: impl Fn(V128, V128, u32, V128) -> V128,
) {
    let blocks = part[0].len() / 16;
    let part = part.map(|part| &part.as_chunks::<16>().0[..blocks]);
    let mut of_part = [i32x4_splat(0); ROWS];
    for (at, query) in query.chunks_exact(128 / WIDTH as usize).take(blocks).enumerate() {
        let block = part.map(|part| u8x16_load(&part[at]));
        for (piece, query) in (0..).zip(query.as_chunks::<16>().0) {
            let query = i8x16_load(query);
            for (sum, block) in of_part.iter_mut().zip(block) {
                *sum = product(*sum, block, piece, query);
            }
        }
    }
    for (sum, of_part) in sums.iter_mut().zip(of_part) {
        *sum = i32x4_add(*sum, i32x4_shl(of_part, shift));
    }
}

/// Sums of the lanes of each: transposed and added, for less than one of them takes alone times four.
#[inline(always)]
pub(super) fn finish([a, b, c, d]: [V128; ROWS]) -> [i32; ROWS] {
    let two = |a, b| i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (ab, cd) = (two(a, b), two(c, d));
    let mut sums = [0; ROWS];
    i32x4_store(
        &mut sums,
        i32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd)),
    );
    sums
}
