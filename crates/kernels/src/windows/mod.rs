//! Windows over one, two or three spatial axes, for what the two-dimensional families leave out: volumes, windows of any reach as rows of a
//! product, what a transposed convolution adds up, maxima with their places, and p-norms.
//!
//! A [`Windows`] is what slides: per axis the size of the image, the number of places, taps, stride, dilation and padding. Fewer than three
//! axes are padded with [`Axis::POINT`] in front.
//!
//! - [`Windows::unfold`]: images, channels last, to rows of taps (im2col): `y[b, place, g, tap, c] = x[b, source(place, tap), g, c]`. With a
//!   matrix product behind it, it is a convolution of any rank, size known only at run time, or weights that are activations.
//! - [`Windows::fold`]: its transpose (col2im): `y[b, source(place, tap), g, c] += x[b, place, g, tap, c]`, from the bias on, in the order of
//!   places, then taps. With a product before it, a transposed convolution.
//! - [`PoolNd`]: maxima, means and p-norms of planes, channels first, as ONNX counts the places of maxima.
//!
//! All of it is bound by memory: 1 load and 1 store (`fold`: 2 and an addition) per element of a tap, whole runs of channels at a time.

mod fold;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pool;

pub use pool::{PoolNd, Pooled, Reduction};

use core::ops::Range;

use crate::error::{KernelError, Op, Result, What, check_range};

const OP: Op = Op::Windows;

/// No size beyond this, so that products of two fit 64 bits with room.
const LIMIT: i64 = 1 << 24;

/// One spatial axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Elements of the image, at least 1.
    pub input: usize,
    /// Places of the window, at least 1.
    pub output: usize,
    /// Taps, at least 1.
    pub kernel: usize,
    /// Elements between two places, at least 1.
    pub stride: usize,
    /// Elements between two taps, at least 1.
    pub dilation: usize,
    /// Padding before the image.
    pub before: usize,
    /// Padding behind it that counts as part of the image; what a place reaches beyond does not.
    pub after: usize,
}

impl Axis {
    /// One place of one tap over one element.
    pub const POINT: Self =
        Self { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

    /// Taps of place `at` whose coordinate, counted from `before` in front of the image, lies in `low..high`.
    fn taps(&self, at: usize, low: usize, high: usize) -> Range<usize> {
        let start = at * self.stride;
        let first = low.saturating_sub(start).div_ceil(self.dilation);
        let end = high.saturating_sub(start).div_ceil(self.dilation).min(self.kernel);
        first.min(end)..end
    }

    /// Taps of place `at` inside the image.
    fn inside(&self, at: usize) -> Range<usize> {
        self.taps(at, self.before, self.before + self.input)
    }

    /// How many taps lie inside the image or its padding.
    fn padded(&self, at: usize) -> usize {
        self.taps(at, 0, self.before + self.input + self.after).len()
    }

    /// The coordinate of a tap that `inside` admitted.
    fn source(&self, at: usize, tap: usize) -> usize {
        at * self.stride + tap * self.dilation - self.before
    }
}

/// A window over images of one size.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    axes: [Axis; 3],
}

impl Windows {
    /// # Errors
    /// `Range` where a size is 0 or beyond 2^24; `Memory` where an image, its places or its taps are more than memory can hold.
    pub fn new(axes: [Axis; 3]) -> Result<Self> {
        for axis in axes {
            for size in [axis.input, axis.output, axis.kernel, axis.stride, axis.dilation] {
                check_range(OP, What::Geometry, 1, LIMIT, size as i64)?;
            }
            for pad in [axis.before, axis.after] {
                check_range(OP, What::Padding, 0, LIMIT, pad as i64)?;
            }
        }
        let product = |size: fn(&Axis) -> usize| {
            axes.iter().try_fold(1_usize, |product, axis| product.checked_mul(size(axis)))
        };
        let sizes = [product(|axis| axis.input), product(|axis| axis.output), product(|axis| axis.kernel)];
        if sizes.contains(&None) {
            return Err(KernelError::memory(OP, usize::MAX));
        }
        Ok(Self { axes })
    }

    /// Pixels of an image.
    pub fn pixels(&self) -> usize {
        self.axes.iter().map(|axis| axis.input).product()
    }

    /// Places of the window.
    pub fn places(&self) -> usize {
        self.axes.iter().map(|axis| axis.output).product()
    }

    /// Taps of the window.
    pub fn taps(&self) -> usize {
        self.axes.iter().map(|axis| axis.kernel).product()
    }

    /// The coordinates of place `index`.
    fn place(&self, index: usize) -> [usize; 3] {
        let [_, rows, columns] = self.axes.map(|axis| axis.output);
        [index / (rows * columns), index / columns % rows, index % columns]
    }

    /// Calls `visit(tap, pixel)` for the taps of place `index` inside the image, row by row.
    fn visit(&self, index: usize, mut visit: impl FnMut(usize, usize)) {
        let at = self.place(index);
        let [depth, height, width] = &self.axes;
        for d in depth.inside(at[0]) {
            let slice = depth.source(at[0], d) * height.input;
            for h in height.inside(at[1]) {
                let line = (slice + height.source(at[1], h)) * width.input;
                let tap = (d * height.kernel + h) * width.kernel;
                for w in width.inside(at[2]) {
                    visit(tap + w, line + width.source(at[2], w));
                }
            }
        }
    }
}
