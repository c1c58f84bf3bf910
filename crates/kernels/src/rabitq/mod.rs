//! `RaBitQ`: 1 to 8 bits for each coordinate of a rotated vector, with an estimate of inner products that is unbiased and whose error has a bound
//! (Gao, Long 2024, arXiv 2405.12497; more bits: Gao et al. 2024, arXiv 2409.09913).
//!
//! A vector o (rotated, less its centroid) has integer codes u of B bits, which stand for `t[j] = u[j] - (2^B - 1) / 2`, the t of B bits whose direction is nearest to o.
//! With f = |o|² / <t, o>, f <t, q> estimates <o, q>; over random rotations its error is about |o| |q| √((1/c² - 1) / (D - 1)), c = cos(t, o): [`relative_error`].
//!
//! ```text
//! row      [row_bytes(D, B)]   parts of 4, 2 and 1 bits from the highest down: 1, 2, 2+1, 4, 4+1, 4+2, 4+2+1, 4+4
//!   part   [D up to a multiple of 128/w][w bits]   16 bytes hold 128/w coordinates: number 16 s + l in bits w s.. of byte l
//! factors  [n][2] f32          |o|², f
//! query    int8 [D up to a multiple of 128]        q[j] ≈ step * code[j]; scored as exact integers
//! score    inner product: base - f (step/2 * I)    l2: (|o|² + base) - 2 (f (step/2 * I))
//!          I = 2 Σ u[j] code[j] - (2^B - 1) Σ code[j]
//! ```
//!
//! Padding coordinates are 0 in rows and queries.
//!
//! **Cost.** Four rows go together, and per 16 coordinates of a part each takes a shift, a mask and a relaxed dot: at B = 4 and D = 384 some 80 instructions a row, counted by hand, where the
//! engine has that dot as one (VNNI of x64, SDOT of Arm), twice the additions where not. simd128 takes a shift, a mask, a product and an addition per 8. Loads of the query and the
//! reduction of the sums are shared by the four. From memory it is bound by B D / 8 + 8 bytes a vector, which come from four places by turns (`turns.rs`). **Limit of a sum:** 8 bits, D = 2^16: 2 * 255 * 127 * 65536
//! does not fit, so D is at most 2^15.
//!
//! **Tried.** One row at a time with sums in int16 that are widened now and then took 1.7 times as long at 4 bits and 3 times at 1 bit (simd128: 1.5 and 2). Shifts are of words
//! and the mask takes off what comes from the neighbour, for x64 has no shift of bytes.
//!
//! **Dropped.** Planes of the query counted by `i64.popcnt`, as the paper has it for 1 bit: 8 planes of 384 bits are 48 loads, ands, counts and additions, more than the
//! 72 of this form in relaxed, and of no use for more bits.

use core::array::from_fn;

use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::tier::Tier;
use crate::top_k::{Selection, TopK};
use crate::turns::Turns;

mod encode;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod query;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod vectors;

pub use crate::pq_tables::Metric;
pub(crate) use encode::unpack;
pub use encode::{encode, relative_error};
pub use query::prepare;

const OP: Op = Op::Rabitq;

/// Coordinates at most.
pub const MAX_DIMENSION: usize = 1 << 15;

/// Coordinates that a query is padded to a multiple of.
pub const QUERY_BLOCK: usize = 128;

/// Rows that are scored together: they share the loads of the query, and their sums are reduced at once.
pub(crate) const ROWS: usize = 4;

/// Widths and shifts of the parts of a code, highest bits first.
pub(crate) const fn parts(bits: usize) -> &'static [(usize, usize)] {
    match bits {
        1 => &[(1, 0)],
        2 => &[(2, 0)],
        3 => &[(2, 1), (1, 0)],
        4 => &[(4, 0)],
        5 => &[(4, 1), (1, 0)],
        6 => &[(4, 2), (2, 0)],
        7 => &[(4, 3), (2, 1), (1, 0)],
        _ => &[(4, 4), (4, 0)],
    }
}

/// Bytes of a part of `width` bits.
pub(crate) const fn part_bytes(dimension: usize, width: usize) -> usize {
    dimension.div_ceil(128 / width) * 16
}

/// Bytes of a row.
pub fn row_bytes(dimension: usize, bits: usize) -> usize {
    parts(bits).iter().map(|&(width, _)| part_bytes(dimension, width)).sum()
}

/// Bytes of a query.
pub const fn query_bytes(dimension: usize) -> usize {
    dimension.next_multiple_of(QUERY_BLOCK)
}

/// Codes to scan.
#[derive(Clone, Copy, Debug)]
pub struct RabitqCodes<'a> {
    /// `[n, row_bytes(D, B)]`
    pub codes: &'a [u8],
    /// `[n, 2]`: |o|² and f.
    pub factors: &'a [f32],
    /// Codes.
    pub n: usize,
    /// Coordinates, D: 1 to [`MAX_DIMENSION`].
    pub dimension: usize,
    /// Bits of each, B: 1 to 8.
    pub bits: usize,
    /// Which count, and their ids.
    pub selection: Selection<'a>,
}

