//! Tiles of four rows by two columns, generic over how a block of 64 codes is multiplied.

use core::array;

use super::QUAD;
use crate::turns::{PLACES, quarter};
use crate::v128::{V128, i32x4_splat, i32x4_store, i32x4_sums, u8x16_load, u16x8_shr, v128_and};

/// A block of four columns.
pub(super) type Quad = [[u8; 16]; QUAD];

/// How the codes of a block meet activations in `PARTS` dots.
pub(super) trait Dots<const PARTS: usize> {
    /// Blocks after which the accumulators of a tile are emptied into int32 sums.
    const BLOCKS: usize;

    /// 3 in every lane.
    fn mask() -> V128;

    /// `acc` plus sums of products, in any lanes.
    fn dot(acc: V128, x: V128, codes: V128) -> V128;

    /// int32 `sums` plus the lanes of an accumulator.
    fn widen(sums: V128, acc: V128) -> V128;

    /// One row by up to four quads of columns that lie apart: four sums each.
    fn single(row: &[[[u8; 16]; PARTS]], quads: &[&[Quad]]) -> [V128; PLACES];
}

/// Part `j` of the codes: 0..=2 in every lane of the mask.
#[inline(always)]
pub(super) fn part(codes: V128, j: usize, mask: V128) -> V128 {
    v128_and(u16x8_shr(codes, 2 * j as u32), mask)
}

/// [`super::Kernel::products`] for any dots. A quad of columns meets all rows before the next one is read.
///
/// Single rows take four quads at a time, one from each quarter of the matrix: see `turns.rs`. Neighbouring columns would ask one page for four places, which the
/// prefetchers of processors take for no pattern at all.
pub(super) fn products<D: Dots<PARTS>, const PARTS: usize>(
    rows: &[[u8; 16]],
    weights: &[[u8; 16]],
    blocks: usize,
    acc: &mut [i32],
    pitch: usize,
) {
    let rows = rows.as_chunks::<PARTS>().0;
    let quads = weights.as_chunks::<QUAD>().0;
    let count = quads.len() / blocks;
    let quad = |q: usize| &quads[q * blocks..][..blocks];
    let row = |r: usize| &rows[r * blocks..][..blocks];
    let (quarter, tiled) = (quarter(count), acc.len() / pitch / 4 * 4);
    for first in 0..quarter {
        let all: [usize; PLACES] = array::from_fn(|place| first + place * quarter);
        let together = &all[..all.partition_point(|q| *q < count)];
        for &q in together {
            for r in (0..tiled).step_by(4) {
                let x = [row(r), row(r + 1), row(r + 2), row(r + 3)];
                let [low, high] = [0, 1].map(|half| tile::<D, PARTS>(x, quad(q), half));
                for (r, (low, high)) in (r..).zip(low.into_iter().zip(high)) {
                    i32x4_store(
                        &mut acc[r * pitch + q * QUAD..],
                        i32x4_sums([low[0], low[1], high[0], high[1]]),
                    );
                }
            }
        }
        let weights = all.map(|q| if q < count { quad(q) } else { &[] });
        for r in tiled..acc.len() / pitch {
            let sums = D::single(row(r), &weights[..together.len()]);
            for (&q, sums) in together.iter().zip(sums) {
                i32x4_store(&mut acc[r * pitch + q * QUAD..], sums);
            }
        }
    }
}

/// Four rows by columns `2 * half` and the next: each part of the codes is cut out once and multiplied by four rows.
#[inline(never)]
fn tile<D: Dots<PARTS>, const PARTS: usize>(
    rows: [&[[[u8; 16]; PARTS]]; 4],
    quad: &[Quad],
    half: usize,
) -> [[V128; 2]; 4] {
    let mask = D::mask();
    let mut sums = [[i32x4_splat(0); 2]; 4];
    for (at, quad) in quad.chunks(D::BLOCKS).enumerate() {
        let rows = rows.map(|row| &row[at * D::BLOCKS..][..quad.len()]);
        let mut acc = [[i32x4_splat(0); 2]; 4];
        for (at, columns) in quad.iter().enumerate() {
            let [a, b] = &columns.as_chunks::<2>().0[half];
            let codes = [u8x16_load(a), u8x16_load(b)];
            for j in 0..PARTS {
                let parts = codes.map(|codes| part(codes, j, mask));
                for (acc, row) in acc.iter_mut().zip(rows) {
                    let x = u8x16_load(&row[at][j]);
                    acc[0] = D::dot(acc[0], x, parts[0]);
                    acc[1] = D::dot(acc[1], x, parts[1]);
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            *sums = [D::widen(sums[0], acc[0]), D::widen(sums[1], acc[1])];
        }
    }
    sums
}
