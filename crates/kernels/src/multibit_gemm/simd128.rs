//! The end in vectors of four columns, four of them at a time; what is left of a row goes through the scalar form, which rounds alike.

use super::{Output, scalar};
use crate::v128::{
    f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_store,
    i32x4_load,
};

/// As [`scalar::combine`], all columns.
pub(super) fn combine(output: &Output, sums: &[i32], pitch: usize, beta: &[f32], y: &mut [f32]) {
    let mut first = 0;
    for y in y.chunks_exact_mut(16) {
        columns::<4>(output, sums, pitch, beta, first, y);
        first += 16;
    }
    for y in y[first..].chunks_exact_mut(4) {
        columns::<1>(output, sums, pitch, beta, first, y);
        first += 4;
    }
    scalar::combine(output, sums, pitch, beta, first, &mut y[first..]);
}

/// The `4 V` columns from `first` on.
#[inline(always)]
fn columns<const V: usize>(
    output: &Output,
    sums: &[i32],
    pitch: usize,
    beta: &[f32],
    first: usize,
    y: &mut [f32],
) {
    let n = output.bias.len();
    let gamma = f32x4_splat(beta[beta.len() - 1]);
    let mut total = [f32x4_splat(0.0); V];
    for at in (first..output.alpha.len()).step_by(n) {
        let mut s = [f32x4_splat(0.0); V];
        for (sums, beta) in sums.chunks_exact(pitch).zip(beta) {
            let beta = f32x4_splat(*beta);
            for (s, sums) in s.iter_mut().zip(sums[at..at + 4 * V].as_chunks::<4>().0) {
                *s = f32x4_add(*s, f32x4_mul(f32x4_convert_i32x4(i32x4_load(sums)), beta));
            }
        }
        let weights = output.weight_sums[at..at + 4 * V].as_chunks::<4>().0;
        let alpha = output.alpha[at..at + 4 * V].as_chunks::<4>().0;
        for (((total, s), weights), alpha) in total.iter_mut().zip(s).zip(weights).zip(alpha) {
            let s = f32x4_add(s, f32x4_mul(f32x4_load(weights), gamma));
            *total = f32x4_add(*total, f32x4_mul(s, f32x4_load(alpha)));
        }
    }
    let (low, high) = (f32x4_splat(output.clamp[0]), f32x4_splat(output.clamp[1]));
    let bias = output.bias[first..first + 4 * V].as_chunks::<4>().0;
    for ((y, total), bias) in y.as_chunks_mut::<4>().0.iter_mut().zip(total).zip(bias) {
        let v = f32x4_add(total, f32x4_load(bias));
        f32x4_store(y, f32x4_pmin(f32x4_pmax(v, low), high));
    }
}
