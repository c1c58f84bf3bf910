//! What an index does to vectors before and beside its scans: norms, cosine, bytes, codes of product quantization, centroids.
//!
//! Once per vector that is added, in plain Rust but for the search of the nearest centroids ([`crate::nearest`]).

use crate::buffer::Buffer;
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::nearest::Centroids;
use crate::tier::Tier;

mod anisotropic;

pub use anisotropic::{Anisotropic, MAX_PART};

const OP: Op = Op::Vectors;

/// The largest |x|² that is taken: scores and their partial sums stay finite.
const MOST: f64 = 1e36;

/// Rows whose parts are gathered together.
const BLOCK: usize = 256;

fn rows_of(x: usize, dimension: usize) -> Result<usize> {
    check_range(OP, What::Depth, 1, 1 << 16, dimension as i64)?;
    check_shape(OP, What::Length, x / dimension * dimension, x)?;
    Ok(x / dimension)
}

/// Refuses an assignment to one that there is not.
fn check_centroid(count: usize, to: u32) -> Result<()> {
    check_range(OP, What::Ids, 0, count as i64 - 1, i64::from(to))
}

fn squares(row: &[f32]) -> f64 {
    row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
}

/// The first row of `x [n, D]` with a value that is not finite or with |x|² above 1e36; n where there is none.
///
/// Refuses D outside of 1 to 2^16 and a length that is no multiple of it, as all functions here do.
pub fn first_unusable(x: &[f32], dimension: usize) -> Result<usize> {
    let n = rows_of(x.len(), dimension)?;
    let usable = |row: &[f32]| squares(row) <= MOST;
    // A NaN is not below either.
    Ok(x.chunks_exact(dimension).position(|row| !usable(row)).unwrap_or(n))
}

/// Divides each row by its length; a row of zeros stays.
pub fn normalize(x: &mut [f32], dimension: usize) -> Result<()> {
    rows_of(x.len(), dimension)?;
    for row in x.chunks_exact_mut(dimension) {
        let length = squares(row).sqrt();
        if length > 0.0 {
            for x in row {
                *x = (f64::from(*x) / length) as f32;
            }
        }
    }
    Ok(())
}

/// Bytes of each row: `code = round(x / scale)`, ties to even, with `scale = max|x| / 127`; scale 0 and codes 0 for a row of zeros.
///
/// - `codes`: `[n, D]`, `scales`: `[n]`
pub fn to_bytes(x: &[f32], dimension: usize, codes: &mut [i8], scales: &mut [f32]) -> Result<()> {
    let n = rows_of(x.len(), dimension)?;
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    check_shape(OP, What::Scale, n, scales.len())?;
    let rows = x.chunks_exact(dimension).zip(codes.chunks_exact_mut(dimension)).zip(scales);
    for ((row, codes), scale) in rows {
        let most = row.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        *scale = most / 127.0;
        // Where the scale is denormal, 1 / scale may be infinite: divide.
        let code =
            |x: f32| if *scale > 0.0 { (x / *scale).round_ties_even().clamp(-127.0, 127.0) } else { 0.0 };
        for (x, to) in row.iter().zip(codes) {
            *to = code(*x) as i8;
        }
    }
    Ok(())
}

