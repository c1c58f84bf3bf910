//! Sixteen centroids in four vectors.

use super::{LANES, Metric};
use crate::v128::{V128, f32x4_add, f32x4_load, f32x4_mul, f32x4_splat, f32x4_store, f32x4_sub};

/// As `scalar::distances`.
pub(super) fn distances(metric: Metric, part: &[f32], group: &[f32], out: &mut [f32; LANES]) {
    let mut sums = [f32x4_splat(0.0); 4];
    let mut sum = |each: fn(V128, V128, V128) -> V128| {
        for (q, centroids) in part.iter().zip(group.as_chunks::<LANES>().0) {
            let q = f32x4_splat(*q);
            for (sum, c) in sums.iter_mut().zip(centroids.as_chunks::<4>().0) {
                *sum = each(*sum, q, f32x4_load(c));
            }
        }
    };
    match metric {
        Metric::L2 => sum(|sum, q, c| {
            let difference = f32x4_sub(q, c);
            f32x4_add(sum, f32x4_mul(difference, difference))
        }),
        Metric::InnerProduct => sum(|sum, q, c| f32x4_sub(sum, f32x4_mul(q, c))),
    }
    for (out, sum) in out.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
        f32x4_store(out, sum);
    }
}
