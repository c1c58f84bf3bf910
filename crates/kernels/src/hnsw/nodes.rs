//! The vectors of nodes, as other families store them: scores of some, and what one stands for.

use core::array::from_fn;

use super::{Metric, OP};
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::flat_scan::{self, Row, Rows};
use crate::pq_scan;
use crate::pq_tables::PqTables;
use crate::rabitq::{self, ROWS, RabitqQuery, Scorer, prepare, query_bytes, row_bytes, unpack};
use crate::tier::Tier;

/// How vectors are stored.
#[derive(Clone, Copy)]
pub enum Stored<'a> {
    /// As in [`flat_scan`].
    Flat(Rows<'a>),
    /// As in [`pq_scan`].
    Pq {
        /// `[n, M]`
        codes: &'a [u8],
        /// Of queries.
        tables: &'a PqTables,
        /// `[M, 256, D / M]`, those of `tables`.
        codebooks: &'a [f32],
        /// M
        subspaces: usize,
    },
    /// As in [`rabitq`].
    Rabitq {
        /// `[n, row_bytes(D, B)]`
        codes: &'a [u8],
        /// `[n, 2]`
        factors: &'a [f32],
        /// B
        bits: usize,
        /// `[D]`: what was subtracted.
        mean: &'a [f32],
    },
}

/// The vectors of a graph's nodes.
#[derive(Clone, Copy)]
pub struct Nodes<'a> {
    /// Codes.
    pub stored: Stored<'a>,
    /// Vectors.
    pub n: usize,
    /// Coordinates, D.
    pub dimension: usize,
    /// Of all scores.
    pub metric: Metric,
}

/// Memory for a query.
pub(super) struct QueryScratch {
    tables: Buffer<f32>,
    codes: Buffer<i8>,
}

