//! The specification of the search.

use super::nearest::Search;

/// Plain Rust.
pub(super) struct Scalar;

impl Search for Scalar {
    fn nearest(x: &[f32], levels: &[f32], padded: usize) -> u8 {
        let (mut best, mut least) = (0, f32::INFINITY);
        for level in 0..padded {
            let vector = levels[level..].iter().step_by(padded);
            let distance = x.iter().zip(vector).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c));
            if distance < least {
                (best, least) = (level, distance);
            }
        }
        best as u8
    }
}
