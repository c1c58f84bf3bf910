//! Resampling along any axes: nearest, linear and cubic, with and without antialiasing, under every coordinate transformation of ONNX `Resize`.
//!
//! One pass per axis that is resized, first axis first: `y[o, j, i] = sum over t of weight[j, t] * x[o, source[j, t], i]`, one chain over ascending t
//! begun with its first product. A nearest pass copies. What each place reads is worked out once, in f32 as onnxruntime does, when the object is made
//! (`taps.rs`); a pass is then a plain loop over the elements behind its axis, which the compiler turns into vectors: 1 multiply-add per tap and element.

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod taps;

pub use taps::{Axis, Coordinates, Filter, Nearest, Taps};

use crate::buffer::{Arena, Element, lines_for};
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};

const OP: Op = Op::Resize;
const MAX_AXES: usize = 8;

/// How values between elements are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Method {
    /// From a place to a coordinate.
    pub coordinates: Coordinates,
    /// From a coordinate to weights.
    pub filter: Filter,
    /// Whether a shrinking axis widens the filter by its factor.
    pub antialias: bool,
    /// Whether weights outside the image are dropped and the others scaled to a sum of 1; else the border repeats.
    pub exclude_outside: bool,
    /// What places outside the image are under [`Coordinates::TfCropAndResize`].
    pub extrapolation: f32,
}

/// The product of sizes, whose bytes must be a size, too.
fn area(mut sizes: impl Iterator<Item = usize>) -> Result<usize> {
    let area = sizes.try_fold(1, |area, size| checked_area(OP, area, size))?;
    checked_area(OP, area, size_of::<u64>()).map(|_| area)
}

/// One pass.
struct Pass {
    outer: usize,
    inner: usize,
    taps: Taps,
}

/// Resampling of one shape to another.
pub struct Resize {
    passes: Vec<Pass>,
    lengths: [usize; 2],
    /// Elements of the largest result between two passes.
    between: usize,
    extrapolation: f32,
    nearest: bool,
}

impl Resize {
    /// At most 8 axes.
    ///
    /// # Errors
    /// `Range` where a size is 0 or above 2^24, a scale is not positive and finite, or there are more axes; `Memory`.
    pub fn new(axes: &[Axis], method: &Method) -> Result<Self> {
        check_range(OP, What::Axis, 0, MAX_AXES as i64, axes.len() as i64)?;
        let mut passes = Vec::new();
        let mut between = 0;
        let lengths = [area(axes.iter().map(|a| a.input))?, area(axes.iter().map(|a| a.output))?];
        for (at, axis) in axes.iter().enumerate() {
            let taps = Taps::new(axis, method)?;
            if taps.is_identity() {
                continue;
            }
            let outer = area(axes[..at].iter().map(|a| a.output))?;
            let inner = area(axes[at + 1..].iter().map(|a| a.input))?;
            between = between.max(area([outer, axis.output, inner].into_iter())?);
            passes.push(Pass { outer, inner, taps });
        }
        let nearest = matches!(method.filter, Filter::Nearest(_));
        Ok(Self { passes, lengths, between, extrapolation: method.extrapolation, nearest })
    }

    /// Elements of x and of y.
    pub fn lengths(&self) -> [usize; 2] {
        self.lengths
    }

    /// Whether elements are copied only, of whatever type.
    pub fn is_nearest(&self) -> bool {
        self.nearest
    }

    /// Scratch of a run over elements of `bytes` bytes.
    pub fn scratch_lines(&self, bytes: usize) -> usize {
        if self.passes.len() < 2 { 0 } else { 2 * lines_for::<u8>(self.between * bytes) }
    }

    /// Resamples f32.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(&self, x: &[f32], y: &mut [f32], scratch: Arena<'_>) -> Result<()> {
        self.walk(x, y, self.extrapolation, scratch, if self.nearest { copy } else { filter })
    }

    /// Copies the nearest elements, of any type; `outside` is the extrapolation value as one.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where the filter is not nearest.
    pub fn run_nearest<T: Element>(
        &self,
        x: &[T],
        y: &mut [T],
        outside: T,
        scratch: Arena<'_>,
    ) -> Result<()> {
        check_range(OP, What::Kind, 1, 1, i64::from(self.nearest))?;
        self.walk(x, y, outside, scratch, copy)
    }

    fn walk<T: Element>(
        &self,
        x: &[T],
        y: &mut [T],
        outside: T,
        mut scratch: Arena<'_>,
        run: fn(&Pass, &[T], &mut [T]),
    ) -> Result<()> {
        check_shape(OP, What::Length, self.lengths[0], x.len())?;
        check_shape(OP, What::Length, self.lengths[1], y.len())?;
        match self.passes.as_slice() {
            [] => y.copy_from_slice(x),
            [only] => run(only, x, y),
            [first, middle @ .., last] => {
                let (mut from, mut to) = (scratch.take(self.between), scratch.take(self.between));
                run(first, x, &mut from[..first.output_len()]);
                for pass in middle {
                    run(pass, &from[..pass.input_len()], &mut to[..pass.output_len()]);
                    core::mem::swap(&mut from, &mut to);
                }
                run(last, &from[..last.input_len()], y);
            }
        }
        // Behind all passes, for later ones mix what earlier ones wrote.
        for (at, pass) in self.passes.iter().enumerate() {
            let behind = &self.passes[at + 1..];
            let grown: usize = behind.iter().map(|pass| pass.taps.output()).product();
            let shrunk: usize = behind.iter().map(|pass| pass.taps.input()).product();
            let inner = pass.inner / shrunk * grown;
            for (j, y) in y.chunks_exact_mut(inner).enumerate() {
                if pass.taps.is_outside(j % pass.taps.output()) {
                    y.fill(outside);
                }
            }
        }
        Ok(())
    }
}

impl Pass {
    fn input_len(&self) -> usize {
        self.outer * self.taps.input() * self.inner
    }

    fn output_len(&self) -> usize {
        self.outer * self.taps.output() * self.inner
    }

    /// For every place the slab of x behind `outer`, its taps, and where it goes.
    fn places<'a, T>(
        &'a self,
        x: &'a [T],
        y: &'a mut [T],
    ) -> impl Iterator<Item = (&'a [T], &'a [u32], &'a [f32], &'a mut [T])> {
        let slabs = x.chunks_exact(self.taps.input() * self.inner);
        slabs.zip(y.chunks_exact_mut(self.taps.output() * self.inner)).flat_map(move |(x, y)| {
            let places = self.taps.places().zip(y.chunks_exact_mut(self.inner));
            places.map(move |((sources, weights), y)| (x, sources, weights, y))
        })
    }
}

fn copy<T: Element>(pass: &Pass, x: &[T], y: &mut [T]) {
    let inner = pass.inner;
    for (x, sources, _, y) in pass.places(x, y) {
        y.copy_from_slice(&x[sources[0] as usize * inner..][..inner]);
    }
}

fn filter(pass: &Pass, x: &[f32], y: &mut [f32]) {
    let inner = pass.inner;
    for (x, sources, weights, y) in pass.places(x, y) {
        for (t, (source, weight)) in sources.iter().zip(weights).enumerate() {
            let x = &x[*source as usize * inner..][..inner];
            if t == 0 {
                y.iter_mut().zip(x).for_each(|(y, x)| *y = weight * x);
            } else {
                y.iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
            }
        }
    }
}
