//! Max and average pooling over windows of NHWC images.
//!
//! `y[b, oy, ox, c]` = the maximum or the mean of `x[b, iy, ix, c]` over the taps of the window that lie inside the image.
//!
//! - **Max**, any element type: missing taps are ignored. f32: a NaN in a window makes its result the canonical NaN (0x7fc00000);
//!   of two equal values (-0 and +0) the first tap's is kept.
//! - **Average**, f32: one chain over the taps row by row, started at +0, then one division by their number (all taps where
//!   padding is counted; padding adds nothing).
//! - **Average**, bytes: the exact sum, then `round_ties_even(f32(sum) / f32(count))`; counted padding adds the zero point. The
//!   quantization of x stays that of y.
//!
//! Channels lie side by side, so every step is a plain loop over a row of channels, which the compiler turns into vectors: there
//! is no separate vector file, and nothing to reorder.

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;

pub use scalar::PoolElement;

use crate::error::{KernelError, Op, Result, What, check_range, check_shape, checked_area};
use crate::geometry::Geometry;

const OP: Op = Op::Pool;

/// What a window becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The largest element.
    Max,
    /// The mean of the taps inside the image.
    Average,
    /// The mean of all taps; those outside count as `padding`.
    AverageWithPadding {
        /// Zero point of byte activations; f32 counts 0 whatever it says.
        padding: i32,
    },
}

/// A pooling layer over images of one size.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    geometry: Geometry,
    channels: usize,
    reduction: Reduction,
}

impl Pool {
    /// `channels` at least 1.
    ///
    /// # Errors
    /// `Range` where channels is 0 or a window would lie wholly outside the image, or has more than 2^16 taps.
    pub fn new(geometry: Geometry, channels: usize, reduction: Reduction) -> Result<Self> {
        check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
        // Sums of 2^16 bytes stay inside 2^24, where f32 holds every integer.
        check_range(
            OP,
            What::Taps,
            1,
            1 << 16,
            checked_area(OP, geometry.window.kernel[0], geometry.window.kernel[1])? as i64,
        )?;
        for axis in 0..2 {
            if let Some(at) = (0..geometry.output[axis]).find(|&at| geometry.inside(axis, at).is_empty()) {
                return Err(KernelError::range(OP, What::Padding, 0, at));
            }
        }
        Ok(Self { geometry, channels, reduction })
    }

    /// Output elements per image.
    pub fn output_len(&self) -> usize {
        self.geometry.output_pixels() * self.channels
    }

    /// Input elements per image.
    pub fn input_len(&self) -> usize {
        self.geometry.input_pixels() * self.channels
    }

    /// Pools `batch` images: `x [batch, h, w, channels]` to `y [batch, h', w', channels]`.
    ///
    /// # Errors
    /// `Shape` where x or y does not have its length; `Range` where the element type has no average.
    pub fn run<T: PoolElement>(&self, x: &[T], batch: usize, y: &mut [T]) -> Result<()> {
        check_shape(OP, What::Length, checked_area(OP, batch, self.input_len())?, x.len())?;
        check_shape(OP, What::Length, checked_area(OP, batch, self.output_len())?, y.len())?;
        if self.reduction != Reduction::Max && !T::AVERAGES {
            return Err(KernelError::range(OP, What::Kind, 0, 1));
        }
        let images = x.chunks_exact(self.input_len()).zip(y.chunks_exact_mut(self.output_len()));
        for (x, y) in images {
            self.image(x, y);
        }
        Ok(())
    }

    fn image<T: PoolElement>(&self, x: &[T], y: &mut [T]) {
        let [_, width] = self.geometry.output;
        for (at, y) in y.chunks_exact_mut(self.channels).enumerate() {
            // Blocks of channels, so that the sums of bytes need no memory beyond the stack.
            for (block, y) in y.chunks_mut(scalar::BLOCK).enumerate() {
                let taps = self.taps(x, at / width, at % width, block * scalar::BLOCK, y.len());
                let total = self.geometry.window.taps();
                match self.reduction {
                    Reduction::Max => T::max(taps, y),
                    Reduction::Average => T::average(taps, None, y),
                    Reduction::AverageWithPadding { padding } => T::average(taps, Some((total, padding)), y),
                }
            }
        }
    }

    /// The channels `first..first + count` of every tap of output pixel (oy, ox) that lies inside the image, row by row.
    fn taps<'x, T>(
        &self,
        x: &'x [T],
        oy: usize,
        ox: usize,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = &'x [T]> {
        let (g, channels) = (self.geometry, self.channels);
        let columns = g.inside(1, ox);
        g.inside(0, oy).flat_map(move |ky| {
            let line = g.source(0, oy, ky) * g.input[1];
            columns.clone().map(move |kx| &x[(line + g.source(1, ox, kx)) * channels + first..][..count])
        })
    }
}
