//! Max pooling of bits: the largest of ±1 is -1 (bit 1) exactly where all are, so the window's words are joined by AND, 32 channels to an operation.

use super::OP;
use crate::error::{KernelError, Result, What, check_range, check_shape, checked_area};
use crate::geometry::Geometry;
use crate::layout::words_per_row;

/// A pooling layer over images of one size. Every tier runs this loop: it moves words.
#[derive(Clone, Copy, Debug)]
pub struct BitMaxPool {
    geometry: Geometry,
    words: usize,
}

impl BitMaxPool {
    /// `channels` at least 1; a window that lies wholly outside the image is refused, other missing taps are ignored.
    pub fn new(geometry: Geometry, channels: usize) -> Result<Self> {
        check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
        for axis in 0..2 {
            if let Some(at) = (0..geometry.output[axis]).find(|&at| geometry.inside(axis, at).is_empty()) {
                return Err(KernelError::range(OP, What::Padding, 0, at));
            }
        }
        Ok(Self { geometry, words: words_per_row(channels) })
    }

    /// Words per image that go in.
    pub fn input_len(&self) -> usize {
        self.geometry.input_pixels() * self.words
    }

    /// Words per image that come out.
    pub fn output_len(&self) -> usize {
        self.geometry.output_pixels() * self.words
    }

    /// `x` `[batch, h, w, words]` to `y` `[batch, h', w', words]`.
    pub fn run(&self, x: &[u32], batch: usize, y: &mut [u32]) -> Result<()> {
        check_shape(OP, What::Length, checked_area(OP, batch, self.input_len())?, x.len())?;
        check_shape(OP, What::Length, checked_area(OP, batch, self.output_len())?, y.len())?;
        let images = x.chunks_exact(self.input_len()).zip(y.chunks_exact_mut(self.output_len()));
        for (x, y) in images {
            for (pixel, y) in y.chunks_exact_mut(self.words).enumerate() {
                self.pixel(x, pixel, y);
            }
        }
        Ok(())
    }

    fn pixel(&self, x: &[u32], pixel: usize, y: &mut [u32]) {
        let g = &self.geometry;
        let (oy, ox) = (pixel / g.output[1], pixel % g.output[1]);
        y.fill(u32::MAX);
        for ky in g.inside(0, oy) {
            for kx in g.inside(1, ox) {
                let at = g.source(0, oy, ky) * g.input[1] + g.source(1, ox, kx);
                for (y, x) in y.iter_mut().zip(&x[at * self.words..][..self.words]) {
                    *y &= x;
                }
            }
        }
    }
}
