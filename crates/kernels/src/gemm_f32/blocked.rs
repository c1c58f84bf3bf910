//! The one driver of float products: blocks of rows by panels of weights, some hundred positions at a time.
//!
//! ```text
//! 64 rows ──256 positions of them, four rows interleaved──► every panel ──► y
//! ```
//!
//! So a panel's part is 16 KiB, half of a first-level cache, and stays there for sixteen strips of rows. Between two blocks of positions the sums wait in y as
//! the floats they are, and a chain goes on as if it had not been left.

use super::panels::{WIDE, panels};
use super::{Tile, finish};
use crate::buffer::{Arena, lines_for};

/// Rows of a strip.
pub(crate) const STRIP: usize = 4;
/// Rows that are interleaved together.
const ROWS: usize = 64;
/// Positions at a time.
pub(crate) const DEPTH: usize = 256;

/// Some positions of a panel.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// The panel's first column.
    pub(crate) first: usize,
    /// Its columns with padding, 8 or 16.
    pub(crate) width: usize,
    /// Its columns.
    pub(crate) real: usize,
    /// The first position.
    pub(crate) start: usize,
    /// Positions.
    pub(crate) depth: usize,
}

/// Where weights come from.
pub(crate) trait Panels {
    /// Whether they lie in panels already, so that nothing is written to `room`.
    const READY: bool;
    /// Whether the last panel is 8 wide where that is enough.
    const NARROW: bool;
    /// The weights `[depth][width]` of a part, in place or made in `room`.
    fn part<'a>(&'a self, part: Part, room: &'a mut [f32]) -> &'a [f32];
}

/// The sizes of a product, and how it ends.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    pub(crate) n: usize,
    pub(crate) k: usize,
    /// Positions at a time.
    pub(crate) depth: usize,
    /// At least N.
    pub(crate) bias: &'a [f32],
    pub(crate) clamp: (f32, f32),
    /// Elements from a row of y to the next.
    pub(crate) stride: usize,
}

/// Lines of scratch that [`Product::run`] takes for blocks of `depth` positions; `ready` as [`Panels::READY`].
pub(crate) fn scratch_lines(rows: usize, depth: usize, ready: bool) -> usize {
    lines_for::<f32>(rows.min(ROWS) * depth) + if ready { 0 } else { lines_for::<f32>(depth * WIDE) }
}

impl Product<'_> {
    /// `x [rows, k]` to `y`.
    pub(crate) fn run<T: Tile, P: Panels>(
        &self,
        weights: &P,
        x: &[f32],
        y: &mut [f32],
        mut scratch: Arena<'_>,
    ) {
        let rows = x.len() / self.k;
        // A few rows wait for their weights, which are read in one go.
        let depth = if P::READY && rows < STRIP { self.k } else { self.depth };
        let strips = scratch.take::<f32>(if rows < STRIP { 0 } else { rows.min(ROWS) * depth });
        let room = scratch.take::<f32>(if P::READY { 0 } else { depth * WIDE });
        let mut acc = [0.0; ROWS * WIDE];
        for (x, y) in x.chunks(ROWS * self.k).zip(y.chunks_mut(ROWS * self.stride)) {
            for start in (0..self.k).step_by(depth) {
                self.block::<T, P>(weights, x, y, start, depth.min(self.k - start), strips, room, &mut acc);
            }
        }
    }

    /// The positions `start..start + depth` of at most `ROWS` rows.
    fn block<T: Tile, P: Panels>(
        &self,
        weights: &P,
        x: &[f32],
        y: &mut [f32],
        start: usize,
        depth: usize,
        strips: &mut [f32],
        room: &mut [f32],
        acc: &mut [f32],
    ) {
        let rows = x.len() / self.k;
        let in_strips = if T::STRIPS { rows / STRIP * STRIP } else { 0 };
        let strips = &mut strips[..in_strips * depth];
        for (strip, x) in strips.chunks_exact_mut(STRIP * depth).zip(x.chunks(STRIP * self.k)) {
            T::interleave(&x[start..], self.k, strip);
        }
        for (first, width, real) in panels(self.n) {
            let width = if P::NARROW { width } else { WIDE };
            let panel = weights.part(Part { first, width, real, start, depth }, room);
            let acc = &mut acc[..rows * width];
            if start == 0 {
                acc.fill(0.0);
            } else {
                for (acc, y) in acc.chunks_exact_mut(width).zip(y.chunks(self.stride)) {
                    copy(&mut acc[..real], &y[first..][..real]);
                }
            }
            let (strip_sums, row_sums) = acc.split_at_mut(in_strips * width);
            for (strip, acc) in
                strips.chunks_exact(STRIP * depth).zip(strip_sums.chunks_exact_mut(STRIP * width))
            {
                T::strip(strip, panel, width, acc);
            }
            for (x, acc) in x[in_strips * self.k..].chunks_exact(self.k).zip(row_sums.chunks_exact_mut(width))
            {
                T::row(&x[start..][..depth], panel, width, acc);
            }
            if start + depth == self.k {
                let bias = &self.bias[first..][..real];
                finish::<T>(acc, width, bias, self.clamp, &mut y[first..], self.stride);
            } else {
                for (acc, y) in acc.chunks_exact(width).zip(y.chunks_mut(self.stride)) {
                    copy(&mut y[first..][..real], &acc[..real]);
                }
            }
        }
    }
}

/// `to` becomes `from`, without a library call.
#[inline(always)]
fn copy(to: &mut [f32], from: &[f32]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<WIDE>(), from.first_chunk::<WIDE>()) {
        *to = *from;
        return;
    }
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
