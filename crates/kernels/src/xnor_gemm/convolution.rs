//! Binary convolution: which of the two ways, and what both share.
//!
//! | way | when | what |
//! |---|---|---|
//! | [`direct`](super::direct) | bits by lookup, K <= 32767, at least two output pixels an image | table indices are made once per pixel of the image and serve every tap that sees it; sums become outputs inside the tile |
//! | gathered ([`crate::conv`]) | everything else | rows are copied for a block of output pixels |
//!
//! Gathering and interleaving cost a quarter of the time at C = 64 and an eighth at C = 128; the direct way a fiftieth.

use super::XnorGemm;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
use super::direct::Direct;
use core::ops::Range;

use crate::buffer::Arena;
use crate::conv::Convolution;
use crate::error::{Op, Result, checked_area};
use crate::geometry::Geometry;
use crate::output::OutputMut;

/// What a tap outside the image counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// +1 in every channel.
    One,
    /// The real number 0: the tap adds nothing.
    Zero,
}

/// A convolution of bits or trits: one packed product per group, and where its window lands.
pub struct BinaryConvolution {
    gathered: Convolution<XnorGemm>,
    #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
    direct: Option<Direct>,
}

impl BinaryConvolution {
    /// Joins the products of the groups (in order, at least one, all of one size) with a window. Trits are padded with zeros whatever `padding` says.
    ///
    /// # Errors
    /// `Shape` where a product's row is not a whole number of words per tap, or where the groups differ; `Memory`.
    pub fn new(geometry: Geometry, kernels: Vec<XnorGemm>, padding: Padding) -> Result<Self> {
        let gathered = match padding {
            Padding::One => Convolution::new(geometry, kernels, 0)?,
            Padding::Zero => Convolution::with_zero_padding(geometry, kernels)?,
        };
        Ok(Self {
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            direct: if Direct::takes(&gathered) { Some(Direct::new(&gathered, padding)?) } else { None },
            gathered,
        })
    }

    /// The window and its sizes.
    pub fn geometry(&self) -> &Geometry {
        self.gathered.geometry()
    }

    /// The products, one per group.
    pub fn kernels(&self) -> &[XnorGemm] {
        self.gathered.kernels()
    }

    /// Words of an input pixel, all groups together.
    pub fn pixel_len(&self) -> usize {
        self.gathered.pixel_len()
    }

    /// Output channels, all groups together.
    pub fn columns(&self) -> usize {
        self.gathered.columns()
    }

    /// Lines of scratch that [`Self::run`] takes.
    pub fn scratch_lines(&self) -> usize {
        let gathered = self.gathered.scratch_lines();
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        if self.direct.is_some() {
            return gathered.max(Direct::scratch_lines(&self.gathered));
        }
        gathered
    }

    /// Output pixels of which multiples waste nothing in [`Self::run_pixels`].
    pub fn block_rows(&self) -> usize {
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        if self.direct.is_some() {
            // Two lines, so that odd last columns find their neighbours.
            return 2 * self.geometry().output[1];
        }
        self.gathered.block_rows()
    }

    /// Convolves `batch` images: `x [batch, h, w, pixel_len]` words to `out [batch, h', w', columns]` of the products' output (bits: whole words per
    /// pixel).
    ///
    /// # Errors
    /// `Shape` where x or out does not have its length; `Range` where the result is bits and a group's columns do not fill whole words.
    pub fn run(&self, x: &[u32], batch: usize, out: OutputMut<'_>, scratch: &mut Arena<'_>) -> Result<()> {
        let pixels = checked_area(Op::Conv, batch, self.geometry().output_pixels())?;
        self.run_pixels(x, batch, 0..pixels, out, scratch)
    }

    /// As [`Self::run`] for some of the output pixels, counted over all images: `out` holds these alone.
    ///
    /// # Errors
    /// As [`Self::run`], and `Range` where the pixels are not among those of `batch` images.
    pub fn run_pixels(
        &self,
        x: &[u32],
        batch: usize,
        pixels: Range<usize>,
        out: OutputMut<'_>,
        scratch: &mut Arena<'_>,
    ) -> Result<()> {
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        if let Some(direct) = &self.direct {
            let mut out = out;
            self.gathered.check(x, batch, &pixels, &out)?;
            let width = self.geometry().output[1];
            let lines = pixels.start.div_ceil(width)..pixels.end / width;
            if !lines.is_empty() {
                let stride = out.kind().row_len(self.columns());
                let whole = lines.start * width..lines.end * width;
                let first = pixels.start;
                let mut part = |pixels: Range<usize>, out: &mut OutputMut<'_>| {
                    let out = out.part((pixels.start - first) * stride, pixels.len() * stride);
                    self.gathered.run_pixels(x, batch, pixels, out, &mut scratch.rest())
                };
                part(pixels.start..whole.start, &mut out)?;
                part(whole.end..pixels.end, &mut out)?;
                let out = out.part((whole.start - first) * stride, whole.len() * stride);
                direct.run(&self.gathered, x, lines, out, scratch.rest());
                return Ok(());
            }
            return self.gathered.run_pixels(x, batch, pixels, out, scratch);
        }
        self.gathered.run_pixels(x, batch, pixels, out, scratch)
    }
}
