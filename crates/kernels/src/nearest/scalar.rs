//! The specification: every distance, left off where it cannot become the least.

/// Numbers between two looks at the sum.
const PART: usize = 16;

/// The lowest index of the least distance, of `vectors [count, x.len()]` those that are `seen`; 0 where none is below infinity.
pub(super) fn nearest(x: &[f32], vectors: &[f32], mut seen: impl FnMut(usize) -> bool) -> u32 {
    let (mut best, mut least) = (0, f32::INFINITY);
    for (index, vector) in vectors.chunks_exact(x.len()).enumerate().filter(|&(index, _)| seen(index)) {
        let mut distance = 0.0;
        for (x, c) in x.chunks(PART).zip(vector.chunks(PART)) {
            distance = x.iter().zip(c).fold(distance, |sum, (x, c)| sum + (x - c) * (x - c));
            // It only grows.
            if distance >= least {
                break;
            }
        }
        if distance < least {
            (best, least) = (index as u32, distance);
        }
    }
    best
}
