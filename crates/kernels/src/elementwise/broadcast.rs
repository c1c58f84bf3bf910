//! Two operands, numpy broadcasting.
//!
//! Shapes are aligned at their last axis and neighbouring axes that both operands walk alike are joined, so that what is left
//! is an outer walk and one inner run in which each operand either moves by one element or stands still:
//!
//! ```text
//! [8, 28, 28, 16] + [16]   →  6272 runs of 16, both moving
//! [8, 28, 28, 16] + []     →  1 run of 100352, b standing
//! ```

use crate::error::{KernelError, Op, Result, What, check_range, check_shape};

const OP: Op = Op::Elementwise;

/// Axes that a shape may have.
pub(crate) const MAX_AXES: usize = 8;

/// The arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a * b
    Mul,
    /// a / b
    Div,
}

/// One axis of the walk: its size, and how far each operand moves per step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Axis {
    size: usize,
    a: usize,
    b: usize,
}

/// `y = a op b` for two fixed shapes.
#[derive(Clone, Debug)]
pub struct Binary {
    op: BinaryOp,
    /// Outermost first; at least one.
    axes: Vec<Axis>,
    lengths: [usize; 3],
}

impl Binary {
    /// Shapes of at most 8 axes; each pair of axes, aligned at the last, is equal or one of them is 1.
    ///
    /// # Errors
    /// `Range` where a shape has too many axes, `Shape` where two axes do not fit, `Memory` where the result has too many elements.
    pub fn new(op: BinaryOp, a: &[usize], b: &[usize]) -> Result<Self> {
        let rank = a.len().max(b.len());
        check_range(OP, What::Axis, 0, MAX_AXES as i64, rank as i64)?;
        let mut axes: Vec<Axis> = Vec::new();
        let mut lengths = [1_usize; 3];
        // From the last axis out; the innermost is pushed first and the list reversed at the end.
        for back in 1..=rank {
            let at = |shape: &[usize]| shape.len().checked_sub(back).map_or(1, |i| shape[i]);
            let (size_a, size_b) = (at(a), at(b));
            if size_a != size_b && size_a != 1 && size_b != 1 {
                return Err(KernelError::shape(OP, What::Axis, size_a, size_b));
            }
            let size = if size_a == 1 { size_b } else { size_a };
            let step = |own: usize, elements: usize| if own == 1 { 0 } else { elements };
            let axis = Axis { size, a: step(size_a, lengths[0]), b: step(size_b, lengths[1]) };
            for (length, size) in lengths.iter_mut().zip([size_a, size_b, size]) {
                *length = length.checked_mul(size).ok_or(KernelError::memory(OP, usize::MAX))?;
            }
            if size == 1 {
                continue;
            }
            match axes.last_mut() {
                // The next axis out begins where this one ends, in both operands: one longer axis.
                Some(inner) if axis.a == inner.a * inner.size && axis.b == inner.b * inner.size => {
                    inner.size *= size;
                }
                _ => axes.push(axis),
            }
        }
        if axes.is_empty() {
            axes.push(Axis { size: 1, a: 0, b: 0 });
        }
        axes.reverse();
        Ok(Self { op, axes, lengths })
    }

    /// Elements of a, b and y.
    pub fn lengths(&self) -> [usize; 3] {
        self.lengths
    }

    /// Computes y.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(&self, a: &[f32], b: &[f32], y: &mut [f32]) -> Result<()> {
        for (expected, got) in self.lengths.into_iter().zip([a.len(), b.len(), y.len()]) {
            check_shape(OP, What::Length, expected, got)?;
        }
        match self.op {
            BinaryOp::Add => self.walk(a, b, y, |a, b| a + b),
            BinaryOp::Sub => self.walk(a, b, y, |a, b| a - b),
            BinaryOp::Mul => self.walk(a, b, y, |a, b| a * b),
            BinaryOp::Div => self.walk(a, b, y, |a, b| a / b),
        }
        Ok(())
    }

    fn walk(&self, a: &[f32], b: &[f32], y: &mut [f32], op: impl Fn(f32, f32) -> f32 + Copy) {
        let Some((inner, outer)) = self.axes.split_last() else { return };
        if y.is_empty() {
            return;
        }
        let mut index = [0; MAX_AXES];
        let (mut at_a, mut at_b) = (0, 0);
        for y in y.chunks_exact_mut(inner.size) {
            run(&a[at_a..], inner.a, &b[at_b..], inner.b, y, op);
            // The odometer of the outer axes, innermost first.
            for (axis, i) in outer.iter().zip(&mut index).rev() {
                *i += 1;
                at_a += axis.a;
                at_b += axis.b;
                if *i < axis.size {
                    break;
                }
                *i = 0;
                at_a -= axis.a * axis.size;
                at_b -= axis.b * axis.size;
            }
        }
    }
}

/// One inner run; an operand moves by one element (`step` 1) or stands (`step` 0).
fn run(a: &[f32], step_a: usize, b: &[f32], step_b: usize, y: &mut [f32], op: impl Fn(f32, f32) -> f32) {
    match (step_a, step_b) {
        (0, 0) => y.fill(op(a[0], b[0])),
        (0, _) => {
            let (a, b) = (a[0], &b[..y.len()]);
            y.iter_mut().zip(b).for_each(|(y, &b)| *y = op(a, b));
        }
        (_, 0) => {
            let (a, b) = (&a[..y.len()], b[0]);
            y.iter_mut().zip(a).for_each(|(y, &a)| *y = op(a, b));
        }
        _ => {
            let (a, b) = (&a[..y.len()], &b[..y.len()]);
            y.iter_mut().zip(a.iter().zip(b)).for_each(|(y, (&a, &b))| *y = op(a, b));
        }
    }
}
