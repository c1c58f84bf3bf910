//! Which taps of which pixels meet.

use super::OP;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::geometry::Geometry;

/// Sizes of a depthwise convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) geometry: Geometry,
    pub(super) channels: usize,
    pub(super) outputs: usize,
}

/// The taps of one output pixel that lie inside the image: where their input pixel and their weights start.
pub(super) struct Taps<'a> {
    /// Added to every input.
    base: usize,
    inputs: &'a [u32],
    weights: &'a [u32],
}

impl Walk {
    /// `outputs` is a multiple of `channels`.
    pub(super) fn new(geometry: Geometry, channels: usize, outputs: usize) -> Result<Self> {
        check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
        check_range(OP, What::Columns, 1, 1 << 24, outputs as i64)?;
        check_shape(OP, What::Columns, 0, outputs % channels)?;
        // Positions are kept in 32 bits.
        for area in [
            checked_area(OP, geometry.input_pixels(), channels)?,
            checked_area(OP, taps(&geometry)?, outputs)?,
        ] {
            check_range(OP, What::Length, 0, i64::from(u32::MAX), area as i64)?;
        }
        Ok(Self { geometry, channels, outputs })
    }

    /// Elements of an image of x.
    pub(super) fn input_len(&self) -> usize {
        self.geometry.input_pixels() * self.channels
    }

    /// Channels of all pixels of a result.
    pub(super) fn output_pixels(&self) -> usize {
        self.geometry.output_pixels()
    }

    /// Calls `pixel` with the index of every output pixel of an image and its taps inside the image; `lists` holds twice as many words as taps.
    pub(super) fn pixels(&self, lists: &mut [u32], mut pixel: impl FnMut(usize, Taps<'_>)) {
        let g = &self.geometry;
        let step = g.window.strides[1] * self.channels;
        let (inputs, weights) = lists.split_at_mut(g.window.taps());
        for oy in 0..g.output[0] {
            // Neighbours whose window is cut alike have the same taps a step further: lists are made at the edges only.
            let (mut cut, mut base, mut count) = (None, 0, 0);
            for ox in 0..g.output[1] {
                let inside = g.inside(1, ox);
                if cut.as_ref() == Some(&inside) {
                    base += step;
                } else {
                    count = self.list(oy, ox, inputs, weights);
                    (cut, base) = (Some(inside), 0);
                }
                let taps = Taps { base, inputs: &inputs[..count], weights: &weights[..count] };
                pixel(oy * g.output[1] + ox, taps);
            }
        }
    }

    /// Lists the taps of a pixel and says how many there are.
    fn list(&self, oy: usize, ox: usize, inputs: &mut [u32], weights: &mut [u32]) -> usize {
        let g = &self.geometry;
        let mut count = 0;
        for ky in g.inside(0, oy) {
            for kx in g.inside(1, ox) {
                let pixel = g.source(0, oy, ky) * g.input[1] + g.source(1, ox, kx);
                inputs[count] = (pixel * self.channels) as u32;
                weights[count] = ((ky * g.window.kernel[1] + kx) * self.outputs) as u32;
                count += 1;
            }
        }
        count
    }
}

fn taps(geometry: &Geometry) -> Result<usize> {
    checked_area(OP, geometry.window.kernel[0], geometry.window.kernel[1])
}

impl Taps<'_> {
    /// Where the input pixel and the weights of each tap start.
    #[inline(always)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        let taps = self.inputs.iter().zip(self.weights);
        taps.map(|(&input, &weight)| (self.base + input as usize, weight as usize))
    }
}
