//! Vector quantization: the nearest codebook vector, and the sums of a k-means step (Lloyd 1982).

use super::OP;
use super::grouping::Grouping;
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape};
use crate::tier::Tier;

/// Levels of the transposed codebook are padded to a multiple of this.
pub(super) const LANES: usize = 4;

/// The search of a tier.
pub(super) trait Search {
    /// The lowest index of the least `distance(x, level)`; 0 where none is below infinity. `levels` is `[x.len()][padded]`, padded with infinity.
    fn nearest(x: &[f32], levels: &[f32], padded: usize) -> u8;
}

/// Up to 256 vectors of `dimension` floats.
pub struct Codebook {
    /// `[dimension][padded]`
    transposed: Buffer<f32>,
    padded: usize,
    dimension: usize,
    tier: Tier,
}

impl Codebook {
    /// `vectors` is `[levels, dimension]`, 1..=256 levels.
    ///
    /// # Errors
    /// `Range` where a size is out of range, `Shape` where the length is not a multiple of the dimension, `Memory`.
    pub fn new(tier: Tier, vectors: &[f32], dimension: usize) -> Result<Self> {
        check_range(OP, What::Codebook, 1, i64::MAX, dimension as i64)?;
        check_shape(OP, What::Codebook, 0, vectors.len() % dimension)?;
        let levels = vectors.len() / dimension;
        check_range(OP, What::Codebook, 1, 256, levels as i64)?;
        let padded = levels.next_multiple_of(LANES);
        let mut transposed = Buffer::zeroed(OP, padded * dimension)?;
        transposed.fill(f32::INFINITY);
        for (i, &value) in vectors.iter().enumerate() {
            transposed[i % dimension * padded + i / dimension] = value;
        }
        Ok(Self { transposed, padded, dimension, tier })
    }

    /// The code of each sub-vector of `x`: the lowest index of the least `((0 + (x_0 - c_0)²) + (x_1 - c_1)²) + ...` in f32.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn nearest(&self, x: &[f32], codes: &mut [u8]) -> Result<()> {
        check_shape(OP, What::Length, 0, x.len() % self.dimension)?;
        check_shape(OP, What::Codes, x.len() / self.dimension, codes.len())?;
        for (x, code) in x.chunks_exact(self.dimension).zip(codes) {
            *code = self.search(x);
        }
        Ok(())
    }

    /// As [`Self::nearest`] for single weights, each divided by the scale of its group first.
    ///
    /// # Errors
    /// As [`Self::nearest`]; `Range` where the dimension is not 1.
    pub fn nearest_scaled(
        &self,
        grouping: &Grouping,
        x: &[f32],
        scale: &[f32],
        codes: &mut [u8],
    ) -> Result<()> {
        check_range(OP, What::Codebook, 1, 1, self.dimension as i64)?;
        grouping.check(x.len(), &[scale.len()])?;
        check_shape(OP, What::Codes, x.len(), codes.len())?;
        for ((x, codes), &scale) in grouping.split(x).zip(grouping.split_mut(codes)).zip(scale) {
            for (&x, code) in x.iter().zip(codes) {
                *code = self.search(&[x / scale]);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn search(&self, x: &[f32]) -> u8 {
        match self.tier.effective() {
            Tier::Scalar => super::scalar::Scalar::nearest(x, &self.transposed, self.padded),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => super::simd128::Simd128::nearest(x, &self.transposed, self.padded),
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier above the build's"),
        }
    }
}

/// Per cluster, the f64 sum of its sub-vectors over ascending position (`sums [clusters, dimension]`) and their number.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where a code names no cluster.
pub fn cluster_sums(
    x: &[f32],
    codes: &[u8],
    dimension: usize,
    sums: &mut [f64],
    counts: &mut [u32],
) -> Result<()> {
    check_codes(x, codes, dimension, counts.len())?;
    check_shape(OP, What::Length, counts.len() * dimension, sums.len())?;
    sums.fill(0.0);
    counts.fill(0);
    for (x, &code) in x.chunks_exact(dimension).zip(codes) {
        counts[usize::from(code)] += 1;
        for (sum, &x) in sums[usize::from(code) * dimension..][..dimension].iter_mut().zip(x) {
            *sum += f64::from(x);
        }
    }
    Ok(())
}

/// The lowest position of the sub-vector that is farthest from the one its code names, by the distance of [`Codebook::nearest`]; 0 where there is none.
///
/// # Errors
/// As [`cluster_sums`].
pub fn farthest(x: &[f32], codes: &[u8], codebook: &[f32], dimension: usize) -> Result<usize> {
    check_range(OP, What::Codebook, 1, i64::MAX, dimension as i64)?;
    check_codes(x, codes, dimension, codebook.len() / dimension)?;
    let (mut best, mut most) = (0, -1.0);
    for (position, (x, &code)) in x.chunks_exact(dimension).zip(codes).enumerate() {
        let vector = &codebook[usize::from(code) * dimension..][..dimension];
        let distance = x.iter().zip(vector).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c));
        if distance > most {
            (best, most) = (position, distance);
        }
    }
    Ok(best)
}

fn check_codes(x: &[f32], codes: &[u8], dimension: usize, clusters: usize) -> Result<()> {
    check_range(OP, What::Codebook, 1, i64::MAX, dimension as i64)?;
    check_shape(OP, What::Length, codes.len().saturating_mul(dimension), x.len())?;
    match codes.iter().find(|&&code| usize::from(code) >= clusters) {
        None => Ok(()),
        Some(&code) => {
            Err(KernelError::new(ErrorCode::Range, OP, What::Code, clusters as i64 - 1, i64::from(code)))
        }
    }
}
