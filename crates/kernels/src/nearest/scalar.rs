//! The specification on the layout of groups.

use super::LANES;

/// Calls `put(i, index)` for every vector of x.
pub(super) fn assign<const PRODUCTS: bool>(
    x: &[f32],
    groups: &[f32],
    dimension: usize,
    mut put: impl FnMut(usize, u32),
) {
    for (i, x) in x.chunks_exact(dimension).enumerate() {
        let (mut best, mut least) = (0, f32::INFINITY);
        for (g, group) in groups.chunks_exact((dimension + usize::from(PRODUCTS)) * LANES).enumerate() {
            for lane in 0..LANES {
                let mut centroid = group[lane..].iter().step_by(LANES);
                let distance = if PRODUCTS {
                    let half = *centroid.next().unwrap_or(&f32::INFINITY);
                    x.iter().zip(centroid).fold(half, |rest, (x, c)| rest - x * c)
                } else {
                    x.iter().zip(centroid).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c))
                };
                if distance < least {
                    (best, least) = (g * LANES + lane, distance);
                }
            }
        }
        put(i, best as u32);
    }
}
