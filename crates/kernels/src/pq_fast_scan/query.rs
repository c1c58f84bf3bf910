//! A query of a scan: its tables, their steps, and the best so far.

use super::quantized::{Grid, Quantized};
use super::{BLOCK, PqBlocks, WIDTH};
use crate::pq_tables::sum_entries;
use crate::top_k::TopK;

/// What a pass knows of one query.
pub(super) struct Query<'a> {
    /// `[M][16]`
    tables: &'a [[f32; WIDTH]],
    pub(super) quantized: Quantized<'a>,
    pub(super) top: TopK<'a>,
}

impl<'a> Query<'a> {
    /// - `magnitude`: of the largest score that there can be
    pub(super) fn new(
        tables: &'a [f32],
        entries: &'a mut [[u8; WIDTH]],
        magnitude: f32,
        top: TopK<'a>,
    ) -> Self {
        let tables = tables.as_chunks::<WIDTH>().0;
        Self { tables, quantized: Quantized::new(tables, entries, magnitude), top }
    }

    /// Brings the limit down to the worst score.
    pub(super) fn tighten(&mut self, grid: Grid) {
        self.quantized.tighten(grid, self.top.worst());
    }

    /// Scores the vectors of a block whose bit is set, and keeps those among the best.
    pub(super) fn score(&mut self, codes: &PqBlocks<'_>, at: usize, mut lanes: u32) {
        let block = codes.range(at, at + 1);
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            lanes &= lanes - 1;
            let position = at * BLOCK + lane;
            if position >= codes.n {
                return;
            }
            let (column, shift) = (lane % 16, lane / 16 * 4);
            let score = sum_entries(self.tables.len(), |m| {
                self.tables[m][usize::from(block[16 * m + column] >> shift & 15)]
            });
            if score <= self.top.worst()
                && let Some(id) = codes.selection.find(position)
            {
                self.top.push(score, id);
            }
        }
    }
}
