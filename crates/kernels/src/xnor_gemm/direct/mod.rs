//! Binary convolution without gathered rows.
//!
//! The lookup takes two rows at once, and the rows are two neighbours in a line of output pixels. Their table indices under a tap, the pixel's 4 bits
//! low and those of the pixel a stride further high, do not depend on which tap sees them. So for a band of output lines
//!
//! ```text
//! image lines ──► index lines [position][words * 8] u8     made once; position p pairs input pixels p and p + stride
//! tap (ky, kx) of the output pair x ──► position x * stride + kx * dilation of line y * stride + ky * dilation
//! ```
//!
//! and the taps of a kernel line, side by side in an index line, are one run of the counting loop. Positions outside the image hold 0, which is +1.
//! An odd last column is paired with that of the next line, from the low halves of both.
//!
//! **Sums.** The tile's 16-bit counts C (see the docs of the family) give `sum = base[n] + 2 * parities - 4 * C`, where `base` also takes out
//! the missing taps of a zero-padded border: it is kept per *class* of pixels that see the same taps (9 of them for 3x3 with a border of 1).
//! Thresholds are compared in 16 bits inside the tile, `sum < t  <=>  2 * C - parities > floor((base - t) / 2)`, and leave as bits; other outputs are
//! transformed one tile of 64 columns at a time.

use core::ops::Range;

use band::Band;
use index::{Sizes, row_parities};

use super::convolution::Padding;
use super::simd128::{Ops, Strict};
use super::{Activations, Counting, OP, PANELS, XnorGemm};
use crate::buffer::{Arena, Buffer, lines_for};
use crate::conv::Convolution;
use crate::error::{Result, checked_area};
use crate::layout::WORD_BITS;
use crate::output::{OutputMut, OutputTransform};
use crate::rows::TapSums;
use crate::tier::Tier;

mod band;
mod index;

/// What a convolution needs beside its packed weights.
pub(super) struct Direct {
    /// Classes of output lines, and of output columns.
    classes: [Buffer<u32>; 2],
    /// `[class of line, class of column, group, padded columns]`: what the sum of a pixel starts at.
    bases: Buffer<i32>,
    /// The same for thresholds: `floor((base - t) / 2)` kept inside 16 bits, the largest one where a column only pads. Empty for other outputs.
    limits: Buffer<i16>,
    /// Classes of columns.
    class_columns: usize,
}

impl Direct {
    /// Whether this way is open and worth it; the docs of [`super::convolution`] have the table.
    pub(super) fn takes(conv: &Convolution<XnorGemm>) -> bool {
        let gemm = &conv.kernels()[0];
        let counts_bits = gemm.shape.activations == Activations::Bits
            && gemm.counting == Counting::Lookup
            && gemm.tier.effective() != Tier::Scalar;
        // 2 * C <= K, and K stays inside 16 signed bits.
        counts_bits && gemm.plane_words() < (1 << 15) / WORD_BITS && conv.geometry().output_pixels() >= 2
    }

