//! Scan of vectors that are stored as they are, in floats or in bytes with a scale of their own: the k best of all, or of chosen rows (rescoring).
//!
//! ```text
//! floats   x f32 [n][D]                       x[j]
//! bytes    codes i8 [n][D], scales f32 [n]    x[j] = scale * code[j]
//! queries  f32 [Q][D]
//! score    l2: Σ (q[j] - x[j])²               inner product: -Σ q[j] x[j]; of bytes -(scale * Σ q[j] code[j])
//! ```
//!
//! **Order.** A sum is 16 chains, chain l over j = l, l + 16, l + 32 ..., which are added as a tree: l and l + 8, then l and l + 4, l + 2, l + 1. No fused
//! operation; so every tier gives the same bits.
//!
//! **Cost.** Per 4 coordinates two loads, a multiplication and an addition (floats, inner product), two more to widen bytes, one or two more for a distance: a row of
//! 384 floats takes some 400 instructions, about as long as it takes to read its 1,536 bytes from memory, for which rows come from four places by turns (`turns.rs`).
//! Bytes read a quarter of that and take 600.

use crate::error::{
    ErrorCode, KernelError, Op, Result, What, check_finite, check_range, check_shape, checked_area,
};
use crate::pq_tables::Metric;
use crate::tier::Tier;
use crate::top_k::{Selection, TopK};
use crate::turns::Turns;

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

const OP: Op = Op::FlatScan;

/// Chains of a sum.
const CHAINS: usize = 16;

/// Positions that are passed over together where a filter leaves them out.
const RUN: usize = 32;

/// Coordinates at most.
pub const MAX_DIMENSION: usize = 1 << 16;

/// How vectors are stored.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// `[n, D]`, finite.
    Floats(&'a [f32]),
    /// `[n, D]` and a scale for each row.
    Bytes(&'a [i8], &'a [f32]),
}

/// Vectors to scan.
#[derive(Clone, Copy, Debug)]
pub struct FlatRows<'a> {
    /// The coordinates.
    pub rows: Rows<'a>,
    /// Vectors.
    pub n: usize,
    /// Coordinates of each, D: 1 to [`MAX_DIMENSION`].
    pub dimension: usize,
    /// Which count, and their ids.
    pub selection: Selection<'a>,
}

/// One row.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [i8], f32),
}

impl<'a> Rows<'a> {
    /// Refuses lengths that are not those of `n` rows.
    pub(crate) fn check(&self, op: Op, n: usize, dimension: usize) -> Result<()> {
        let area = checked_area(op, n, dimension)?;
        match self {
            Rows::Floats(x) => check_shape(op, What::Codes, area, x.len()),
            Rows::Bytes(codes, scales) => {
                check_shape(op, What::Codes, area, codes.len())?;
                check_shape(op, What::Scale, n, scales.len())
            }
        }
    }

    #[inline(always)]
    pub(crate) fn row(&self, position: usize, dimension: usize) -> Row<'a> {
        let of = position * dimension..(position + 1) * dimension;
        match self {
            Rows::Floats(x) => Row::Floats(&x[of]),
            Rows::Bytes(codes, scales) => Row::Bytes(&codes[of], scales[position]),
        }
    }
}

impl FlatRows<'_> {
    const fn row_bytes(&self) -> usize {
        self.dimension * if matches!(self.rows, Rows::Floats(_)) { 4 } else { 1 }
    }

    fn check(&self, queries: &[f32], count: usize, keys: &[u64]) -> Result<usize> {
        check_range(OP, What::Depth, 1, MAX_DIMENSION as i64, self.dimension as i64)?;
        check_range(OP, What::Queries, 1, 1 << 20, count as i64)?;
        self.rows.check(OP, self.n, self.dimension)?;
        check_shape(OP, What::Queries, checked_area(OP, count, self.dimension)?, queries.len())?;
        check_finite(OP, queries)?;
        let k = keys.len() / count;
        check_shape(OP, What::Best, k * count, keys.len())?;
        self.selection.check(OP, self.n)?;
        Ok(k)
    }
}

/// Takes the vectors of the smallest scores into `keys`: `[queries, k]`, each a heap of [`crate::top_k`] (scores are f32).
///
/// - `queries`: `[count, D]`
///
/// Refuses D out of range, lengths that do not fit, and queries that are not finite.
pub fn flat_scan(
    tier: Tier,
    rows: &FlatRows<'_>,
    metric: Metric,
    queries: &[f32],
    count: usize,
    keys: &mut [u64],
) -> Result<()> {
    let k = rows.check(queries, count, keys)?;
    let turns = Turns::through(&rows.selection, rows.n, rows.row_bytes(), 1);
    for (query, keys) in queries.chunks_exact(rows.dimension).zip(keys.chunks_exact_mut(k.max(1))) {
        let top = &mut TopK::new(keys)?;
        let mut at = 0;
        while at < rows.n {
            let run = turns.blocks(at, rows.n.min(at + RUN));
            at += run.len();
            if rows.selection.any(run.start) {
                for position in run {
                    take(tier, rows, metric, query, position, top);
                }
            }
        }
    }
    Ok(())
}

/// As [`flat_scan`] for one query, of the rows at `positions` only; positions of empty places ([`crate::top_k::NO_ID`]) are passed over.
///
/// Refuses a position that there is not.
pub fn flat_rescore(
    tier: Tier,
    rows: &FlatRows<'_>,
    metric: Metric,
    query: &[f32],
    positions: &[u32],
    keys: &mut [u64],
) -> Result<()> {
    rows.check(query, 1, keys)?;
    let top = &mut TopK::new(keys)?;
    for &position in positions {
        if position == crate::top_k::NO_ID {
            continue;
        }
        if position as usize >= rows.n {
            let last = rows.n as i64 - 1;
            return Err(KernelError::new(ErrorCode::Range, OP, What::Ids, last, i64::from(position)));
        }
        take(tier, rows, metric, query, position as usize, top);
    }
    Ok(())
}

#[inline(always)]
fn take(tier: Tier, rows: &FlatRows<'_>, metric: Metric, query: &[f32], position: usize, top: &mut TopK<'_>) {
    let score = score(tier, metric, query, rows.rows.row(position, rows.dimension));
    if score <= top.worst()
        && let Some(id) = rows.selection.find(position)
    {
        top.push(score, id);
    }
}

/// The score of a row; of `query` as many values as the row has.
#[inline(always)]
pub(crate) fn score(tier: Tier, metric: Metric, query: &[f32], row: Row<'_>) -> f32 {
    match tier.effective() {
        Tier::Scalar => scalar::score(metric, query, row),
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        Tier::Simd128 | Tier::Relaxed => simd128::score(metric, query, row),
        #[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
        _ => unreachable!("a tier above the build's"),
    }
}

/// What a row's sum becomes.
#[inline(always)]
fn finished(metric: Metric, row: Row<'_>, sum: f32) -> f32 {
    match (metric, row) {
        (Metric::L2, _) => sum,
        (Metric::InnerProduct, Row::Floats(_)) => -sum,
        (Metric::InnerProduct, Row::Bytes(_, scale)) => -(scale * sum),
    }
}
