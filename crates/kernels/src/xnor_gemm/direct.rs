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

use super::convolution::Padding;
use super::pack::nibble_parities;
use super::simd128::{Counts, Ops, Runs, Strict, interleave, pair};
use super::{Activations, Counting, OP, PANELS, XnorGemm};
use crate::buffer::{Arena, Buffer, lines_for};
use crate::conv::Convolution;
use crate::error::{Result, checked_area};
use crate::layout::WORD_BITS;
use crate::output::{OutputMut, OutputTransform};
use crate::rows::{RowKernel, TapSums};
use crate::tier::Tier;
use crate::v128::{
    V128, i16x8_gt, i16x8_load, i16x8_shl, i16x8_splat, i16x8_sub, i32x4_add, i32x4_extend_high_u16x8,
    i32x4_extend_low_u16x8, i32x4_load, i32x4_shl, i32x4_splat, i32x4_store, i32x4_sub, mask_of_i16x8,
};

/// Index lines of a band, in bytes: a part of the nearest two caches beside a group of panels.
const BAND_BYTES: usize = 48 << 10;

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

/// Sizes that every part of a run needs.
struct Sizes {
    groups: usize,
    /// Words of a pixel, all groups.
    pixel: usize,
    /// Words of a pixel's group.
    words: usize,
    /// Output lines of a band.
    band: usize,
    /// Input lines under a whole band.
    lines: usize,
    /// Positions of an index line.
    positions: usize,
    /// Lookups of a row of one group.
    depth: usize,
}

/// An output pixel inside a tile.
#[derive(Clone, Copy)]
struct Pixel {
    /// First element in the output.
    at: usize,
    /// Offset of its class in bases and limits.
    class: usize,
    /// Nibbles of its row with an odd number of ones.
    parities: i32,
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

impl Sizes {
    fn of(conv: &Convolution<XnorGemm>) -> Self {
        let (g, groups) = (conv.geometry(), conv.kernels().len());
        let pixel = conv.pixel_len();
        let reach = |axis: usize| (g.window.kernel[axis] - 1) * g.window.dilations[axis] + 1;
        let positions = (g.output[1] - 1) * g.window.strides[1] + reach(1);
        let line = positions * pixel * 8;
        let lines = |band: usize| (band - 1) * g.window.strides[0] + reach(0);
        // As many lines as fit, in twos, so that odd last columns find their neighbours.
        let fitting = (BAND_BYTES / line).saturating_sub(reach(0)) / g.window.strides[0];
        let band = (fitting & !1).clamp(2, 64).min(g.output[0]);
        let depth = conv.kernels()[0].plane_words() * 8;
        Self { groups, pixel, words: pixel / groups, band, lines: lines(band), positions, depth }
    }

    /// Makes the index lines under the output lines from `first` on, and every position's parities.
    #[expect(clippy::too_many_arguments, reason = "the parts of one scratch")]
    fn index(
        &self,
        conv: &Convolution<XnorGemm>,
        x: &[u32],
        first: usize,
        band: usize,
        zeros: &[u32],
        indices: &mut [u8],
        parities: &mut [i32],
    ) {
        let g = conv.geometry();
        let [stride_y, stride_x] = g.window.strides;
        let lines = self.lines - (self.band - band) * stride_y;
        let line_len = g.input[1] * self.pixel;
        let targets = indices.chunks_exact_mut(self.positions * self.pixel * 8);
        let targets = targets.zip(parities.chunks_exact_mut(self.positions * self.groups));
        for (line, (indices, parities)) in targets.take(lines).enumerate() {
            let y = (first * stride_y + line).wrapping_sub(g.window.pads[0]);
            if y >= g.input[0] {
                indices.fill(0);
                parities.fill(0);
                continue;
            }
            let x = &x[y * line_len..][..line_len];
            let pixel = |position: usize| {
                let at = position.wrapping_sub(g.window.pads[1]);
                if at < g.input[1] { &x[at * self.pixel..][..self.pixel] } else { zeros }
            };
            let targets =
                indices.chunks_exact_mut(self.pixel * 8).zip(parities.chunks_exact_mut(self.groups));
            for (position, (indices, parities)) in targets.enumerate() {
                let words = pixel(position);
                interleave(words, pixel(position + stride_x), indices);
                for (parities, words) in parities.iter_mut().zip(words.chunks_exact(self.words)) {
                    *parities = nibble_parities(words);
                }
            }
        }
    }
}

/// `rows[line, x]` = the parities under all taps of an output pixel.
fn row_parities(
    g: &crate::geometry::Geometry,
    s: &Sizes,
    group: usize,
    band: usize,
    parities: &[i32],
    rows: &mut [i32],
) {
    let [kernel_h, kernel_w] = g.window.kernel;
    for (line, rows) in rows.chunks_exact_mut(g.output[1]).take(band).enumerate() {
        for (x, row) in rows.iter_mut().enumerate() {
            *row = 0;
            for ky in 0..kernel_h {
                let line = line * g.window.strides[0] + ky * g.window.dilations[0];
                for kx in 0..kernel_w {
                    let position = x * g.window.strides[1] + kx * g.window.dilations[1];
                    *row += parities[(line * s.positions + position) * s.groups + group];
                }
            }
        }
    }
}

/// One group of a band of output lines.
struct Band<'a> {
    direct: &'a Direct,
    conv: &'a Convolution<XnorGemm>,
    sizes: &'a Sizes,
    group: usize,
    /// First output line.
    first: usize,
    lines: usize,
    /// Output pixels of `out` before the band.
    pixels: usize,
    /// Parities `[lines, width]`.
    rows: &'a [i32],
}

