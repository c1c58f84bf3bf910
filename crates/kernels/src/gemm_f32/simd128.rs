//! Four output columns to a vector; a tile of eight accumulators stays in registers over the whole depth.
//!
//! Why columns: a vector along k would split each chain into four and change the result. The activation is broadcast instead, which
//! costs one load per row and position.

use super::Tile;
use super::blocked::STRIP;
use super::scalar::Scalar;
use crate::v128::{
    V128, f32x4_add, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_store, i32x4_shuffle,
};

/// 128-bit vectors.
pub(crate) struct Simd128;

impl Tile for Simd128 {
    const STRIPS: bool = true;

    fn interleave(x: &[f32], stride: usize, strip: &mut [f32]) {
        let (blocks, rest) = strip.as_chunks_mut::<{ 4 * STRIP }>();
        let whole = 4 * blocks.len();
        for (i, block) in blocks.iter_mut().enumerate() {
            let [a, b, c, d]: [V128; 4] = core::array::from_fn(|r| f32x4_load(&x[r * stride + 4 * i..]));
            // Transposed: rows of pairs, then columns of pairs.
            let (e, f) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
            let (g, h) = (i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
            f32x4_store(block, i32x4_shuffle::<0, 1, 4, 5>(e, g));
            f32x4_store(&mut block[4..], i32x4_shuffle::<2, 3, 6, 7>(e, g));
            f32x4_store(&mut block[8..], i32x4_shuffle::<0, 1, 4, 5>(f, h));
            f32x4_store(&mut block[12..], i32x4_shuffle::<2, 3, 6, 7>(f, h));
        }
        for (i, rest) in rest.chunks_exact_mut(STRIP).enumerate() {
            for (r, value) in rest.iter_mut().enumerate() {
                *value = x[r * stride + whole + i];
            }
        }
    }

    fn strip(strip: &[f32], panel: &[f32], width: usize, acc: &mut [f32]) {
        let (strip, _) = strip.as_chunks::<STRIP>();
        if width == 16 {
            tile::<16, 0>(strip, panel, acc);
            tile::<16, 8>(strip, panel, acc);
        } else {
            tile::<8, 0>(strip, panel, acc);
        }
    }

    fn row(x: &[f32], panel: &[f32], width: usize, acc: &mut [f32]) {
        if width == 16 {
            row::<16, 4>(x, panel, acc);
        } else {
            row::<8, 2>(x, panel, acc);
        }
    }

    fn finish(acc: &[f32], bias: &[f32], clamp: (f32, f32), out: &mut [f32]) {
        let (low, high) = (f32x4_splat(clamp.0), f32x4_splat(clamp.1));
        // pmax(y, low) is y < low ? low : y, which keeps a NaN.
        let whole = out.len() & !3;
        for at in (0..whole).step_by(4) {
            let y = f32x4_add(f32x4_load(&acc[at..]), f32x4_load(&bias[at..]));
            f32x4_store(&mut out[at..], f32x4_pmin(f32x4_pmax(y, low), high));
        }
        Scalar::finish(&acc[whole..], &bias[whole..], clamp, &mut out[whole..]);
    }
}

/// A strip by the 8 columns from `COLUMN` on of a panel of `WIDTH`.
#[inline(always)]
fn tile<const WIDTH: usize, const COLUMN: usize>(strip: &[[f32; STRIP]], panel: &[f32], acc: &mut [f32]) {
    let (acc, _) = acc.as_chunks_mut::<WIDTH>();
    let acc: &mut [[f32; WIDTH]; STRIP] = acc.first_chunk_mut().expect("four rows");
    let mut sums: [[V128; 2]; STRIP] =
        core::array::from_fn(|r| [f32x4_load(&acc[r][COLUMN..]), f32x4_load(&acc[r][COLUMN + 4..])]);
    let (panel, _) = panel.as_chunks::<WIDTH>();
    assert_eq!(strip.len(), panel.len());
    let mut panel = panel.iter();
    for x in strip {
        // Two iterators, each with a pointer of its own, and not `zip`, which counts positions and computes both addresses from the count: a tenth of the time.
        // SAFETY: there are as many weights as positions.
        let weights = unsafe { panel.next().unwrap_unchecked() };
        let weights = [f32x4_load(&weights[COLUMN..]), f32x4_load(&weights[COLUMN + 4..])];
        for (sums, &x) in sums.iter_mut().zip(x) {
            let x = f32x4_splat(x);
            sums[0] = f32x4_add(sums[0], f32x4_mul(x, weights[0]));
            sums[1] = f32x4_add(sums[1], f32x4_mul(x, weights[1]));
        }
    }
    for (acc, sums) in acc.iter_mut().zip(sums) {
        f32x4_store(&mut acc[COLUMN..], sums[0]);
        f32x4_store(&mut acc[COLUMN + 4..], sums[1]);
    }
}

/// One row by `WIDTH = 4 * NV` columns.
#[inline(always)]
fn row<const WIDTH: usize, const NV: usize>(x: &[f32], panel: &[f32], acc: &mut [f32]) {
    let acc: &mut [f32; WIDTH] = acc.first_chunk_mut().expect("a row of a panel");
    let mut sums: [V128; NV] = core::array::from_fn(|v| f32x4_load(&acc[4 * v..]));
    for (&x, weights) in x.iter().zip(panel.as_chunks::<WIDTH>().0) {
        let x = f32x4_splat(x);
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = f32x4_add(*sum, f32x4_mul(x, f32x4_load(&weights[4 * v..])));
        }
    }
    for (v, sum) in sums.into_iter().enumerate() {
        f32x4_store(&mut acc[4 * v..], sum);
    }
}
