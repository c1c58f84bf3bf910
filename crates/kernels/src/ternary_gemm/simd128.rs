//! Dots of 16-bit lanes, for few columns; `lookup` has the form for many.
//!
//! A mask over 16-bit lanes gives every second code of 16 neighbours, so activations are widened and parted into even and odd ones once per block of rows.

use super::dots::{Dots, Quad, part, products};
use super::{Kernel, QUAD};
use crate::turns::PLACES;
use crate::v128::{
    V128, i16x8_extadd_pairwise_i8x16, i16x8_shl, i16x8_shr, i32x4_add, i32x4_dot_i16x8,
    i32x4_extadd_pairwise_i16x8, i32x4_splat, i32x4_sum, i32x4_sums, u8x16_load, u8x16_splat, u8x16_store,
    u16x8_splat, v128_opaque, v128_xor,
};

pub(super) struct Simd128;

impl Dots<8> for Simd128 {
    // A lane of int32 never fills: at most 2^17 dots of 2 * 128 * 2.
    const BLOCKS: usize = 1 << 14;

    #[inline(always)]
    fn mask() -> V128 {
        v128_opaque(u16x8_splat(3))
    }

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        i32x4_add(acc, i32x4_dot_i16x8(x, codes))
    }

    #[inline(always)]
    fn widen(sums: V128, acc: V128) -> V128 {
        i32x4_add(sums, acc)
    }

    #[inline(never)]
    fn single(row: &[[[u8; 16]; 8]], quads: &[&[Quad]]) -> [V128; PLACES] {
        let mut sums = [i32x4_splat(0); PLACES];
        for (sums, quad) in sums.iter_mut().zip(quads) {
            let mut acc = [i32x4_splat(0); QUAD];
            let mask = Self::mask();
            for (x, columns) in row.iter().zip(*quad) {
                let codes = [0, 1, 2, 3].map(|column: usize| u8x16_load(&columns[column]));
                for (j, x) in x.iter().enumerate() {
                    let x = u8x16_load(x);
                    for (acc, codes) in acc.iter_mut().zip(codes) {
                        *acc = Self::dot(*acc, x, part(codes, j, mask));
                    }
                }
            }
            *sums = i32x4_sums(acc);
        }
        sums
    }
}

impl Kernel for Simd128 {
    fn row_vectors(blocks: usize) -> usize {
        8 * blocks
    }

    fn prepare(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32 {
        prepare::<8>(x, flip, row, |x, row| {
            for (field, x) in x.into_iter().enumerate() {
                u8x16_store(&mut row[field], i16x8_shr(i16x8_shl(x, 8), 8));
                u8x16_store(&mut row[4 + field], i16x8_shr(x, 8));
            }
        })
    }

    fn products(rows: &[[u8; 16]], weights: &[[u8; 16]], blocks: usize, acc: &mut [i32], pitch: usize) {
        products::<Self, 8>(rows, weights, blocks, acc, pitch);
    }
}

/// [`Kernel::prepare`]: four vectors of 16 neighbouring signed bytes at a time, as `arrange` writes them.
#[inline(always)]
pub(super) fn prepare<const PARTS: usize>(
    x: &[i8],
    flip: u8,
    row: &mut [[u8; 16]],
    arrange: impl Fn([V128; 4], &mut [[u8; 16]; PARTS]),
) -> i32 {
    let flips = u8x16_splat(flip);
    let mut sums = i32x4_splat(0);
    for (x, row) in x.chunks(64).zip(row.as_chunks_mut::<PARTS>().0) {
        // Flipped, the bytes behind the row become 0.
        let mut block = [[flip; 16]; 4];
        for (byte, x) in block.as_flattened_mut().iter_mut().zip(x) {
            *byte = *x as u8;
        }
        let x = block.map(|x| v128_xor(u8x16_load(&x), flips));
        for x in x {
            sums = i32x4_add(sums, i32x4_extadd_pairwise_i16x8(i16x8_extadd_pairwise_i8x16(x)));
        }
        arrange(x, row);
    }
    i32x4_sum(sums)
}
