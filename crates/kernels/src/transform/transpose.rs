//! Any permutation of axes.
//!
//! Axes that stay neighbours are joined first, so that the common cases are one or two loops: a permutation that keeps the last axis
//! moves whole runs, and NCHW ↔ NHWC is a batch of matrix transpositions, walked in tiles that fit the first-level cache.

use super::{MAX_AXES, OP, elements};
use crate::buffer::Element;
use crate::error::{KernelError, Result, What, check_shape};

/// Side of a tile.
const TILE: usize = 16;

/// A permutation of the axes of one shape.
#[derive(Clone, Debug)]
pub struct Transpose {
    len: usize,
    /// Of y, outermost first: its size, and how far x moves. At least one.
    axes: Vec<(usize, usize)>,
}

impl Transpose {
    /// Axis i of y is axis `permutation[i]` of x.
    ///
    /// # Errors
    /// `Range` where there are more than 8 axes or the permutation is none, `Memory` where there are too many elements.
    pub fn new(shape: &[usize], permutation: &[usize]) -> Result<Self> {
        let len = elements(shape)?;
        check_shape(OP, What::Axis, shape.len(), permutation.len())?;
        let mut strides = [1; MAX_AXES];
        for i in (1..shape.len()).rev() {
            strides[i - 1] = strides[i] * shape[i];
        }
        let mut seen = [false; MAX_AXES];
        let mut axes: Vec<(usize, usize)> = Vec::new();
        for &axis in permutation {
            if axis >= shape.len() || core::mem::replace(&mut seen[axis], true) {
                return Err(KernelError::range(OP, What::Axis, shape.len().saturating_sub(1), axis));
            }
            if shape[axis] == 1 {
                continue;
            }
            match axes.last_mut() {
                // This axis continues the one before it in x as it does in y.
                Some((size, stride)) if *stride == shape[axis] * strides[axis] => {
                    *size *= shape[axis];
                    *stride = strides[axis];
                }
                _ => axes.push((shape[axis], strides[axis])),
            }
        }
        if axes.is_empty() {
            axes.push((len.min(1), 1));
        }
        Ok(Self { len, axes })
    }

    /// Elements of x and y.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Moves the elements.
    ///
    /// # Errors
    /// `Shape` where x or y does not have its length.
    pub fn run<T: Element>(&self, x: &[T], y: &mut [T]) -> Result<()> {
        check_shape(OP, What::Length, self.len, x.len())?;
        check_shape(OP, What::Length, self.len, y.len())?;
        if self.len > 0 {
            walk(&self.axes, x, y);
        }
        Ok(())
    }
}

fn walk<T: Element>(axes: &[(usize, usize)], x: &[T], y: &mut [T]) {
    match *axes {
        [(size, 1)] => y.copy_from_slice(&x[..size]),
        [(_, stride)] => {
            for (y, x) in y.iter_mut().zip(x.iter().step_by(stride)) {
                *y = *x;
            }
        }
        [(rows, 1), (columns, stride)] => matrix(rows, columns, stride, x, y),
        [(size, stride), ref inner @ ..] => {
            for (i, y) in y.chunks_exact_mut(y.len() / size).enumerate() {
                walk(inner, &x[i * stride..], y);
            }
        }
        [] => {}
    }
}

/// `y[r][c] = x[c * stride + r]`, tile by tile.
fn matrix<T: Element>(rows: usize, columns: usize, stride: usize, x: &[T], y: &mut [T]) {
    for (block, y) in y.chunks_mut(TILE * columns).enumerate() {
        let first = block * TILE;
        let height = TILE.min(rows - first);
        for left in (0..columns).step_by(TILE) {
            let right = columns.min(left + TILE);
            for c in left..right {
                let x = &x[c * stride + first..][..height];
                for (r, &value) in x.iter().enumerate() {
                    y[r * columns + c] = value;
                }
            }
        }
    }
}