/// A query made ready.
pub(super) enum Query<'a> {
    Flat(&'a [f32]),
    Tables(&'a [f32]),
    Rabitq(Scorer<'a>),
}

impl Nodes<'_> {
    #[inline(never)]
    pub(super) fn check(&self) -> Result<()> {
        let &Self { n, dimension, .. } = self;
        check_range(OP, What::Depth, 1, flat_scan::MAX_DIMENSION as i64, dimension as i64)?;
        match self.stored {
            Stored::Flat(rows) => rows.check(OP, n, dimension),
            Stored::Pq { codes, tables, codebooks, subspaces } => {
                check_shape(OP, What::Codes, checked_area(OP, n, subspaces)?, codes.len())?;
                check_shape(OP, What::Depth, dimension, tables.query_len())?;
                check_shape(OP, What::Tables, subspaces * pq_scan::WIDTH, tables.table_len())?;
                check_shape(OP, What::Codebook, pq_scan::WIDTH * dimension, codebooks.len())
            }
            Stored::Rabitq { codes, factors, bits, mean } => {
                check_range(OP, What::Depth, 1, rabitq::MAX_DIMENSION as i64, dimension as i64)?;
                check_range(OP, What::Bits, 1, 8, bits as i64)?;
                check_shape(OP, What::Codes, checked_area(OP, n, row_bytes(dimension, bits))?, codes.len())?;
                check_shape(OP, What::Scale, checked_area(OP, n, 2)?, factors.len())?;
                check_shape(OP, What::Length, dimension, mean.len())
            }
        }
    }

    pub(super) fn scratch(&self) -> Result<QueryScratch> {
        let (tables, codes) = match self.stored {
            Stored::Flat(_) => (0, 0),
            Stored::Pq { tables, .. } => (tables.table_len(), 0),
            Stored::Rabitq { .. } => (0, query_bytes(self.dimension)),
        };
        Ok(QueryScratch { tables: Buffer::zeroed(OP, tables)?, codes: Buffer::zeroed(OP, codes)? })
    }

    /// Refuses a query that is not finite.
    #[inline(never)]
    pub(super) fn query<'q>(&self, query: &'q [f32], scratch: &'q mut QueryScratch) -> Result<Query<'q>> {
        match self.stored {
            Stored::Flat(_) => {
                crate::error::check_finite(OP, query)?;
                Ok(Query::Flat(query))
            }
            Stored::Pq { tables, .. } => {
                tables.run(self.metric, query, 1, &mut scratch.tables)?;
                Ok(Query::Tables(&scratch.tables))
            }
            Stored::Rabitq { bits, mean, .. } => {
                let (step, base) = prepare(query, mean, self.metric, &mut scratch.codes)?;
                let query = RabitqQuery { codes: &scratch.codes, step, base };
                Ok(Query::Rabitq(Scorer::new(&query, self.metric, self.dimension, bits)))
            }
        }
    }

    /// The scores of some nodes.
    #[inline(never)]
    pub(super) fn score(&self, tier: Tier, query: &Query<'_>, ids: &[u32], scores: &mut [f32]) {
        match (query, self.stored) {
            (Query::Flat(query), Stored::Flat(rows)) => {
                for (id, score) in ids.iter().zip(scores) {
                    *score =
                        flat_scan::score(tier, self.metric, query, rows.row(*id as usize, self.dimension));
                }
            }
            (Query::Tables(tables), Stored::Pq { codes, subspaces, .. }) => {
                let tables = tables.as_chunks().0;
                for (id, score) in ids.iter().zip(scores) {
                    *score = pq_scan::score(tables, &codes[*id as usize * subspaces..][..subspaces]);
                }
            }
            (Query::Rabitq(scorer), Stored::Rabitq { codes, factors, bits, .. }) => {
                let (row, factors) = (row_bytes(self.dimension, bits), factors.as_chunks::<2>().0);
                for (ids, scores) in ids.chunks(ROWS).zip(scores.chunks_mut(ROWS)) {
                    // The last may be scored more than once.
                    let ids: [usize; ROWS] = from_fn(|i| ids[i.min(ids.len() - 1)] as usize);
                    let found = scorer.scores(
                        tier,
                        ids.map(|id| &codes[id * row..][..row]),
                        ids.map(|id| factors[id]),
                    );
                    scores.copy_from_slice(&found[..scores.len()]);
                }
            }
            _ => unreachable!("a query of other codes"),
        }
    }

    /// What the code of a node stands for; of `RaBitQ` the multiple of the code's direction that is nearest to the vector.
    ///
    /// - `levels`, `x`: `[D]`
    #[inline(never)]
    pub(super) fn decode(&self, id: u32, levels: &mut [u8], x: &mut [f32]) {
        let id = id as usize;
        match self.stored {
            Stored::Flat(rows) => match rows.row(id, self.dimension) {
                Row::Floats(row) => x.copy_from_slice(row),
                Row::Bytes(codes, scale) => {
                    for (x, code) in x.iter_mut().zip(codes) {
                        *x = scale * f32::from(*code);
                    }
                }
            },
            Stored::Pq { codes, codebooks, subspaces, .. } => {
                let part = self.dimension / subspaces;
                let books = codebooks.chunks_exact(pq_scan::WIDTH * part);
                let codes = &codes[id * subspaces..][..subspaces];
                for ((x, code), book) in x.chunks_exact_mut(part).zip(codes).zip(books) {
                    x.copy_from_slice(&book[usize::from(*code) * part..][..part]);
                }
            }
            Stored::Rabitq { codes, factors, bits, mean } => {
                let row = row_bytes(self.dimension, bits);
                unpack(&codes[id * row..][..row], bits, levels);
                let middle = ((1_u32 << bits) - 1) as f32 / 2.0;
                // <t, o> / <t, t>, with <t, o> = |o|² / f; sums of halves squared are exact.
                let squares: f32 = levels.iter().map(|level| (f32::from(*level) - middle).powi(2)).sum();
                let [norm, factor] = [factors[2 * id], factors[2 * id + 1]];
                let scale = if factor == 0.0 { 0.0 } else { norm / factor / squares };
                for ((x, level), mean) in x.iter_mut().zip(levels).zip(mean) {
                    *x = scale * (f32::from(*level) - middle) + mean;
                }
            }
        }
    }
}
