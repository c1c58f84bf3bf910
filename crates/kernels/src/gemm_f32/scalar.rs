//! The specification on packed data: one chain per output element.

use super::Tile;

/// Columns whose sums are kept in registers.
const LANES: usize = 8;

/// Plain Rust.
pub(crate) struct Scalar;

impl Tile for Scalar {
    const STRIPS: bool = false;

    fn interleave(_: &[f32], _: usize, _: &mut [f32]) {
        unreachable!("this tier goes row by row");
    }

    fn strip(_: &[f32], _: &[f32], _: usize, _: &mut [f32]) {
        unreachable!("this tier goes row by row");
    }

    fn row(x: &[f32], panel: &[f32], width: usize, acc: &mut [f32]) {
        for (block, acc) in acc.chunks_exact_mut(LANES).enumerate() {
            let mut sums = [0.0f32; LANES];
            sums.copy_from_slice(acc);
            for (&a, weights) in x.iter().zip(panel.chunks_exact(width)) {
                let weights = &weights[block * LANES..][..LANES];
                for (sum, &w) in sums.iter_mut().zip(weights) {
                    *sum += a * w;
                }
            }
            acc.copy_from_slice(&sums);
        }
    }

    fn finish(acc: &[f32], bias: &[f32], clamp: (f32, f32), out: &mut [f32]) {
        for ((out, &acc), &bias) in out.iter_mut().zip(acc).zip(bias) {
            let y = acc + bias;
            // A NaN fails both comparisons and so stays.
            let y = if y < clamp.0 { clamp.0 } else { y };
            *out = if clamp.1 < y { clamp.1 } else { y };
        }
    }
}