/// A query: rotated, less the centroid for l2.
#[derive(Clone, Copy, Debug)]
pub struct RabitqQuery<'a> {
    /// `[query_bytes(D)]`
    pub codes: &'a [i8],
    /// What a code stands for is `step * code`.
    pub step: f32,
    /// What is added to every score: |q|² for l2, less the inner product with the centroid otherwise.
    pub base: f32,
}

/// Refuses sizes that are out of range.
pub(crate) fn check_sizes(dimension: usize, bits: usize) -> Result<()> {
    check_range(OP, What::Depth, 1, MAX_DIMENSION as i64, dimension as i64)?;
    check_range(OP, What::Bits, 1, 8, bits as i64)
}

/// Takes the codes of the smallest scores into `keys`: `[k]`, a heap of [`crate::top_k`] (scores are f32).
///
/// Refuses sizes out of range and lengths that do not fit.
pub fn rabitq_scan(
    tier: Tier,
    codes: &RabitqCodes<'_>,
    metric: Metric,
    query: &RabitqQuery<'_>,
    keys: &mut [u64],
) -> Result<()> {
    let RabitqCodes { n, dimension, bits, .. } = *codes;
    check_sizes(dimension, bits)?;
    let row = row_bytes(dimension, bits);
    check_shape(OP, What::Codes, checked_area(OP, n, row)?, codes.codes.len())?;
    check_shape(OP, What::Scale, checked_area(OP, n, 2)?, codes.factors.len())?;
    check_shape(OP, What::Queries, query_bytes(dimension), query.codes.len())?;
    codes.selection.check(OP, n)?;
    let top = &mut TopK::new(keys)?;
    let scorer = Scorer::new(query, metric, dimension, bits);
    let turns = Turns::through(&codes.selection, n, row, ROWS);
    let factors = codes.factors.as_chunks::<2>().0;
    let mut at = 0;
    while at < n {
        let group = turns.blocks(at, n.min(at + ROWS));
        at += group.len();
        if !codes.selection.any(group.start) {
            continue;
        }
        // The last group may take its last row more than once.
        let positions: [usize; ROWS] = from_fn(|i| (group.start + i).min(group.end - 1));
        let rows = positions.map(|position| &codes.codes[position * row..][..row]);
        let scores = scorer.scores(tier, rows, positions.map(|position| factors[position]));
        for (position, score) in group.zip(scores) {
            if score <= top.worst()
                && let Some(id) = codes.selection.find(position)
            {
                top.push(score, id);
            }
        }
    }
    Ok(())
}

/// A query, with what is the same for all codes.
#[derive(Clone, Copy)]
pub(crate) struct Scorer<'a> {
    query: &'a [i8],
    metric: Metric,
    dimension: usize,
    bits: usize,
    /// (2^B - 1) Σ code[j]
    offset: i32,
    half: f32,
    base: f32,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(query: &RabitqQuery<'a>, metric: Metric, dimension: usize, bits: usize) -> Self {
        let sum: i32 = query.codes.iter().map(|q| i32::from(*q)).sum();
        let offset = ((1 << bits) - 1) * sum;
        Self { query: query.codes, metric, dimension, bits, offset, half: query.step * 0.5, base: query.base }
    }

    /// Of rows and their factors.
    #[inline(always)]
    pub(crate) fn scores(&self, tier: Tier, rows: [&[u8]; ROWS], factors: [[f32; 2]; ROWS]) -> [f32; ROWS] {
        let sums = match tier.effective() {
            Tier::Scalar => self.sums::<scalar::Sums>(rows),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Tier::Simd128 => self.sums::<vectors::VectorSums<simd128::Words>>(rows),
            #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
            Tier::Relaxed => self.sums::<vectors::VectorSums<relaxed::Dots>>(rows),
            #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
            _ => unreachable!("a tier above the build's"),
        };
        from_fn(|i| {
            let [norm, factor] = factors[i];
            let estimate = factor * (self.half * (2 * sums[i] - self.offset) as f32);
            match self.metric {
                Metric::InnerProduct => self.base - estimate,
                Metric::L2 => (norm + self.base) - 2.0 * estimate,
            }
        })
    }

    /// Σ u[j] q[j] of each row.
    #[inline(always)]
    fn sums<S: Sums>(&self, rows: [&[u8]; ROWS]) -> [i32; ROWS] {
        let mut sums = S::zero();
        let mut at = 0;
        for &(width, shift) in parts(self.bits) {
            let end = at + part_bytes(self.dimension, width);
            let part = rows.map(|row| &row[at..end]);
            match width {
                1 => sums.add::<1>(part, self.query, shift as u32),
                2 => sums.add::<2>(part, self.query, shift as u32),
                _ => sums.add::<4>(part, self.query, shift as u32),
            }
            at = end;
        }
        sums.finish()
    }
}

/// What a tier sums the products of [`ROWS`] rows in.
trait Sums {
    fn zero() -> Self;

    /// Adds the products of a part of `WIDTH` bits, times 2^`shift`. The parts are of one length, and the query is as long or longer.
    fn add<const WIDTH: u32>(&mut self, part: [&[u8]; ROWS], query: &[i8], shift: u32);

    fn finish(self) -> [i32; ROWS];
}
