//! Dots of 16 bytes: the codes are the 7-bit operand, 0..=2 or in place at most 32, for which the result is fixed.

use super::Kernel;
use super::simd128::{Dots, prepare, products};
use crate::v128::{V128, i32x4_relaxed_dot_i8x16_i7x16_add, u8x16_splat, u8x16_store, u16x8_shr, v128_and};

pub(super) struct Relaxed;

impl Dots<4> for Relaxed {
    #[inline(always)]
    fn part(codes: V128, j: usize) -> V128 {
        v128_and(u16x8_shr(codes, 2 * j as u32), u8x16_splat(3))
    }

    #[inline(always)]
    fn scaled(codes: V128, j: usize) -> V128 {
        // In place the last field would reach the eighth bit.
        if j == 3 { Self::part(codes, 3) } else { v128_and(codes, u8x16_splat(3 << Self::SHIFTS[j])) }
    }

    const SHIFTS: [u32; 4] = [0, 2, 4, 0];

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        i32x4_relaxed_dot_i8x16_i7x16_add(x, codes, acc)
    }

    #[inline(always)]
    fn arrange(x: [V128; 4], row: &mut [[u8; 16]; 4]) {
        for (row, x) in row.iter_mut().zip(x) {
            u8x16_store(row, x);
        }
    }
}

impl Kernel for Relaxed {
    fn row_vectors(blocks: usize) -> usize {
        4 * blocks
    }

    fn prepare(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32 {
        prepare::<Self, 4>(x, flip, row)
    }

    fn products(rows: &[[u8; 16]], weights: &[[u8; 16]], blocks: usize, acc: &mut [i32]) {
        products::<Self, 4>(rows, weights, blocks, acc);
    }
}
