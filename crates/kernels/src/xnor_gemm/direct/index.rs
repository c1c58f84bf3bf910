//! The input of a band as table indices, a line of positions per input line, and the parities that go with them.

use super::super::XnorGemm;
use super::super::pack::nibble_parities;
use super::super::simd128::interleave;
use crate::conv::Convolution;
use crate::geometry::Geometry;

/// Index lines of a band, in bytes: a part of the nearest two caches beside a group of panels.
const BAND_BYTES: usize = 48 << 10;

/// Sizes that every part of a run needs.
pub(super) struct Sizes {
    pub(super) groups: usize,
    /// Words of a pixel, all groups.
    pub(super) pixel: usize,
    /// Words of a pixel's group.
    pub(super) words: usize,
    /// Output lines of a band.
    pub(super) band: usize,
    /// Input lines under a whole band.
    pub(super) lines: usize,
    /// Positions of an index line.
    pub(super) positions: usize,
    /// Lookups of a row of one group.
    pub(super) depth: usize,
}

impl Sizes {
    pub(super) fn of(conv: &Convolution<XnorGemm>) -> Self {
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
    pub(super) fn index(
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
pub(super) fn row_parities(
    g: &Geometry,
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