/// Codes of product quantization: for each row of `x [n, M d]` and each part m the nearest of the K centroids of `codebooks [M, K, d]`, the lowest of equal ones.
///
/// - `codes`: `[n, M]`, or `[n, ceil(M / 2)]` with `four`, code m in the low (m even) or high half of byte m / 2
///
/// Refuses K outside of 1 to 256 (16 with `four`), and lengths that do not fit.
pub fn pq_encode(
    tier: Tier,
    x: &[f32],
    codebooks: &[f32],
    subspaces: usize,
    dimension: usize,
    four: bool,
    codes: &mut [u8],
) -> Result<()> {
    let whole = checked_area(OP, subspaces, dimension)?;
    let n = rows_of(x.len(), whole)?;
    let entries = codebooks.len() / whole;
    check_range(OP, What::Codebook, 1, if four { 16 } else { 256 }, entries as i64)?;
    check_shape(OP, What::Codebook, checked_area(OP, entries, whole)?, codebooks.len())?;
    let row = if four { subspaces.div_ceil(2) } else { subspaces };
    check_shape(OP, What::Codes, checked_area(OP, n, row)?, codes.len())?;
    codes.fill(0);
    let mut part = Buffer::<f32>::zeroed(OP, BLOCK * dimension)?;
    let mut nearest = Buffer::<u8>::zeroed(OP, BLOCK)?;
    for (m, codebook) in codebooks.chunks_exact(entries * dimension).enumerate() {
        let centroids = Centroids::new(tier, codebook, dimension)?;
        for (x, codes) in x.chunks(BLOCK * whole).zip(codes.chunks_mut(BLOCK * row)) {
            let count = x.len() / whole;
            for (x, part) in x.chunks_exact(whole).zip(part.chunks_exact_mut(dimension)) {
                part.copy_from_slice(&x[m * dimension..][..dimension]);
            }
            centroids.assign(&part[..count * dimension], &mut nearest[..count])?;
            for (codes, nearest) in codes.chunks_exact_mut(row).zip(nearest.iter()) {
                if four {
                    codes[m / 2] |= nearest << (m % 2 * 4);
                } else {
                    codes[m] = *nearest;
                }
            }
        }
    }
    Ok(())
}

/// Codes `[n, M]` of 4 bits two to a byte, `rows [n, ceil(M / 2)]`, as [`pq_encode`] writes them with `four`.
///
/// Refuses lengths that do not fit; of codes above 15 the low bits count.
pub fn pack_halves(codes: &[u8], subspaces: usize, rows: &mut [u8]) -> Result<()> {
    check_range(OP, What::Subspaces, 1, 1 << 16, subspaces as i64)?;
    check_shape(OP, What::Codes, 0, codes.len() % subspaces)?;
    let row = subspaces.div_ceil(2);
    check_shape(OP, What::Codes, checked_area(OP, codes.len() / subspaces, row)?, rows.len())?;
    for (codes, row) in codes.chunks_exact(subspaces).zip(rows.chunks_exact_mut(row)) {
        for (pair, to) in codes.chunks(2).zip(row) {
            *to = pair[0] & 15 | pair.get(1).map_or(0, |code| code << 4);
        }
    }
    Ok(())
}

/// The means of the rows of `x [n, D]` that are assigned to each of the centroids `[K, D]`, sums in f64 over ascending rows, and how many there are; a centroid without rows stays.
///
/// Refuses lengths that do not fit, and an assignment to a centroid that there is not.
pub fn means(
    x: &[f32],
    dimension: usize,
    assigned: &[u32],
    centroids: &mut [f32],
    counts: &mut [u32],
) -> Result<()> {
    let n = rows_of(x.len(), dimension)?;
    check_shape(OP, What::Ids, n, assigned.len())?;
    check_shape(OP, What::Codebook, checked_area(OP, counts.len(), dimension)?, centroids.len())?;
    counts.fill(0);
    let mut sums = Buffer::<f64>::zeroed(OP, centroids.len())?;
    for (row, &to) in x.chunks_exact(dimension).zip(assigned) {
        check_centroid(counts.len(), to)?;
        counts[to as usize] += 1;
        for (sum, x) in sums[to as usize * dimension..][..dimension].iter_mut().zip(row) {
            *sum += f64::from(*x);
        }
    }
    let each = centroids.chunks_exact_mut(dimension).zip(sums.chunks_exact(dimension)).zip(counts);
    for ((centroid, sums), count) in each {
        if *count > 0 {
            for (centroid, sum) in centroid.iter_mut().zip(sums) {
                *centroid = (sum / f64::from(*count)) as f32;
            }
        }
    }
    Ok(())
}

/// Subtracts from each row of `x [n, D]` the centroid that it is assigned to.
///
/// Refuses what [`means`] refuses.
pub fn subtract(x: &mut [f32], dimension: usize, assigned: &[u32], centroids: &[f32]) -> Result<()> {
    let n = rows_of(x.len(), dimension)?;
    check_shape(OP, What::Ids, n, assigned.len())?;
    for (row, &to) in x.chunks_exact_mut(dimension).zip(assigned) {
        check_centroid(centroids.len() / dimension, to)?;
        for (x, c) in row.iter_mut().zip(&centroids[to as usize * dimension..]) {
            *x -= c;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
