//! Elements at places that other elements name: what ONNX gathers, scatters and makes one-hot.
//!
//! There is a table of indices and a dense side. The dense side is a row of blocks, `block` elements each; going through them in order is going through `axes`, the
//! last one fastest. Each axis says by how much a step moves in the data and in the indices. From where it stands in the indices, a block reads one index a
//! [`Coordinate`], each of an axis of the data, counted from its end where negative: those say where in the data the block lies. [`Gather::gather`] copies
//! from there to the dense side, [`Gather::scatter`] the other way, also adding, multiplying or keeping the smaller or the larger.
//!
//! Every index is checked before anything is written. The rest is two memory accesses an element, whole blocks at a time; what ONNX calls elements are blocks of one.

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod number;

pub use number::{Number, Reduction};

use crate::buffer::Element;
use crate::error::{KernelError, Op, Result, What, check_range, check_shape};

const OP: Op = Op::Gather;
/// Beyond what a tensor has.
const MAX_AXES: i64 = 16;

/// An axis of the dense side's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Blocks.
    pub count: usize,
    /// Elements of the data from one to the next.
    pub stride: usize,
    /// Indices from one to the next.
    pub index_stride: usize,
}

/// What one index counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coordinate {
    /// The index is `-size` to `size - 1`.
    pub size: usize,
    /// Elements of the data from one to the next.
    pub stride: usize,
}

/// What becomes of an index beyond its axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It is an error.
    Refused,
    /// Its block is left out.
    Skipped,
}

/// The indices of a run.
#[derive(Clone, Copy, Debug)]
pub enum Indices<'a> {
    /// int32
    Narrow(&'a [i32]),
    /// int64
    Wide(&'a [i64]),
}

impl Indices<'_> {
    const fn len(self) -> usize {
        match self {
            Self::Narrow(list) => list.len(),
            Self::Wide(list) => list.len(),
        }
    }

    fn at(self, i: usize) -> i64 {
        match self {
            Self::Narrow(list) => list[i].into(),
            Self::Wide(list) => list[i],
        }
    }
}

/// Lengths of what a run reads and writes, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// Of the data.
    pub data: usize,
    /// Of the indices.
    pub indices: usize,
    /// Of the dense side.
    pub dense: usize,
}

/// Places of one shape.
#[derive(Clone, Debug)]
pub struct Gather {
    lengths: Lengths,
    axes: Vec<Axis>,
    coordinates: Vec<Coordinate>,
    block: usize,
    outside: Outside,
}

impl Gather {
    /// Of data and indices with so many elements.
    ///
    /// # Errors
    /// `Range` where there are more than 16 axes or some block may lie outside of the data or the indices, `Memory` where the dense side has too many elements.
    pub fn new(
        data: usize,
        indices: usize,
        axes: &[Axis],
        coordinates: &[Coordinate],
        block: usize,
        outside: Outside,
    ) -> Result<Self> {
        check_range(OP, What::Axis, 0, MAX_AXES, axes.len() as i64)?;
        check_range(OP, What::Axis, 1, MAX_AXES, coordinates.len() as i64)?;
        let dense = axes.iter().try_fold(block, |all, axis| all.checked_mul(axis.count));
        let dense =
            dense.filter(|&n| n <= isize::MAX as usize / 8).ok_or(KernelError::memory(OP, usize::MAX))?;
        if dense > 0 {
            let index = reach(coordinates.len(), axes.iter().map(|axis| (axis.count, axis.index_stride)))?;
            check_range(OP, What::Indices, index as i64, i64::MAX, indices as i64)?;
            // Of an axis of no elements there is no place.
            if coordinates.iter().all(|coordinate| coordinate.size > 0) {
                let of_axes = reach(block, axes.iter().map(|axis| (axis.count, axis.stride)))?;
                let last = reach(of_axes, coordinates.iter().map(|one| (one.size, one.stride)))?;
                check_range(OP, What::Length, last as i64, i64::MAX, data as i64)?;
            }
        }
        check_shape(OP, What::Indices, 0, indices % coordinates.len())?;
        let lengths = Lengths { data, indices, dense };
        Ok(Self { lengths, axes: axes.to_vec(), coordinates: coordinates.to_vec(), block, outside })
    }

