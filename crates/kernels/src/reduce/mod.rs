//! What takes many elements to one, or follows an axis: sums and their kin over any axes, the positions of extremes, the best k, running sums, softmax. Of any element type.
//!
//! Floats are summed in f64 and integers in int64 ([`crate::dtype`]), rounded or cut once at the end. The order is fixed: where the last axis is reduced, element i of it goes to
//! chain i modulo 128, and the chains are then summed in ascending order; else an output is one chain. The lanes of a block are independent, so the compiler turns the sums of f32 into
//! vectors: 0.3 ns an element, as fast as memory gives them from the second-level cache on.

mod along;
mod axes;
mod best;
#[cfg(any(test, feature = "testing"))]
pub mod naive;

pub use along::{Along, AlongKind};
pub use axes::{REDUCTIONS, Reduce, Reduction};
pub use best::{Candidate, TopK, arg_extreme};

use crate::error::{Op, Result, checked_area};

const OP: Op = Op::Reduce;

/// An array seen as `[outer, size, inner]`, of which the middle axis is followed.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// Elements in front of the axis.
    pub outer: usize,
    /// Elements of the axis.
    pub size: usize,
    /// Elements behind the axis.
    pub inner: usize,
}

/// Elements that lie side by side.
struct Block {
    /// Of the first one in the array.
    at: usize,
    count: usize,
    /// Position of the first one on its axis.
    position: usize,
    /// 1 where they lie on neighbouring lines, 0 where they follow one line.
    lane: usize,
}

impl Lines {
    /// Elements.
    ///
    /// # Errors
    /// `Memory` where they are too many.
    pub fn elements(&self) -> Result<usize> {
        checked_area(OP, checked_area(OP, self.outer, self.size)?, self.inner)
    }

    /// How many lines there are.
    ///
    /// # Errors
    /// `Memory` where they are too many.
    pub fn lines(&self) -> Result<usize> {
        checked_area(OP, self.outer, self.inner)
    }

    /// Groups of lines that are followed together: a line each where it lies side by side, else up to `most` neighbours. Each is the index of its first line and their number.
    fn groups(self, most: usize) -> impl Iterator<Item = (usize, usize)> {
        let Self { outer, inner, .. } = self;
        (0..outer)
            .flat_map(move |o| (0..inner).step_by(most).map(move |i| (o * inner + i, most.min(inner - i))))
    }

    /// Calls `visit` with the blocks of a group, from the first position of the axis on or, `reversed`, from the last on.
    fn follow(
        self,
        (line, lanes): (usize, usize),
        most: usize,
        reversed: bool,
        visit: &mut dyn FnMut(Block),
    ) {
        let Self { size, inner, .. } = self;
        let start = line / inner * size * inner + line % inner;
        // Blocks of the axis itself, or one position after the other.
        let (stride, lane) = if inner == 1 { (most, 0) } else { (1, 1) };
        let blocks = size.div_ceil(stride);
        for i in 0..blocks {
            let position = stride * if reversed { blocks - 1 - i } else { i };
            let count = if inner == 1 { most.min(size - position) } else { lanes };
            visit(Block { at: start + position * inner, count, position, lane });
        }
    }
}

/// A slice of `count` elements of `size` bytes from element `at` on.
fn slice(x: &[u8], at: usize, count: usize, size: usize) -> &[u8] {
    &x[at * size..(at + count) * size]
}

/// As [`slice`].
fn slice_mut(y: &mut [u8], at: usize, count: usize, size: usize) -> &mut [u8] {
    &mut y[at * size..(at + count) * size]
}
