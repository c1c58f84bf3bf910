//! Products in vectors, generic over how many codes a dot takes; `relaxed` instantiates them too.
//!
//! Here dots multiply 16-bit lanes: a mask over 16-bit lanes gives every second code of 16 neighbours, so activations are widened and parted into
//! even and odd ones once per block of rows.

use super::Kernel;
use crate::v128::{
    V128, i16x8_extadd_pairwise_i8x16, i16x8_shl, i16x8_shr, i32x4_add, i32x4_dot_i16x8,
    i32x4_extadd_pairwise_i16x8, i32x4_shr, i32x4_splat, i32x4_sum, u8x16_load, u8x16_splat, u8x16_store,
    u16x8_shr, u16x8_splat, v128_and, v128_xor,
};

/// How a block of 64 codes is multiplied in `PARTS` dots.
pub(super) trait Dots<const PARTS: usize> {
    /// Part `j` of the codes, 0..=2 in every lane.
    fn part(codes: V128, j: usize) -> V128;

    /// Part `j` times `1 << SHIFTS[j]`, by one mask where it can be.
    fn scaled(codes: V128, j: usize) -> V128;

    /// See [`Dots::scaled`].
    const SHIFTS: [u32; PARTS];

    /// `acc` plus sums of products, in any lanes.
    fn dot(acc: V128, x: V128, codes: V128) -> V128;

    /// Four vectors of 16 neighbouring signed bytes as the parts multiply them.
    fn arrange(x: [V128; 4], row: &mut [[u8; 16]; PARTS]);
}

pub(super) struct Simd128;

impl Dots<8> for Simd128 {
    #[inline(always)]
    fn part(codes: V128, j: usize) -> V128 {
        v128_and(u16x8_shr(codes, 2 * j as u32), u16x8_splat(3))
    }

    #[inline(always)]
    fn scaled(codes: V128, j: usize) -> V128 {
        let half = if j < 4 { codes } else { u16x8_shr(codes, 8) };
        v128_and(half, u16x8_splat(3 << Self::SHIFTS[j]))
    }

    const SHIFTS: [u32; 8] = [0, 2, 4, 6, 0, 2, 4, 6];

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        i32x4_add(acc, i32x4_dot_i16x8(x, codes))
    }

    #[inline(always)]
    fn arrange(x: [V128; 4], row: &mut [[u8; 16]; 8]) {
        for (field, x) in x.into_iter().enumerate() {
            u8x16_store(&mut row[field], i16x8_shr(i16x8_shl(x, 8), 8));
            u8x16_store(&mut row[4 + field], i16x8_shr(x, 8));
        }
    }
}

impl Kernel for Simd128 {
    fn row_vectors(blocks: usize) -> usize {
        8 * blocks
    }

    fn prepare(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32 {
        prepare::<Self, 8>(x, flip, row)
    }

    fn products(rows: &[[u8; 16]], weights: &[[u8; 16]], blocks: usize, acc: &mut [i32]) {
        products::<Self, 8>(rows, weights, blocks, acc);
    }
}

/// [`Kernel::prepare`] for any dots.
pub(super) fn prepare<D: Dots<PARTS>, const PARTS: usize>(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32 {
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
        D::arrange(x, row);
    }
    i32x4_sum(sums)
}

/// [`Kernel::products`] for any dots: tiles of four rows by two columns, and what is left row by row.
pub(super) fn products<D: Dots<PARTS>, const PARTS: usize>(
    rows: &[[u8; 16]],
    weights: &[[u8; 16]],
    blocks: usize,
    acc: &mut [i32],
) {
    let columns = weights.len() / blocks;
    let (rows, _) = rows.as_chunks::<PARTS>();
    let tiled = acc.len() / columns / 4 * 4;
    for n in (0..columns).step_by(2) {
        let first = &weights[n * blocks..][..blocks];
        // A last column without a partner is computed twice.
        let second = &weights[(n + 1).min(columns - 1) * blocks..][..blocks];
        for r in (0..tiled).step_by(4) {
            let sums = tile::<D, PARTS>(&rows[r * blocks..][..4 * blocks], first, second);
            for (r, sums) in (r..).zip(sums) {
                acc[r * columns + n] = sums[0];
                if n + 1 < columns {
                    acc[r * columns + n + 1] = sums[1];
                }
            }
        }
    }
    let rest = rows.chunks_exact(blocks).zip(acc.chunks_exact_mut(columns)).skip(tiled);
    for (row, acc) in rest {
        for (acc, weights) in acc.iter_mut().zip(weights.chunks_exact(blocks)) {
            *acc = single::<D, PARTS>(row, weights);
        }
    }
}

/// Four rows by two columns: each part of the codes is cut out once and multiplied by four rows.
#[inline(always)]
fn tile<D: Dots<PARTS>, const PARTS: usize>(
    rows: &[[[u8; 16]; PARTS]],
    first: &[[u8; 16]],
    second: &[[u8; 16]],
) -> [[i32; 2]; 4] {
    let blocks = first.len();
    let row = |r: usize| &rows[r * blocks..][..blocks];
    let mut acc = [[i32x4_splat(0); 2]; 4];
    let x = row(0).iter().zip(row(1)).zip(row(2).iter().zip(row(3)));
    for ((first, second), ((x0, x1), (x2, x3))) in first.iter().zip(second).zip(x) {
        let codes = [u8x16_load(first), u8x16_load(second)];
        for j in 0..PARTS {
            let parts = [D::part(codes[0], j), D::part(codes[1], j)];
            for (acc, x) in acc.iter_mut().zip([x0, x1, x2, x3]) {
                let x = u8x16_load(&x[j]);
                acc[0] = D::dot(acc[0], x, parts[0]);
                acc[1] = D::dot(acc[1], x, parts[1]);
            }
        }
    }
    acc.map(|acc| acc.map(i32x4_sum))
}

/// One row by one column, an accumulator per part. A lane sums at most 2^14 dots of 2^15, so it stays below 2^30.
#[inline(always)]
fn single<D: Dots<PARTS>, const PARTS: usize>(row: &[[[u8; 16]; PARTS]], weights: &[[u8; 16]]) -> i32 {
    let mut acc = [i32x4_splat(0); PARTS];
    for (codes, x) in weights.iter().zip(row) {
        let codes = u8x16_load(codes);
        for j in 0..PARTS {
            acc[j] = D::dot(acc[j], u8x16_load(&x[j]), D::scaled(codes, j));
        }
    }
    // Every lane is a multiple of its scale.
    let mut sum = i32x4_splat(0);
    for (acc, shift) in acc.into_iter().zip(D::SHIFTS) {
        sum = i32x4_add(sum, i32x4_shr(acc, shift));
    }
    i32x4_sum(sum)
}
