//! The oracle: every distance, by the definition.

/// The lowest index of the least squared distance in f32; `centroids` is `[count, x.len()]`.
#[must_use]
pub fn nearest(x: &[f32], centroids: &[f32]) -> usize {
    let mut best = (0, f32::INFINITY);
    for (index, c) in centroids.chunks_exact(x.len()).enumerate() {
        let mut distance = 0.0;
        for (x, c) in x.iter().zip(c) {
            distance += (x - c) * (x - c);
        }
        if distance < best.1 {
            best = (index, distance);
        }
    }
    best.0
}
