//! Copies of whole tensors along strides: slices, repetition, splitting, padding by a value or by what is near, and their like.
//!
//! y is dense. Each of its axes is a row of segments, and a segment says where in x its places lie: `count` of them, `step` apart, or that they are
//! padding. So `y[i, j, ...] = x[f(i) * stride_0 + g(j) * stride_1 + ...]` with piecewise linear f, g, and a slice is one segment an axis, a reflection
//! three, a repetition as many as there are copies. Elements are 1, 2, 4 or 8 bytes and nothing more.
//!
//! Axes that continue each other are joined first, so that what is contiguous is moved as one run (memory bandwidth is the limit there); else an element costs
//! about as much as its two memory accesses. Tried and dropped: a table of offsets per axis, which would have to be made for every shape.

mod made;
#[cfg(any(test, feature = "testing"))]
pub mod naive;

pub use made::{Triangle, range};

use crate::buffer::Element;
use crate::error::{KernelError, Op, Result, What, check_range, check_shape};

const OP: Op = Op::Strided;
/// Of y; splitting one axis into three (blocks of pixels) takes more than a tensor has.
const MAX_AXES: usize = 16;

/// Places that follow one another along an axis of y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Index in x of the first; -1: all of them are padding.
    pub start: i32,
    /// From one to the next.
    pub step: i32,
    /// How many.
    pub count: i32,
}

/// An axis of y.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Elements of x from one index to the next.
    pub stride: usize,
    /// In the order of y.
    pub segments: Vec<Segment>,
}

/// A segment in elements of x.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// `None`: padding.
    start: Option<isize>,
    step: isize,
    count: usize,
}

/// A copy of one shape.
#[derive(Clone, Debug)]
pub struct Strided {
    lengths: [usize; 2],
    /// Element of x where all axes begin.
    base: isize,
    /// Outermost first; an axis of one place is in `base`.
    axes: Vec<Vec<Run>>,
}

impl Strided {
    /// Of x with `x_len` elements.
    ///
    /// # Errors
    /// `Range` where there are more than 16 axes, a segment is none or some place lies outside of x, `Memory` where y has too many elements.
    pub fn new(x_len: usize, axes: &[Axis]) -> Result<Self> {
        check_range(OP, What::Axis, 0, MAX_AXES as i64, axes.len() as i64)?;
        let mut result = Self { lengths: [x_len, 1], base: 0, axes: Vec::new() };
        // The highest element that is read: no product of two numbers below 2^31 leaves 64 bits.
        let mut highest = 0_i64;
        for Axis { stride, segments } in axes {
            let stride = i64::try_from(*stride).unwrap_or(i64::MAX);
            check_range(OP, What::Stride, 0, i64::from(i32::MAX), stride)?;
            let (mut places, mut most) = (0_usize, 0_i64);
            let mut runs = Vec::with_capacity(segments.len());
            for &Segment { start, step, count } in segments {
                check_range(OP, What::Length, 0, i64::from(i32::MAX), count.into())?;
                check_range(OP, What::Geometry, -1, i64::from(i32::MAX), start.into())?;
                if count == 0 {
                    continue;
                }
                places = places.saturating_add(count as usize);
                if start < 0 {
                    runs.push(Run { start: None, step: 0, count: count as usize });
                    continue;
                }
                let (start, step) = (i64::from(start), i64::from(step));
                let last = start + step * i64::from(count - 1);
                check_range(OP, What::Geometry, 0, i64::from(i32::MAX), last)?;
                most = most.max(start.max(last));
                runs.push(Run {
                    start: Some((start * stride) as isize),
                    step: (step * stride) as isize,
                    count: count as usize,
                });
            }
            highest = highest.saturating_add(most * stride);
            let length = result.lengths[1].checked_mul(places).filter(|&n| n <= isize::MAX as usize / 8);
            result.lengths[1] = length.ok_or(KernelError::memory(OP, usize::MAX))?;
            result.push(runs);
        }
        if result.lengths[1] > 0 {
            check_range(OP, What::Length, highest + 1, i64::MAX, x_len as i64)?;
        }
        Ok(result)
    }

    /// Adds an axis behind the others, joined with the last one where it continues that.
    fn push(&mut self, runs: Vec<Run>) {
        let [inner] = runs[..] else { return self.axes.push(runs) };
        let Some(start) = inner.start else { return self.axes.push(runs) };
        if inner.count == 1 {
            self.base += start;
        } else if let Some([outer]) = self.axes.last_mut().map(Vec::as_mut_slice)
            && outer.start.is_some()
            && outer.step == inner.step * inner.count as isize
        {
            *outer = Run {
                start: outer.start.map(|outer| outer + start),
                step: inner.step,
                count: outer.count * inner.count,
            };
        } else {
            self.axes.push(runs);
        }
    }

    /// Elements of x and y.
    pub const fn lengths(&self) -> [usize; 2] {
        self.lengths
    }

    /// Writes all of y; `fill` is what padding holds.
    ///
    /// # Errors
    /// `Shape` where x or y does not have its length.
    pub fn run<T: Element>(&self, x: &[T], fill: T, y: &mut [T]) -> Result<()> {
        check_shape(OP, What::Length, self.lengths[0], x.len())?;
        check_shape(OP, What::Length, self.lengths[1], y.len())?;
        if !y.is_empty() {
            walk(&self.axes, self.base, x, fill, y);
        }
        Ok(())
    }
}

/// Fills y, which is the part of the outer axes' place at `base`.
fn walk<T: Element>(axes: &[Vec<Run>], base: isize, x: &[T], fill: T, y: &mut [T]) {
    let [runs, inner @ ..] = axes else {
        y[0] = x[base as usize];
        return;
    };
    let places: usize = runs.iter().map(|run| run.count).sum();
    let size = y.len() / places;
    let mut rest = y;
    for &Run { start, step, count } in runs {
        let (y, behind) = rest.split_at_mut(count * size);
        rest = behind;
        let Some(start) = start else {
            y.fill(fill);
            continue;
        };
        let at = base + start;
        if inner.is_empty() {
            line(at, step, x, y);
        } else if step == 0 {
            walk(inner, at, x, fill, &mut y[..size]);
            for place in 1..count {
                y.copy_within(..size, place * size);
            }
        } else {
            for (place, y) in y.chunks_exact_mut(size).enumerate() {
                walk(inner, at + step * place as isize, x, fill, y);
            }
        }
    }
}

/// The innermost axis.
fn line<T: Element>(at: isize, step: isize, x: &[T], y: &mut [T]) {
    match step {
        1 => y.copy_from_slice(&x[at as usize..][..y.len()]),
        0 => y.fill(x[at as usize]),
        _ => {
            let mut at = at;
            for y in y {
                *y = x[at as usize];
                at += step;
            }
        }
    }
}