impl Band<'_> {
    fn run<O: Ops>(
        &self,
        kernel: &XnorGemm,
        indices: &[u8],
        odd: &mut [u8],
        tile: &mut [i32],
        out: &mut OutputMut<'_>,
    ) {
        let width = self.conv.geometry().output[1];
        let depth = self.sizes.depth;
        if width % 2 == 1 {
            for (pair, odd) in odd.chunks_exact_mut(depth).take(self.lines.div_ceil(2)).enumerate() {
                self.join_odd(indices, 2 * pair, odd);
            }
        }
        let (mut panel, count) = (0, kernel.padded_columns() / 16);
        while panel < count {
            let wide = panel + PANELS <= count;
            let panels = &kernel.weights.panels[panel * depth..];
            let mut one = |runs: Runs<'_>, pixels: [Option<Pixel>; 2]| {
                if wide {
                    let counts = pair::<O, PANELS>(runs, panels);
                    finish(self, kernel, panel, &counts, pixels, tile, out);
                } else {
                    let counts = pair::<O, 1>(runs, panels);
                    finish(self, kernel, panel, &counts, pixels, tile, out);
                }
            };
            for line in 0..self.lines {
                for x in (0..width & !1).step_by(2) {
                    one(self.runs(indices, line, x), [self.pixel(line, x), self.pixel(line, x + 1)]);
                }
            }
            if width % 2 == 1 {
                for (pair, odd) in odd.chunks_exact(depth).take(self.lines.div_ceil(2)).enumerate() {
                    let pixels = [self.pixel(2 * pair, width - 1), self.pixel(2 * pair + 1, width - 1)];
                    one(Runs::one(odd), pixels);
                }
            }
            panel += if wide { PANELS } else { 1 };
        }
    }

    /// The table indices of the output pair whose first pixel is `x` of `line`.
    fn runs<'i>(&self, indices: &'i [u8], line: usize, x: usize) -> Runs<'i> {
        let (s, window) = (self.sizes, &self.conv.geometry().window);
        let [kernel_h, kernel_w] = window.kernel;
        let position = s.pixel * 8;
        let from = (line * window.strides[0] * s.positions + x * window.strides[1]) * position;
        let outer = (kernel_h, window.dilations[0] * s.positions * position);
        let indices = &indices[from + self.group * s.words * 8..];
        if s.groups == 1 && window.dilations[1] == 1 {
            Runs { indices, outer, inner: (1, 0), len: kernel_w * position }
        } else {
            let inner = (kernel_w, window.dilations[1] * position);
            Runs { indices, outer, inner, len: s.words * 8 }
        }
    }

    /// The last pixels of `line` and the next as a pair.
    fn join_odd(&self, indices: &[u8], line: usize, odd: &mut [u8]) {
        let last = self.conv.geometry().output[1] - 1;
        let runs = self.runs(indices, line, last);
        let next = (line + 1 < self.lines).then(|| self.runs(indices, line + 1, last));
        let mut targets = odd.chunks_exact_mut(runs.len);
        for outer in 0..runs.outer.0 {
            for inner in 0..runs.inner.0 {
                let Some(target) = targets.next() else { return };
                let from = outer * runs.outer.1 + inner * runs.inner.1;
                match next {
                    Some(next) => {
                        let both = runs.indices[from..].iter().zip(&next.indices[from..]);
                        for (target, (low, high)) in target.iter_mut().zip(both) {
                            *target = low & 15 | high << 4;
                        }
                    }
                    None => target.copy_from_slice(&runs.indices[from..][..runs.len]),
                }
            }
        }
    }

    /// None behind the band.
    fn pixel(&self, line: usize, x: usize) -> Option<Pixel> {
        if line >= self.lines {
            return None;
        }
        let (direct, kernel) = (self.direct, &self.conv.kernels()[0]);
        let kind = kernel.output.kind();
        let [class_y, class_x] = [direct.classes[0][self.first + line], direct.classes[1][x]];
        let class = class_y as usize * direct.class_columns + class_x as usize;
        let at =
            (self.pixels + line * self.conv.geometry().output[1] + x) * kind.row_len(self.conv.columns());
        Some(Pixel {
            at: at + kind.row_len(self.group * kernel.columns()),
            class: (class * self.sizes.groups + self.group) * kernel.padded_columns(),
            parities: self.rows[line * self.conv.geometry().output[1] + x],
        })
    }
}

