//! Tiles of a band: two output pixels by up to 64 columns, counted and finished.

use super::super::simd128::{Counts, Ops, Runs, pair};
use super::super::{PANELS, XnorGemm};
use super::Direct;
use super::index::Sizes;
use crate::conv::Convolution;
use crate::output::OutputMut;
use crate::rows::RowKernel;
use crate::v128::{
    V128, i16x8_gt, i16x8_load, i16x8_shl, i16x8_splat, i16x8_sub, i32x4_add, i32x4_load, i32x4_shl,
    i32x4_splat, i32x4_store, i32x4_sub, mask_of_i16x8,
};

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

/// One group of a band of output lines.
pub(super) struct Band<'a> {
    pub(super) direct: &'a Direct,
    pub(super) conv: &'a Convolution<XnorGemm>,
    pub(super) sizes: &'a Sizes,
    pub(super) group: usize,
    /// First output line.
    pub(super) first: usize,
    pub(super) lines: usize,
    /// Output pixels of `out` before the band.
    pub(super) pixels: usize,
    /// Parities `[lines, width]`.
    pub(super) rows: &'a [i32],
}

impl Band<'_> {
    pub(super) fn run<O: Ops>(
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
    for (i, counts) in counts.widened().into_iter().enumerate() {
        let start = i32x4_add(i32x4_load(&bases[4 * i..]), twice);
        i32x4_store(&mut sums[4 * i..], i32x4_sub(start, i32x4_shl(counts, 2)));
    }
}
