//! Tables in whole steps, and the bound that they give: a sum of steps above the limit is that of no candidate.

use super::WIDTH;

/// How tables are quantized.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    /// The largest entry.
    pub(crate) entry: u8,
    /// The largest sum that is told from larger ones.
    pub(crate) sum: u16,
    /// Whether the largest entry stands for the whole range of scores that are still kept, or for the widest table.
    pub(crate) whole: bool,
}

/// Tables of 16 entries, f32 and in steps.
pub(crate) struct Quantized<'a> {
    /// `[M][16]`
    tables: &'a [[f32; WIDTH]],
    /// `[M][16]`
    pub(crate) entries: &'a mut [[u8; WIDTH]],
    /// The sum of the smallest entries.
    base: f64,
    /// The largest difference between the smallest and the largest entry of a table.
    spread: f64,
    /// How far rounding may take a score from the sum of its entries.
    slack: f64,
    /// Steps per unit; 0 before there are any.
    steps: f64,
    /// Sums of steps above it cannot be among the best; below 0: nothing can.
    pub(crate) limit: i32,
}

impl<'a> Quantized<'a> {
    /// - `magnitude`: of the largest score that there can be
    pub(crate) fn new(tables: &'a [[f32; WIDTH]], entries: &'a mut [[u8; WIDTH]], magnitude: f32) -> Self {
        let (mut base, mut spread) = (0.0, 0.0);
        for table in tables {
            let low = f64::from(smallest(table));
            let high = f64::from(table.iter().fold(table[0], |high, t| if *t > high { *t } else { high }));
            base += low;
            spread = f64::max(spread, high - low);
        }
        let slack = f64::from(magnitude) * tables.len() as f64 * f64::from(f32::EPSILON);
        Self { tables, entries, base, spread, slack, steps: 0.0, limit: 0 }
    }

    /// The sum of the smallest entries.
    pub(crate) const fn base(&self) -> f64 {
        self.base
    }

    /// What a step is at least.
    pub(crate) fn unit(&self) -> f32 {
        (0.999_999 / self.steps) as f32
    }

    /// Brings the limit down to the worst score that still counts, and makes the steps finer where that pays.
    pub(crate) fn tighten(&mut self, grid: Grid, worst: f32) {
        // What the sum of (entry - smallest entry of its table) may be at most.
        let range = f64::from(worst) + self.slack - self.base;
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
        for (steps_of, table) in self.entries.iter_mut().zip(self.tables) {
            let low = smallest(table);
            for (quantized, t) in steps_of.iter_mut().zip(table) {
                *quantized = (((t - low) * steps) as u8).min(largest);
            }
        }
    }
}

/// Of some entries, at least one.
pub(crate) fn smallest(entries: &[f32]) -> f32 {
    entries.iter().fold(entries[0], |low, t| if *t < low { *t } else { low })
}
