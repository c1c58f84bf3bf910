//! Positions of the largest or smallest elements along an axis.
//!
//! Elements of every type are compared as int64 keys of the same order ([`crate::dtype`]): NaN is above all numbers, -0 equals 0.

use core::cmp::Reverse;

use super::{Lines, OP, slice, slice_mut};
use crate::dtype::{BLOCK, DType, load_keys};
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// The keys of `x`, turned where the smallest is the best.
fn keys<'a>(x: &[u8], dtype: DType, smallest: bool, keys: &'a mut [i64]) -> &'a [i64] {
    load_keys(x, dtype, keys);
    if smallest {
        for key in &mut *keys {
            *key = !*key;
        }
    }
    keys
}

/// The position of each line's largest (or smallest) element, int64; of several the first, or the last.
///
/// # Errors
/// `Shape` where a slice does not have its length; `Range` where lines are empty; `Memory` where x has too many elements.
pub fn arg_extreme(
    dtype: DType,
    lines: Lines,
    smallest: bool,
    last: bool,
    x: &[u8],
    y: &mut [u8],
) -> Result<()> {
    let size = dtype.size();
    check_shape(OP, What::Bytes, checked_area(OP, lines.elements()?, size)?, x.len())?;
    check_shape(OP, What::Bytes, checked_area(OP, lines.lines()?, 8)?, y.len())?;
    if y.is_empty() {
        return Ok(());
    }
    check_range(OP, What::Length, 1, i64::MAX, lines.size as i64)?;
    let mut values = [0; BLOCK];
    let mut done = 0;
    for (line, lanes) in lines.groups(BLOCK) {
        let mut best = [(i64::MIN, 0); BLOCK];
        lines.follow((line, lanes), BLOCK, false, &mut |block| {
            let bytes = slice(x, block.at, block.count, size);
            for (i, key) in keys(bytes, dtype, smallest, &mut values[..block.count]).iter().enumerate() {
                let best = &mut best[i * block.lane];
                let position = block.position + if block.lane == 0 { i } else { 0 };
                if *key > best.0 || last && *key == best.0 {
                    *best = (*key, position);
                }
            }
        });
        let to = slice_mut(y, done, lanes, 8).as_chunks_mut::<8>().0;
        for (to, (_, position)) in to.iter_mut().zip(best) {
            *to = (position as i64).to_le_bytes();
        }
        done += lanes;
    }
    Ok(())
}

/// The k best elements of each line in descending order (ascending where they are the smallest); of equal ones the first.
#[derive(Clone, Copy, Debug)]
pub struct TopK {
    dtype: DType,
    lines: Lines,
    k: usize,
    smallest: bool,
}

/// A key and, as the earlier of two equal ones is the better, its position turned.
pub type Candidate = (i64, Reverse<usize>);

impl TopK {
    /// # Errors
    /// `Range` where k is above the elements of a line.
    pub fn new(dtype: DType, lines: Lines, k: usize, smallest: bool) -> Result<Self> {
        check_range(OP, What::Best, 0, lines.size as i64, k as i64)?;
        Ok(Self { dtype, lines, k, smallest })
    }

    /// Bytes of x, of the values and of the positions.
    ///
    /// # Errors
    /// `Memory` where they are too many.
    pub fn bytes(&self) -> Result<[usize; 3]> {
        let kept = checked_area(OP, self.lines.lines()?, self.k)?;
        let size = self.dtype.size();
        Ok([
            checked_area(OP, self.lines.elements()?, size)?,
            checked_area(OP, kept, size)?,
            checked_area(OP, kept, 8)?,
        ])
    }

    /// Writes values of x's type and positions of int64, both `[outer, k, inner]`.
    ///
    /// # Arguments
    /// - `heap`: room for k candidates.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(
        &self,
        x: &[u8],
        values: &mut [u8],
        positions: &mut [u8],
        heap: &mut Vec<Candidate>,
    ) -> Result<()> {
        let bytes = self.bytes()?;
        for (expected, got) in bytes.into_iter().zip([x.len(), values.len(), positions.len()]) {
            check_shape(OP, What::Bytes, expected, got)?;
        }
        let Self { dtype, lines: Lines { outer, size, inner }, k, smallest } = *self;
        let bytes = dtype.size();
        let mut block = [0; BLOCK];
        if k == 0 {
            return Ok(());
        }
        for line in 0..outer * inner {
            let at = |position: usize, size: usize| (line / inner * size + position) * inner + line % inner;
            heap.clear();
            // Keys of elements side by side are read together.
            let most = if inner == 1 { BLOCK } else { 1 };
            for start in (0..size).step_by(most) {
                let count = most.min(size - start);
                let block =
                    keys(slice(x, at(start, size), count, bytes), dtype, smallest, &mut block[..count]);
                for (i, key) in block.iter().enumerate() {
                    offer(heap, k, (*key, Reverse(start + i)));
                }
            }
            // The worst one goes out first.
            for rank in (0..k).rev() {
                let (_, Reverse(position)) = heap[0];
                let from = slice(x, at(position, size), 1, bytes);
                slice_mut(values, at(rank, k), 1, bytes).copy_from_slice(from);
                slice_mut(positions, at(rank, k), 1, 8).copy_from_slice(&(position as i64).to_le_bytes());
                let last = heap.len() - 1;
                heap.swap(0, last);
                heap.truncate(last);
                sink(heap, 0);
            }
        }
        Ok(())
    }
}

/// Keeps the k best, the worst of them in front.
fn offer(heap: &mut Vec<Candidate>, k: usize, candidate: Candidate) {
    if heap.len() < k {
        let mut child = heap.len();
        heap.push(candidate);
        while child > 0 && heap[child] < heap[(child - 1) / 2] {
            heap.swap(child, (child - 1) / 2);
            child = (child - 1) / 2;
        }
    } else if candidate > heap[0] {
        heap[0] = candidate;
        sink(heap, 0);
    }
}

/// Moves an entry down until none below it is worse.
fn sink(heap: &mut [Candidate], mut parent: usize) {
    loop {
        let mut worst = parent;
        for child in [2 * parent + 1, 2 * parent + 2] {
            if child < heap.len() && heap[child] < heap[worst] {
                worst = child;
            }
        }
        if worst == parent {
            return;
        }
        heap.swap(parent, worst);
        parent = worst;
    }
}
