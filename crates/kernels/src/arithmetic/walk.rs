//! Three operands, numpy broadcasting.
//!
//! As in [`crate::elementwise`], axes that all operands walk alike are joined: what is left is an outer walk and one inner run, in which an operand moves by one element or stands still.

use super::OP;
use crate::elementwise::MAX_AXES;
use crate::error::{KernelError, Result, What, check_range};

/// Operands of a function.
pub(super) const OPERANDS: usize = 3;

/// One axis: its size, and how far each operand moves per step.
#[derive(Clone, Copy, Debug, Default)]
struct Axis {
    size: usize,
    steps: [usize; OPERANDS],
}

/// How three shapes are walked together.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    outer: Vec<Axis>,
    inner: Axis,
    /// Elements of the operands.
    pub lengths: [usize; OPERANDS],
    /// Elements of what they broadcast to.
    pub len: usize,
}

impl Walk {
    pub(super) fn new(shapes: [&[usize]; OPERANDS]) -> Result<Self> {
        let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
        check_range(OP, What::Axis, 0, MAX_AXES as i64, rank as i64)?;
        let mut axes: Vec<Axis> = Vec::new();
        let (mut lengths, mut len) = ([1_usize; OPERANDS], 1_usize);
        // From the last axis out; the innermost comes first and the list is reversed at the end.
        for back in 1..=rank {
            let sizes = shapes.map(|shape| shape.len().checked_sub(back).map_or(1, |i| shape[i]));
            let size = sizes.into_iter().find(|size| *size != 1).unwrap_or(1);
            if let Some(&other) = sizes.iter().find(|other| **other != 1 && **other != size) {
                return Err(KernelError::shape(OP, What::Axis, size, other));
            }
            let mut axis = Axis { size, ..Axis::default() };
            for operand in 0..OPERANDS {
                axis.steps[operand] = if sizes[operand] == 1 { 0 } else { lengths[operand] };
                lengths[operand] = area(lengths[operand], sizes[operand])?;
            }
            len = area(len, size)?;
            match axes.last_mut() {
                _ if size == 1 => {}
                // The next axis out begins where this one ends, in every operand: one longer axis.
                Some(inner) if inner.steps.map(|step| step * inner.size) == axis.steps => inner.size *= size,
                _ => axes.push(axis),
            }
        }
        axes.reverse();
        let inner = axes.pop().unwrap_or(Axis { size: 1, ..Axis::default() });
        Ok(Self { outer: axes, inner, lengths, len })
    }

    /// Whether an operand moves within a run.
    pub(super) const fn moves(&self, operand: usize) -> bool {
        self.inner.steps[operand] != 0
    }

    /// Calls `run` with where each operand is, and the next elements of the result, at most `most` at a time.
    pub(super) fn blocks(
        &self,
        most: usize,
        run: &mut dyn FnMut([usize; OPERANDS], core::ops::Range<usize>),
    ) {
        let mut index = [0; MAX_AXES];
        let (mut at, mut start) = ([0; OPERANDS], 0);
        while start < self.len {
            for begin in (0..self.inner.size).step_by(most) {
                let end = self.inner.size.min(begin + most);
                let mut from = at;
                for (from, step) in from.iter_mut().zip(self.inner.steps) {
                    *from += begin * step;
                }
                run(from, start + begin..start + end);
            }
            start += self.inner.size;
            // The odometer of the outer axes, innermost first.
            for (axis, i) in self.outer.iter().zip(&mut index).rev() {
                *i += 1;
                let wraps = *i == axis.size;
                for (at, step) in at.iter_mut().zip(axis.steps) {
                    *at += step;
                    *at -= if wraps { step * axis.size } else { 0 };
                }
                if !wraps {
                    break;
                }
                *i = 0;
            }
        }
    }
}

fn area(a: usize, b: usize) -> Result<usize> {
    a.checked_mul(b).ok_or(KernelError::memory(OP, usize::MAX))
}
