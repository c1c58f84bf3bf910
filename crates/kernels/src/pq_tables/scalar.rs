//! One centroid at a time: the specification.

use super::{LANES, Metric};

/// Distances between a part of a query `[d]` and 16 centroids `[d][16]`.
pub(super) fn distances(metric: Metric, part: &[f32], group: &[f32]) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (q, centroids) in part.iter().zip(group.as_chunks::<LANES>().0) {
        for (sum, c) in sums.iter_mut().zip(centroids) {
            match metric {
                Metric::L2 => *sum += (q - c) * (q - c),
                Metric::InnerProduct => *sum -= q * c,
            }
        }
    }
    sums
}
