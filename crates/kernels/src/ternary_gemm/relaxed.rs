//! Dots of 16 bytes: codes are the 7-bit operand, 0..=2 or in place at most 8, for which the result is fixed.
//!
//! Two ways to the same sums, of which `DotWidth` names the faster one on this machine:
//!
//! - [`Sums32`]: `i32x4.relaxed_dot_i8x16_i7x16_add`, one instruction where the processor has it (VNNI, `sdot`) and three where not.
//! - [`Sums16`]: `i16x8.relaxed_dot_i8x16_i7x16` and an addition of 16-bit lanes, which are emptied before they can overflow: one instruction each on
//!   every x64, five together on Arm.

use super::dots::{Dots, Quad, products};
use super::simd128::prepare;
use super::{Kernel, QUAD};
use crate::turns::PLACES;
use crate::v128::{
    V128, i16x8_add, i16x8_relaxed_dot_i8x16_i7x16, i16x8_splat, i32x4_add, i32x4_dot_i16x8,
    i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_shl, i32x4_shr, i32x4_splat, i32x4_sums, u8x16_load,
    u8x16_splat, u8x16_store, u16x8_shr, v128_and, v128_opaque,
};

/// A relaxed dot, and how many blocks its accumulators hold.
pub(super) trait RelaxedDot {
    /// Blocks of a tile: four dots of codes 0..=2 to a block.
    const BLOCKS: usize;
    /// Blocks of a single row: two dots of codes 0..=8 to a block.
    const SINGLE_BLOCKS: usize;

    fn dot(acc: V128, x: V128, codes: V128) -> V128;

    /// int32 `sums` plus the lanes of `acc`.
    fn widen(sums: V128, acc: V128) -> V128;

    /// int32 `sums` plus the lanes of `one` times 4, plus those of `four`, which hold codes times 4 already.
    fn widen_scaled(sums: V128, one: V128, four: V128) -> V128;
}

/// Accumulators of 16 bits.
///
/// A lane of a dot is at most 2 * 128 * 2 = 512 in magnitude, -512 exactly at the least, and 64 of them make -32768: 16 blocks of four. Codes in place are
/// up to 4 times as large, so 16 dots, 8 blocks of two.
pub(super) struct Sums16;

impl RelaxedDot for Sums16 {
    const BLOCKS: usize = 16;
    const SINGLE_BLOCKS: usize = 8;

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        i16x8_add(acc, i16x8_relaxed_dot_i8x16_i7x16(x, codes))
    }

    #[inline(always)]
    fn widen(sums: V128, acc: V128) -> V128 {
        i32x4_add(sums, i32x4_dot_i16x8(acc, i16x8_splat(1)))
    }

    #[inline(always)]
    fn widen_scaled(sums: V128, one: V128, four: V128) -> V128 {
        i32x4_add(
            i32x4_add(sums, i32x4_dot_i16x8(one, i16x8_splat(4))),
            i32x4_dot_i16x8(four, i16x8_splat(1)),
        )
    }
}

/// Accumulators of 32 bits. Four times the largest sum, 4 * 2^20 * 128 * 2 = 2^30, fits them; how often they are emptied is how often streams change.
pub(super) struct Sums32;

impl RelaxedDot for Sums32 {
    const BLOCKS: usize = 1 << 14;
    const SINGLE_BLOCKS: usize = 16;

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        i32x4_relaxed_dot_i8x16_i7x16_add(x, codes, acc)
    }

    #[inline(always)]
    fn widen(sums: V128, acc: V128) -> V128 {
        i32x4_add(sums, acc)
    }

    #[inline(always)]
    fn widen_scaled(sums: V128, one: V128, four: V128) -> V128 {
        i32x4_add(i32x4_add(sums, i32x4_shl(one, 2)), four)
    }
}

impl<R: RelaxedDot> Dots<4> for R {
    const BLOCKS: usize = R::BLOCKS;

    #[inline(always)]
    fn mask() -> V128 {
        v128_opaque(u8x16_splat(3))
    }

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        R::dot(acc, x, codes)
    }

    #[inline(always)]
    fn widen(sums: V128, acc: V128) -> V128 {
        R::widen(sums, acc)
    }

    /// Codes are masked in place: four masks and one shift to 64, two accumulators to a column.
    // A function of its own, so that its loop has all registers to itself.
    #[inline(never)]
    fn single(row: &[[[u8; 16]; 4]], quads: &[&[Quad]]) -> [V128; PLACES] {
        let mut sums = [[i32x4_splat(0); QUAD]; PLACES];
        let (low, high) = (v128_opaque(u8x16_splat(3)), v128_opaque(u8x16_splat(12)));
        for (at, row) in row.chunks(R::SINGLE_BLOCKS).enumerate() {
            for (sums, quad) in sums.iter_mut().zip(quads) {
                let mut acc = [[i32x4_splat(0); 2]; QUAD];
                for (x, columns) in row.iter().zip(&quad[at * R::SINGLE_BLOCKS..]) {
                    let x = [u8x16_load(&x[0]), u8x16_load(&x[1]), u8x16_load(&x[2]), u8x16_load(&x[3])];
                    for (acc, codes) in acc.iter_mut().zip(columns) {
                        let first = u8x16_load(codes);
                        let second = u16x8_shr(first, 4);
                        acc[0] = R::dot(acc[0], x[0], v128_and(first, low));
                        acc[1] = R::dot(acc[1], x[1], v128_and(first, high));
                        acc[0] = R::dot(acc[0], x[2], v128_and(second, low));
                        acc[1] = R::dot(acc[1], x[3], v128_and(second, high));
                    }
                }
                for (sums, [one, four]) in sums.iter_mut().zip(acc) {
                    *sums = R::widen_scaled(*sums, one, four);
                }
            }
        }
        sums.map(|sums| i32x4_shr(i32x4_sums(sums), 2))
    }
}

/// The tier with one of its dots.
pub(super) struct Relaxed<R>(core::marker::PhantomData<R>);

impl<R: RelaxedDot> Kernel for Relaxed<R> {
    fn row_vectors(blocks: usize) -> usize {
        4 * blocks
    }

    fn prepare(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32 {
        prepare::<4>(x, flip, row, |x, row| {
            for (row, x) in row.iter_mut().zip(x) {
                u8x16_store(row, x);
            }
        })
    }

    fn products(rows: &[[u8; 16]], weights: &[[u8; 16]], blocks: usize, acc: &mut [i32], pitch: usize) {
        products::<R, 4>(rows, weights, blocks, acc, pitch);
    }
}