    /// What a run reads and writes.
    pub const fn lengths(&self) -> Lengths {
        self.lengths
    }

    /// `dense` from `data`; blocks that are skipped keep what they hold.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` for an index beyond its axis.
    pub fn gather<T: Element>(&self, data: &[T], indices: Indices<'_>, dense: &mut [T]) -> Result<()> {
        self.check(data.len(), indices, dense.len())?;
        let mut blocks = dense.chunks_exact_mut(self.block.max(1));
        self.walk(indices, &mut |at| {
            if let (Some(block), Some(at)) = (blocks.next(), at) {
                block.copy_from_slice(&data[at..][..block.len()]);
            }
        });
        Ok(())
    }

    /// `data` with the blocks of `dense`, in order, combined with what it holds. A `dense` of one element stands for all.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` for an index beyond its axis.
    pub fn scatter<T: Number>(
        &self,
        reduction: Reduction,
        dense: &[T],
        indices: Indices<'_>,
        data: &mut [T],
    ) -> Result<()> {
        let is_one = dense.len() == 1;
        self.check(data.len(), indices, if is_one { self.lengths.dense } else { dense.len() })?;
        let combine = T::combine(reduction);
        let mut next = 0;
        self.walk(indices, &mut |at| {
            if let Some(at) = at {
                for (i, old) in data[at..][..self.block].iter_mut().enumerate() {
                    *old = combine(*old, dense[if is_one { 0 } else { next + i }]);
                }
            }
            next += self.block;
        });
        Ok(())
    }

    /// Lengths, and every index.
    fn check(&self, data: usize, indices: Indices<'_>, dense: usize) -> Result<()> {
        check_shape(OP, What::Length, self.lengths.data, data)?;
        check_shape(OP, What::Indices, self.lengths.indices, indices.len())?;
        check_shape(OP, What::Length, self.lengths.dense, dense)?;
        if self.outside == Outside::Refused && dense > 0 {
            for i in 0..indices.len() {
                let size = self.coordinates[i % self.coordinates.len()].size as i64;
                check_range(OP, What::Index, -size, size - 1, indices.at(i))?;
            }
        }
        Ok(())
    }

    /// Calls `visit` with where in the data each block lies, `None` for one that is skipped.
    fn walk(&self, indices: Indices<'_>, visit: &mut dyn FnMut(Option<usize>)) {
        if self.lengths.dense > 0 {
            self.along(&self.axes, 0, 0, indices, visit);
        }
    }

    fn along(
        &self,
        axes: &[Axis],
        at: usize,
        index: usize,
        indices: Indices<'_>,
        visit: &mut dyn FnMut(Option<usize>),
    ) {
        let [axis, inner @ ..] = axes else { return visit(self.place(at, index, indices)) };
        for step in 0..axis.count {
            self.along(inner, at + step * axis.stride, index + step * axis.index_stride, indices, visit);
        }
    }

    fn place(&self, at: usize, index: usize, indices: Indices<'_>) -> Option<usize> {
        let mut at = at;
        for (j, coordinate) in self.coordinates.iter().enumerate() {
            let (given, size) = (indices.at(index + j), coordinate.size as i64);
            let counted = if given < 0 { given.wrapping_add(size) } else { given };
            if counted < 0 || counted >= size {
                return None;
            }
            at += counted as usize * coordinate.stride;
        }
        Some(at)
    }
}

/// `start` and the last step along every axis together.
fn reach(start: usize, mut steps: impl Iterator<Item = (usize, usize)>) -> Result<usize> {
    let last = steps.try_fold(start, |at, (size, stride)| at.checked_add((size - 1).checked_mul(stride)?));
    last.filter(|&last| isize::try_from(last).is_ok()).ok_or(KernelError::memory(OP, usize::MAX))
}
