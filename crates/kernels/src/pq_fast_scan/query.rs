//! A query of a scan: its tables, their quantized form, and the bound below which a code may be among the best.

use super::{BLOCK, PqBlocks, WIDTH};
use crate::pq_tables::sum_entries;
use crate::top_k::TopK;

/// How tables are quantized.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    /// The largest entry.
    pub(super) entry: u8,
    /// The largest sum that is told from larger ones.
    pub(super) sum: u16,
    /// Whether the largest entry stands for the whole range of scores that are still kept, or for the widest table.
    pub(super) whole: bool,
}

/// What a pass knows of one query.
pub(super) struct Query<'a> {
    /// `[M][16]`
    tables: &'a [[f32; WIDTH]],
    /// `[M][16]`
    pub(super) quantized: &'a mut [[u8; WIDTH]],
    pub(super) top: TopK<'a>,
    /// The sum of the smallest entries.
    base: f64,
    /// The largest difference between the smallest and the largest entry of a table.
    spread: f64,
    /// How far rounding may take a score from the sum of its entries.
    slack: f64,
    /// Steps of the quantized tables per unit; 0 before there are any.
    steps: f64,
    /// Sums of quantized entries above it cannot be among the best; below 0: nothing can.
    pub(super) limit: i32,
}

impl<'a> Query<'a> {
    pub(super) fn new(tables: &'a [f32], quantized: &'a mut [[u8; WIDTH]], top: TopK<'a>) -> Self {
        let tables = tables.as_chunks::<WIDTH>().0;
        let (mut base, mut spread, mut magnitude) = (0.0, 0.0, 0.0);
        for table in tables {
            let low = f64::from(smallest(table));
            let high = f64::from(table.iter().fold(table[0], |high, t| if *t > high { *t } else { high }));
            base += low;
            spread = f64::max(spread, high - low);
            magnitude += f64::max(-low, high);
        }
        let slack = magnitude * tables.len() as f64 * f64::from(f32::EPSILON);
        Self { tables, quantized, top, base, spread, slack, steps: 0.0, limit: 0 }
    }

    /// What the sum of (entry - smallest entry of its table) may be at most for a code that is still kept.
    fn range(&self) -> f64 {
        f64::from(self.top.worst::<f32>()) + self.slack - self.base
    }

    /// Brings the limit down to the worst score, and makes the steps finer where that pays.
    pub(super) fn tighten(&mut self, grid: Grid) {
        let range = self.range();
        if range < 0.0 {
            self.limit = -1;
            return;
        }
        let unit = if grid.whole { range } else { f64::min(range, self.spread) };
        // A little less, for the two roundings of an entry; finite where the range is 0.
        let steps = (f64::from(grid.entry) * 0.99 / unit).min(1e30) as f32;
        if f64::from(steps) > 1.15 * self.steps {
            self.steps = f64::from(steps);
            self.quantize(grid.entry, steps * 0.999_999);
        }
        self.limit = (range * self.steps).min(f64::from(grid.sum)) as i32;
    }

    /// Entries rounded down, so that a sum of them never says more than the score.
    fn quantize(&mut self, largest: u8, steps: f32) {
        for (quantized, table) in self.quantized.iter_mut().zip(self.tables) {
            let low = smallest(table);
            for (quantized, t) in quantized.iter_mut().zip(table) {
                *quantized = (((t - low) * steps) as u8).min(largest);
            }
        }
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

fn smallest(table: &[f32; WIDTH]) -> f32 {
    table.iter().fold(table[0], |low, t| if *t < low { *t } else { low })
}
