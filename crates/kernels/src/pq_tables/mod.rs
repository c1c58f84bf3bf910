//! Distance tables of product quantization: the distance between each part of a query and every centroid of that part's codebook, after which the distance to
//! a code is a sum of M lookups (asymmetric distance computation; Jégou, Douze, Schmid 2011, doi:10.1109/TPAMI.2010.57).
//!
//! ```text
//! queries    [Q][M][d]       the parts of a query lie beside each other
//! codebooks  [M][K][d]       K = 16 or 256 centroids, as quantizers write them; packed once into [M][K/16][d][16]
//! tables     [Q][M][K]       l2: sum_i (q[i] - c[i])^2        inner product: -sum_i q[i] * c[i]
//! ```
//!
//! Inner products are negated so that the smallest score is the best for every scan; a sum of negated numbers is the negated sum, bit for bit. Sums run over
//! ascending i, in one chain per centroid.
//!
//! **Cost.** 3 (l2) or 2 operations and a load per 4 centroids and coordinate, vectors across centroids, 16 centroids in registers: M = 16, K = 256, d = 8 takes
//! about as long as scanning 1,500 codes, so it counts only for short lists.

use crate::buffer::Buffer;
use crate::error::{
    ErrorCode, KernelError, Op, Result, What, check_finite, check_range, check_shape, checked_area,
};
use crate::tier::Tier;

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

const OP: Op = Op::PqTables;

/// Centroids that are summed together.
const LANES: usize = 16;

/// Parts of a vector at most.
pub const MAX_SUBSPACES: usize = 1024;

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Squared Euclidean distance.
    L2,
    /// Negated inner product.
    InnerProduct,
}

/// Sizes of the codebooks.
#[derive(Clone, Copy, Debug)]
pub struct PqShape {
    /// Parts of a vector, M: 1 to [`MAX_SUBSPACES`].
    pub subspaces: usize,
    /// Centroids of each part, K: 16 or 256.
    pub centroids: usize,
    /// Coordinates of a part, d: 1 or more.
    pub dimension: usize,
}

/// Packed codebooks.
pub struct PqTables {
    shape: PqShape,
    tier: Tier,
    /// `[M][K/16][d][16]`
    codebooks: Buffer<f32>,
}

impl PqTables {
    /// Packs codebooks `[M][K][d]`.
    ///
    /// Refuses sizes outside of what [`PqShape`] says, other lengths, and values that are not finite.
    pub fn new(tier: Tier, shape: PqShape, codebooks: &[f32]) -> Result<Self> {
        let PqShape { subspaces, centroids, dimension } = shape;
        check_range(OP, What::Subspaces, 1, MAX_SUBSPACES as i64, subspaces as i64)?;
        if centroids != 16 {
            check_range(OP, What::Codebook, 256, 256, centroids as i64)?;
        }
        check_range(OP, What::Depth, 1, 1 << 20, dimension as i64)?;
        let entries = checked_area(OP, subspaces * centroids, dimension)?;
        check_shape(OP, What::Codebook, entries, codebooks.len())?;
        check_finite(OP, codebooks)?;
        let mut packed = Buffer::<f32>::zeroed(OP, entries)?;
        for (group, packed) in packed.chunks_exact_mut(LANES * dimension).enumerate() {
            let group = &codebooks[group * LANES * dimension..][..LANES * dimension];
            for (lane, centroid) in group.chunks_exact(dimension).enumerate() {
                for (i, value) in centroid.iter().enumerate() {
                    packed[i * LANES + lane] = *value;
                }
            }
        }
        Ok(Self { shape, tier, codebooks: packed })
    }

    /// Values of a query: M x d.
    pub const fn query_len(&self) -> usize {
        self.shape.subspaces * self.shape.dimension
    }

    /// Values of a query's tables: M x K.
    pub const fn table_len(&self) -> usize {
        self.shape.subspaces * self.shape.centroids
    }

    /// The tables of `count` queries.
    ///
    /// - `queries`: `[count, M, d]`
    /// - `tables`: `[count, M, K]`
    ///
    /// Refuses other lengths, and a query with a value that is NaN or infinite (the error holds its position).
    pub fn run(&self, metric: Metric, queries: &[f32], count: usize, tables: &mut [f32]) -> Result<()> {
        check_shape(OP, What::Queries, checked_area(OP, count, self.query_len())?, queries.len())?;
        check_shape(OP, What::Tables, checked_area(OP, count, self.table_len())?, tables.len())?;
        check_finite(OP, queries)?;
        let parts = queries.chunks_exact(self.shape.dimension);
        for (at, (part, table)) in parts.zip(tables.chunks_exact_mut(self.shape.centroids)).enumerate() {
            self.part(metric, at % self.shape.subspaces, part, table);
        }
        Ok(())
    }

    /// The table of one part, `[K]`, for the coordinates `[d]` that a query has there, which are finite.
    #[inline(never)]
    pub(crate) fn part(&self, metric: Metric, subspace: usize, part: &[f32], table: &mut [f32]) {
        let dimension = self.shape.dimension;
        let first = subspace * (self.shape.centroids / LANES);
        let groups = self.codebooks[first * LANES * dimension..].chunks_exact(LANES * dimension);
        for (group, table) in groups.zip(table.as_chunks_mut::<LANES>().0) {
            match self.tier.effective() {
                Tier::Scalar => *table = scalar::distances(metric, part, group),
                #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
                Tier::Simd128 | Tier::Relaxed => simd128::distances(metric, part, group, table),
                #[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
                _ => unreachable!("a tier above the build's"),
            }
        }
    }
}

/// What scans ask of the tables that they are given: `[M][width]`, finite, and no sum of them can leave f32. Returns the largest sum of magnitudes.
pub(crate) fn check_tables(op: Op, tables: &[f32], width: usize) -> Result<f32> {
    let mut sum = 0.0;
    for (at, table) in tables.chunks_exact(width).enumerate() {
        sum += magnitude(op, table)
            .map_err(|error| KernelError { got: error.got + (at * width) as i64, ..error })?;
    }
    check_sum(op, sum)?;
    Ok(sum)
}

/// The largest magnitude; refuses values that are not finite (the error holds the position).
pub(crate) fn magnitude(op: Op, values: &[f32]) -> Result<f32> {
    // The magnitudes of floats are in the order of their bits, those of infinities and NaN above all others.
    let largest = values.iter().fold(0, |largest, t| u32::max(largest, t.to_bits() & 0x7fff_ffff));
    if largest >= f32::INFINITY.to_bits() {
        check_finite(op, values)?;
    }
    Ok(f32::from_bits(largest))
}

/// Refuses a sum of magnitudes whose sums could leave f32: half of the range, so that differences and the other order of a sum stay inside as well.
pub(crate) fn check_sum(op: Op, magnitude: f32) -> Result<()> {
    if magnitude > f32::MAX / 4.0 {
        return Err(KernelError::new(ErrorCode::Accumulator, op, What::Sum, i64::MAX, i64::MAX));
    }
    Ok(())
}

/// The score of a code: the one order in which scans add up the entries that `entry` gives for m = 0, 1, .. Four at a time from left to right, each four
/// added to the sum of those before; the last may be fewer.
#[inline(always)]
pub(crate) fn sum_entries(subspaces: usize, entry: impl Fn(usize) -> f32) -> f32 {
    let mut sum = 0.0;
    let mut m = 0;
    while m < subspaces {
        let mut four = entry(m);
        for i in m + 1..subspaces.min(m + 4) {
            four += entry(i);
        }
        sum = if m == 0 { four } else { sum + four };
        m += 4;
    }
    sum
}
