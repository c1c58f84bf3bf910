//! The steps of k-means (Lloyd 1982) around the assignment, which is [`crate::nearest`]'s.

use super::OP;
use super::grouping::Grouping;
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::nearest::Centroids;
use crate::tier::Tier;

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
    check_codes(x, codes, dimension, counts.len() * dimension)?;
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

/// What a pass of Lloyd's algorithm found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LloydPass {
    /// Sum over clusters of n |mean|², in f64: what the error is less than the sum of squares.
    pub explained: f64,
    /// The first cluster without a member.
    pub empty: Option<usize>,
    /// Whether a centroid has other bits than before.
    pub moved: bool,
}

/// One pass: each vector of `x [codes, dimension]` to its nearest of at most 256 `centroids`, then each centroid to the mean of its members, summed in f64 over
/// ascending position; one without members stays. The codes are those from before the move.
///
/// # Errors
/// As [`Centroids::new`] and [`Centroids::assign`].
pub fn lloyd_pass(
    tier: Tier,
    x: &[f32],
    dimension: usize,
    centroids: &mut [f32],
    codes: &mut [u8],
) -> Result<LloydPass> {
    Centroids::new(tier, centroids, dimension)?.assign(x, codes)?;
    let mut sums = Buffer::<f64>::zeroed(OP, centroids.len())?;
    let mut counts = [0_u32; 256];
    for (x, &code) in x.chunks_exact(dimension).zip(&*codes) {
        counts[usize::from(code)] += 1;
        for (sum, &x) in sums[usize::from(code) * dimension..][..dimension].iter_mut().zip(x) {
            *sum += f64::from(x);
        }
    }
    let clusters = centroids.len() / dimension;
    let empty = counts[..clusters].iter().position(|&count| count == 0);
    let mut pass = LloydPass { explained: 0.0, empty, moved: false };
    for ((centroid, sums), &count) in
        centroids.chunks_exact_mut(dimension).zip(sums.chunks_exact(dimension)).zip(&counts)
    {
        if count == 0 {
            continue;
        }
        for (value, sum) in centroid.iter_mut().zip(sums) {
            pass.explained += sum * sum / f64::from(count);
            let mean = (sum / f64::from(count)) as f32;
            pass.moved |= mean.to_bits() != value.to_bits();
            *value = mean;
        }
    }
    Ok(pass)
}

/// Moves centroid `empty` to the vector that is farthest from the one its code names (the lowest position of equal ones), by the distance of [`Centroids`];
/// false, and nothing moved, where every vector lies on its own.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where a code or `empty` names no centroid.
pub fn refill(
    x: &[f32],
    codes: &[u8],
    centroids: &mut [f32],
    dimension: usize,
    empty: usize,
) -> Result<bool> {
    check_codes(x, codes, dimension, centroids.len())?;
    check_range(OP, What::Code, 0, (centroids.len() / dimension) as i64 - 1, empty as i64)?;
    let (mut farthest, mut most) = (&[][..], 0.0);
    for (x, &code) in x.chunks_exact(dimension).zip(codes) {
        let own = &centroids[usize::from(code) * dimension..][..dimension];
        let distance = x.iter().zip(own).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c));
        if distance > most {
            (farthest, most) = (x, distance);
        }
    }
    if farthest.is_empty() {
        return Ok(false);
    }
    centroids[empty * dimension..][..dimension].copy_from_slice(farthest);
    Ok(true)
}

/// `distances[i] = min(distances[i], |x_i - x_chosen|²)` for vectors that stand in columns, `x [dimension, distances]`: each a chain over the dimensions in f32.
///
/// # Errors
/// `Shape` where `x` is no whole number of rows, `Range` where `chosen` is none of them.
pub fn nearer(x: &[f32], chosen: usize, distances: &mut [f32]) -> Result<()> {
    let count = distances.len();
    check_range(OP, What::Rows, 0, count as i64 - 1, chosen as i64)?;
    check_shape(OP, What::Length, 0, x.len() % count)?;
    let mut fresh = Buffer::<f32>::zeroed(OP, count)?;
    for row in x.chunks_exact(count) {
        let from = row[chosen];
        for (sum, x) in fresh.iter_mut().zip(row) {
            *sum += (x - from) * (x - from);
        }
    }
    for (distance, &fresh) in distances.iter_mut().zip(&*fresh) {
        *distance = if fresh < *distance { fresh } else { *distance };
    }
    Ok(())
}

/// Runs of `length` floats that begin at `starts`, one after another.
///
/// # Errors
/// `Shape` where `y` does not have its length, `Range` where a run ends beyond `x`.
pub fn take(x: &[f32], starts: &[u32], length: usize, y: &mut [f32]) -> Result<()> {
    check_range(OP, What::Length, 1, x.len() as i64, length as i64)?;
    check_shape(OP, What::Length, checked_area(OP, starts.len(), length)?, y.len())?;
    for (&start, y) in starts.iter().zip(y.chunks_exact_mut(length)) {
        check_range(OP, What::Length, 0, (x.len() - length) as i64, i64::from(start))?;
        y.copy_from_slice(&x[start as usize..][..length]);
    }
    Ok(())
}

/// Every `step`th number of such runs, as columns: `y [length / step rounded up, starts]`.
///
/// # Errors
/// As [`take`]; `Range` where the step is 0.
pub fn take_columns(x: &[f32], starts: &[u32], length: usize, step: usize, y: &mut [f32]) -> Result<()> {
    check_range(OP, What::Length, 1, x.len() as i64, length as i64)?;
    check_range(OP, What::Stride, 1, i64::MAX, step as i64)?;
    check_shape(OP, What::Length, checked_area(OP, starts.len(), length.div_ceil(step))?, y.len())?;
    for (column, &start) in starts.iter().enumerate() {
        check_range(OP, What::Length, 0, (x.len() - length) as i64, i64::from(start))?;
        let cells = y[column..].iter_mut().step_by(starts.len());
        for (y, &x) in cells.zip(x[start as usize..][..length].iter().step_by(step)) {
            *y = x;
        }
    }
    Ok(())
}

/// `x -= codebook[code]`, vector by vector, each difference rounded to f32: what a stage of residual quantization leaves to the next.
///
/// # Errors
/// As [`refill`].
pub fn subtract(x: &mut [f32], codes: &[u8], codebook: &[f32], dimension: usize) -> Result<()> {
    check_codes(x, codes, dimension, codebook.len())?;
    for (x, &code) in x.chunks_exact_mut(dimension).zip(codes) {
        for (x, c) in x.iter_mut().zip(&codebook[usize::from(code) * dimension..]) {
            *x -= c;
        }
    }
    Ok(())
}

fn check_codes(x: &[f32], codes: &[u8], dimension: usize, codebook: usize) -> Result<()> {
    check_range(OP, What::Codebook, 1, i64::MAX, dimension as i64)?;
    check_shape(OP, What::Length, codes.len().saturating_mul(dimension), x.len())?;
    let clusters = codebook / dimension;
    match codes.iter().find(|&&code| usize::from(code) >= clusters) {
        None => Ok(()),
        Some(&code) => {
            Err(KernelError::new(ErrorCode::Range, OP, What::Code, clusters as i64 - 1, i64::from(code)))
        }
    }
}
