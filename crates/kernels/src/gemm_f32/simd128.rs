//! Four output columns to a vector; a tile of eight accumulators stays in registers over the whole depth.
//!
//! Why columns: a vector along k would split each chain into four and change the result. The activation is broadcast instead, which
//! costs one load per row and position.

use super::Tile;
use super::scalar::Scalar;
use crate::v128::{V128, f32x4_add, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_store};

/// 128-bit vectors.
pub(crate) struct Simd128;

impl Tile for Simd128 {
    fn accumulate(x: &[f32], stride: usize, panel: &[f32], width: usize, acc: &mut [f32]) {
        let depth = panel.len() / width;
        let rows = acc.len() / width;
        let row = |r: usize| &x[r * stride..][..depth];
        let mut at = 0;
        if width == 16 {
            while at + 2 <= rows {
                tile::<2, 4>([row(at), row(at + 1)], panel, &mut acc[at * 16..][..32]);
                at += 2;
            }
            if at < rows {
                tile::<1, 4>([row(at)], panel, &mut acc[at * 16..][..16]);
            }
        } else {
            while at + 4 <= rows {
                let x = [row(at), row(at + 1), row(at + 2), row(at + 3)];
                tile::<4, 2>(x, panel, &mut acc[at * 8..][..32]);
                at += 4;
            }
            while at < rows {
                tile::<1, 2>([row(at)], panel, &mut acc[at * 8..][..8]);
                at += 1;
            }
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

/// `MR` rows by `4 * NV` columns.
#[inline(always)]
fn tile<const MR: usize, const NV: usize>(x: [&[f32]; MR], panel: &[f32], acc: &mut [f32]) {
    let mut sums = [[f32x4_splat(0.0); NV]; MR];
    for (r, sums) in sums.iter_mut().enumerate() {
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = f32x4_load(&acc[(r * NV + v) * 4..]);
        }
    }
    for (position, weights) in panel.chunks_exact(4 * NV).enumerate() {
        let weights: [V128; NV] = core::array::from_fn(|v| f32x4_load(&weights[4 * v..]));
        for (x, sums) in x.iter().zip(&mut sums) {
            let a = f32x4_splat(x[position]);
            for (sum, &w) in sums.iter_mut().zip(&weights) {
                *sum = f32x4_add(*sum, f32x4_mul(a, w));
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (v, &sum) in sums.iter().enumerate() {
            f32x4_store(&mut acc[(r * NV + v) * 4..], sum);
        }
    }
}
