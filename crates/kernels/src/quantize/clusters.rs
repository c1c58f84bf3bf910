//! The steps of k-means (Lloyd 1982) around the assignment, which is [`crate::nearest`]'s.

use super::OP;
use super::grouping::Grouping;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape};
use crate::nearest::Centroids;

/// The codes of single weights, each divided by the scale of its group first: the nearest of at most 256 centroids.
///
/// # Errors
/// As [`Centroids::assign`]; `Range` where the dimension is not 1.
pub fn nearest_scaled(
    centroids: &Centroids,
    grouping: &Grouping,
    x: &[f32],
    scale: &[f32],
    codes: &mut [u8],
) -> Result<()> {
    check_range(OP, What::Codebook, 1, 1, centroids.dimension() as i64)?;
    check_range(OP, What::Codebook, 1, 256, centroids.count() as i64)?;
    grouping.check(x.len(), &[scale.len()])?;
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    for ((x, codes), &scale) in grouping.split(x).zip(grouping.split_mut(codes)).zip(scale) {
        for (&x, code) in x.iter().zip(codes) {
            *code = centroids.nearest_value(x / scale) as u8;
        }
    }
    Ok(())
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

/// The lowest position of the sub-vector that is farthest from the one its code names, by the distance of [`Centroids`]; 0 where there is none.
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
