//! From vectors to codes: the t of B bits whose direction is nearest, sought among uniform grids.
//!
//! Of one bit it is the sign. Of more, t follows from the step of a grid, t[j] = floor(o[j] / step) + 1/2 within ±(2^(B-1) - 1/2), and the best step is sought from the one that is
//! best for normal numbers: over multiples of it, then by three turns of "the best factor for t, t for that factor", which never make it worse. The paper walks every
//! step at which t changes, 2^B D / 2 of them, for some 0.1 % of cosine more.

use super::{OP, check_sizes, part_bytes, parts, row_bytes};
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_finite, check_shape, checked_area};

/// Steps of the uniform grid of 2^B levels with the least squared error on normal numbers (Max 1960), B = 2 to 8.
const STEPS: [f64; 7] = [0.9957, 0.5860, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308];

/// Multiples of it that are tried, in eighths.
const EIGHTHS: core::ops::RangeInclusive<u32> = 5..=13;

const TURNS: usize = 3;

/// Writes codes and factors of `x [n, D]`, rotated and less their centroids.
///
/// - `codes`: `[n, row_bytes(D, B)]`
/// - `factors`: `[n, 2]`: |o|², f; both 0 for a vector of zeros
///
/// Refuses sizes out of range, lengths that do not fit, values that are not finite, and a vector whose |o|² does not fit f32.
pub fn encode(x: &[f32], dimension: usize, bits: usize, codes: &mut [u8], factors: &mut [f32]) -> Result<()> {
    check_sizes(dimension, bits)?;
    let n = x.len() / dimension;
    let row = row_bytes(dimension, bits);
    check_shape(OP, What::Length, checked_area(OP, n, dimension)?, x.len())?;
    check_shape(OP, What::Codes, checked_area(OP, n, row)?, codes.len())?;
    check_shape(OP, What::Scale, checked_area(OP, n, 2)?, factors.len())?;
    check_finite(OP, x)?;
    let mut levels = Buffer::<u8>::zeroed(OP, dimension)?;
    let rows = x.chunks_exact(dimension).zip(codes.chunks_exact_mut(row));
    for (i, ((o, code), factors)) in rows.zip(factors.as_chunks_mut::<2>().0).enumerate() {
        let norm: f64 = o.iter().map(|o| f64::from(*o) * f64::from(*o)).sum();
        if norm > f64::from(f32::MAX / 16.0) {
            return Err(KernelError::new(ErrorCode::Range, OP, What::Sum, i64::MAX, i as i64));
        }
        let levels = &mut levels[..];
        let product = nearest(o, bits, norm, levels);
        *factors = [norm as f32, if product > 0.0 { (norm / product) as f32 } else { 0.0 }];
        pack(levels, bits, code);
    }
    Ok(())
}

/// The error of f <t, q> over |o| |q|, one standard deviation over random rotations: √((1/c² - 1) / (D - 1)). 0 for D = 1 and for a vector of zeros.
pub fn relative_error(row: &[u8], [norm, factor]: [f32; 2], dimension: usize, bits: usize) -> f32 {
    if norm == 0.0 || dimension == 1 {
        return 0.0;
    }
    let middle = f64::from((1_u32 << bits) - 1) / 2.0;
    let squares: f64 =
        (0..dimension).map(|j| (f64::from(level(row, dimension, bits, j)) - middle).powi(2)).sum();
    // c = |o| / (f |t|)
    let inverse = f64::from(factor).powi(2) * squares / f64::from(norm);
    ((inverse - 1.0).max(0.0) / (dimension - 1) as f64).sqrt() as f32
}

/// Writes levels of the best t; returns <t, o>.
fn nearest(o: &[f32], bits: usize, norm: f64, levels: &mut [u8]) -> f64 {
    let Some(step) = bits.checked_sub(2).map(|at| STEPS[at]) else {
        return fit(o, bits, 1.0, levels).0;
    };
    let sigma = (norm / o.len() as f64).sqrt();
    if sigma == 0.0 {
        return fit(o, bits, 1.0, levels).0;
    }
    let most = o.iter().fold(0.0_f32, |most, o| most.max(o.abs()));
    // Numbers that are not normal at all may want the grid that holds the largest.
    let whole = f64::from(most) / f64::from(1_u32 << (bits - 1));
    let tried = EIGHTHS.map(|eighths| sigma * step * f64::from(eighths) / 8.0).chain([whole]);
    let (mut best, mut at) = (f64::NEG_INFINITY, whole);
    for step in tried {
        let (product, squares) = fit(o, bits, step, levels);
        if product * product > best * squares {
            (best, at) = (product * product / squares, step);
        }
    }
    let (mut product, mut squares) = fit(o, bits, at, levels);
    for _ in 0..TURNS {
        let next = product / squares;
        let (p, s) = fit(o, bits, next, levels);
        if p * p * squares <= product * product * s {
            break;
        }
        (product, squares, at) = (p, s, next);
    }
    fit(o, bits, at, levels).0
}

/// Levels of the grid of that step: <t, o> and <t, t>.
fn fit(o: &[f32], bits: usize, step: f64, levels: &mut [u8]) -> (f64, f64) {
    let half = f64::from(1_u32 << (bits - 1));
    let inverse = 1.0 / step;
    let (mut product, mut squares) = (0.0, 0.0);
    for (o, level) in o.iter().zip(levels) {
        let o = f64::from(*o);
        let floor = (o * inverse).floor().clamp(-half, half - 1.0);
        *level = (floor + half) as u8;
        let t = floor + 0.5;
        product += t * o;
        squares += t * t;
    }
    (product, squares)
}

/// Levels into the parts of a row.
fn pack(levels: &[u8], bits: usize, row: &mut [u8]) {
    row.fill(0);
    let mut rest = row;
    for &(width, shift) in parts(bits) {
        let (part, behind) = rest.split_at_mut(part_bytes(levels.len(), width));
        rest = behind;
        let held = 128 / width;
        for (block, levels) in part.as_chunks_mut::<16>().0.iter_mut().zip(levels.chunks(held)) {
            for (j, level) in levels.iter().enumerate() {
                block[j % 16] |= (level >> shift & ((1 << width) - 1)) << (width * (j / 16));
            }
        }
    }
}

/// The levels of a row.
pub(crate) fn unpack(row: &[u8], bits: usize, levels: &mut [u8]) {
    levels.fill(0);
    let mut rest = row;
    for &(width, shift) in parts(bits) {
        let (part, behind) = rest.split_at(part_bytes(levels.len(), width));
        rest = behind;
        for (block, levels) in part.as_chunks::<16>().0.iter().zip(levels.chunks_mut(128 / width)) {
            for (j, level) in levels.iter_mut().enumerate() {
                *level |= (block[j % 16] >> (width * (j / 16)) & ((1 << width) - 1)) << shift;
            }
        }
    }
}

/// The level of coordinate `j`.
fn level(row: &[u8], dimension: usize, bits: usize, j: usize) -> u8 {
    let mut at = 0;
    let mut level = 0;
    for &(width, shift) in parts(bits) {
        let held = 128 / width;
        let byte = row[at + j / held * 16 + j % 16];
        level |= (byte >> (width * (j % held / 16)) & ((1 << width) - 1)) << shift;
        at += part_bytes(dimension, width);
    }
    level
}