/// The counts of a tile as outputs of its pixels, columns from `16 * panel` on.
#[inline(never)]
fn finish(
    band: &Band<'_>,
    kernel: &XnorGemm,
    panel: usize,
    counts: &[[Counts; 2]],
    pixels: [Option<Pixel>; 2],
    tile: &mut [i32],
    out: &mut OutputMut<'_>,
) {
    let first = 16 * panel;
    for (r, pixel) in pixels.into_iter().enumerate() {
        let Some(pixel) = pixel else { continue };
        if let OutputMut::Bits(y) = &mut *out {
            let limits = &band.direct.limits[pixel.class + first..][..16 * counts.len()];
            let parities = i16x8_splat(pixel.parities as i16);
            let y = &mut y[pixel.at..];
            for ((at, counts), limits) in (panel..).zip(counts).zip(limits.as_chunks::<16>().0) {
                let bits = below(counts[r], parities, limits);
                let word = &mut y[at / 2];
                *word = if at % 2 == 0 { bits } else { *word | bits << 16 };
            }
        } else {
            let bases = &band.direct.bases[pixel.class + first..][..16 * counts.len()];
            let sums = &mut tile[..16 * counts.len()];
            let twice = i32x4_splat(2 * pixel.parities);
            for (v, (sums, bases)) in
                sums.as_chunks_mut::<16>().0.iter_mut().zip(bases.as_chunks::<16>().0).enumerate()
            {
                sums_of(counts[v][r], twice, bases, sums);
            }
            let columns = (kernel.columns() - first).min(16 * counts.len());
            kernel.output.apply_columns(kernel.tier, first, &sums[..columns], out.from(pixel.at + first));
        }
    }
}

/// The 16 bits `2 * count - parities > limit`.
#[inline(always)]
fn below(counts: Counts, parities: V128, limits: &[i16; 16]) -> u32 {
    let [low, high] = counts.columns();
    let above = |counts: V128, limits: &[i16]| {
        i16x8_gt(i16x8_sub(i16x8_shl(counts, 1), parities), i16x8_load(limits))
    };
    u32::from(mask_of_i16x8(above(low, &limits[..8]), above(high, &limits[8..])))
}

/// `base + twice - 4 * count`
#[inline(always)]
fn sums_of(counts: Counts, twice: V128, bases: &[i32; 16], sums: &mut [i32; 16]) {
    let [low, high] = counts.columns();
    let counts = [
        i32x4_extend_low_u16x8(low),
        i32x4_extend_high_u16x8(low),
        i32x4_extend_low_u16x8(high),
        i32x4_extend_high_u16x8(high),
    ];
    for (i, counts) in counts.into_iter().enumerate() {
        let start = i32x4_add(i32x4_load(&bases[4 * i..]), twice);
        i32x4_store(&mut sums[4 * i..], i32x4_sub(start, i32x4_shl(counts, 2)));
    }
}