    pub(super) fn new(conv: &Convolution<XnorGemm>, padding: Padding) -> Result<Self> {
        let g = conv.geometry();
        let mut ranges = [Vec::new(), Vec::new()];
        let mut classes = [Buffer::zeroed(OP, g.output[0])?, Buffer::zeroed(OP, g.output[1])?];
        for axis in 0..2 {
            for (at, class) in classes[axis].iter_mut().enumerate() {
                let inside = match padding {
                    Padding::One => 0..g.window.kernel[axis],
                    Padding::Zero => g.inside(axis, at),
                };
                let known = ranges[axis].iter().position(|range| *range == inside);
                *class = known.unwrap_or(ranges[axis].len()) as u32;
                if known.is_none() {
                    ranges[axis].push(inside);
                }
            }
        }
        let (first, groups) = (&conv.kernels()[0], conv.kernels().len());
        let padded = first.padded_columns();
        let len = checked_area(OP, ranges[0].len() * ranges[1].len(), groups * padded)?;
        let is_bits = matches!(&*first.output, OutputTransform::Bits { .. });
        let mut bases = Buffer::zeroed(OP, len)?;
        let mut limits = Buffer::zeroed(OP, if is_bits { len } else { 0 })?;
        limits.fill(i16::MAX);
        let mut parts = bases.chunks_exact_mut(padded).zip(0..);
        for inside_y in &ranges[0] {
            for inside_x in &ranges[1] {
                for kernel in conv.kernels() {
                    let Some((bases, at)) = parts.next() else { break };
                    for (base, parities) in bases.iter_mut().zip(&*kernel.weights.parities) {
                        *base = kernel.depth() as i32 - 2 * parities;
                    }
                    for tap in 0..g.window.taps() {
                        let [ky, kx] = [tap / g.window.kernel[1], tap % g.window.kernel[1]];
                        if !(inside_y.contains(&ky) && inside_x.contains(&kx)) {
                            for (base, sum) in bases.iter_mut().zip(kernel.tap_sums(tap)) {
                                *base -= sum;
                            }
                        }
                    }
                    if let OutputTransform::Bits { thresholds } = &*kernel.output {
                        let limits = &mut limits[at * padded..][..padded];
                        for ((limit, base), threshold) in limits.iter_mut().zip(bases).zip(&**thresholds) {
                            let half = (i64::from(*base) - i64::from(*threshold)).div_euclid(2);
                            *limit = half.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16;
                        }
                    }
                }
            }
        }
        let class_columns = ranges[1].len();
        Ok(Self { classes, bases, limits, class_columns })
    }

    pub(super) fn scratch_lines(conv: &Convolution<XnorGemm>) -> usize {
        let (s, width) = (Sizes::of(conv), conv.geometry().output[1]);
        lines_for::<u8>(s.lines * s.positions * s.pixel * 8)
            + lines_for::<i32>(s.lines * s.positions * s.groups)
            + lines_for::<u32>(s.pixel)
            + lines_for::<i32>(s.band * width)
            + lines_for::<u8>(s.band.div_ceil(2) * s.depth)
            + lines_for::<i32>(2 * 16 * PANELS)
    }

    /// Computes whole output lines, counted over all images; `out` holds these alone. Lengths were checked.
    pub(super) fn run(
        &self,
        conv: &Convolution<XnorGemm>,
        x: &[u32],
        lines: Range<usize>,
        out: OutputMut<'_>,
        scratch: Arena<'_>,
    ) {
        match conv.kernels()[0].tier.effective() {
            #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
            Tier::Relaxed => self.run_with::<super::relaxed::Relaxed>(conv, x, lines, out, scratch),
            _ => self.run_with::<Strict>(conv, x, lines, out, scratch),
        }
    }

    fn run_with<O: Ops>(
        &self,
        conv: &Convolution<XnorGemm>,
        x: &[u32],
        lines: Range<usize>,
        mut out: OutputMut<'_>,
        mut scratch: Arena<'_>,
    ) {
        let (g, s) = (conv.geometry(), Sizes::of(conv));
        let [height, width] = g.output;
        let indices = scratch.take::<u8>(s.lines * s.positions * s.pixel * 8);
        let parities = scratch.take::<i32>(s.lines * s.positions * s.groups);
        let zeros = scratch.take::<u32>(s.pixel);
        zeros.fill(0);
        let rows = scratch.take::<i32>(s.band * width);
        let odd = scratch.take::<u8>(s.band.div_ceil(2) * s.depth);
        let tile = scratch.take::<i32>(2 * 16 * PANELS);
        let image_len = g.input_pixels() * s.pixel;
        let mut at = lines.start;
        while at < lines.end {
            // A band ends with its image.
            let (image, first) = (at / height, at % height);
            let band = s.band.min(height - first).min(lines.end - at);
            let x = &x[image * image_len..][..image_len];
            s.index(conv, x, first, band, zeros, indices, parities);
            for (group, kernel) in conv.kernels().iter().enumerate() {
                row_parities(g, &s, group, band, parities, rows);
                let pixels = (at - lines.start) * width;
                let band = Band { direct: self, conv, sizes: &s, group, first, lines: band, pixels, rows };
                band.run::<O>(kernel, indices, odd, tile, &mut out);
            }
            at += band;
        }
    }
}
