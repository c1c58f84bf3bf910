//! Centroids of dimension 1, sorted: the nearest one is a neighbour of the place where x would stand.
//!
//! In exact arithmetic that is plain. In f32 it holds because rounding is monotone: of two centroids on the same side the farther one has no smaller rounded
//! difference and no smaller rounded square. It may have an equal one, so from the neighbour on those of equal distance are visited for the lowest index.
//!
//! The place is found from a grid: `cell(v)` is monotone in v, too, so all centroids of lower cells than that of x are below x, and the search starts behind them.

use super::OP;
use crate::buffer::Buffer;
use crate::error::Result;

/// Cells to a centroid, at most [`MOST_CELLS`] in all.
const CELLS: usize = 16;
const MOST_CELLS: usize = 1 << 14;

/// Distinct finite centroids in ascending order.
pub(super) struct Sorted {
    /// Between a -infinity and an infinity, at which every walk ends.
    values: Buffer<f32>,
    /// The lowest index of each value.
    indices: Buffer<u32>,
    /// Where among `values` the search starts, by cell.
    starts: Buffer<u32>,
    low: f32,
    /// Cells per unit; 0 where there is no such number.
    scale: f32,
}

impl Sorted {
    pub(super) fn new(vectors: &[f32]) -> Result<Self> {
        let mut order = Buffer::<u32>::zeroed(OP, vectors.len())?;
        let mut count = 0;
        for (index, value) in vectors.iter().enumerate() {
            if value.is_finite() {
                order[count] = index as u32;
                count += 1;
            }
        }
        let value = |index: u32| vectors[index as usize];
        let order = &mut order[..count];
        order.sort_unstable_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
        let mut values = Buffer::zeroed(OP, count + 2)?;
        let mut indices = Buffer::zeroed(OP, count + 2)?;
        values[0] = f32::NEG_INFINITY;
        let mut last = 0;
        for &index in &*order {
            if value(index) == values[last] {
                // -0 stands before +0, whatever their indices.
                indices[last] = index.min(indices[last]);
            } else {
                last += 1;
                (values[last], indices[last]) = (value(index), index);
            }
        }
        values[last + 1..].fill(f32::INFINITY);

        let cells = (last * CELLS).clamp(1, MOST_CELLS);
        let (low, high) = if last > 0 { (values[1], values[last]) } else { (0.0, 0.0) };
        let scale = cells as f32 / (high - low);
        let scale = if scale.is_finite() { scale } else { 0.0 };
        let mut sorted = Self { values, indices, starts: Buffer::zeroed(OP, cells)?, low, scale };
        let mut place = 1;
        for cell in 0..cells {
            while place <= last && sorted.cell(sorted.values[place]) < cell {
                place += 1;
            }
            sorted.starts[cell] = place as u32;
        }
        Ok(sorted)
    }

    /// Monotone in `x`; 0 for a NaN.
    #[inline(always)]
    fn cell(&self, x: f32) -> usize {
        (((x - self.low) * self.scale) as usize).min(self.starts.len() - 1)
    }

    /// As the definition has it: 0 where no distance is below infinity.
    #[inline(always)]
    pub(super) fn nearest(&self, x: f32) -> u32 {
        let values = &self.values[..];
        let distance = |place: usize| (x - values[place]) * (x - values[place]);
        let mut place = self.starts[self.cell(x)] as usize;
        // An x above all finite numbers stops at the infinity behind them.
        while values[place] < x {
            place += 1;
        }
        let (below, above) = (distance(place - 1), distance(place));
        let least = if below < above { below } else { above };
        if !least.is_finite() {
            // A NaN, an infinity, or a square that overflows.
            return 0;
        }
        let mut index = u32::MAX;
        let mut at = place;
        while distance(at) == least {
            index = index.min(self.indices[at]);
            at += 1;
        }
        at = place - 1;
        while distance(at) == least {
            index = index.min(self.indices[at]);
            at -= 1;
        }
        index
    }
}
