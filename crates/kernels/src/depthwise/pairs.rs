//! Bytes, rows of the image two by two: what the vector tiers run.
//!
//! ```text
//! image ──two rows, widened and interleaved──► [block of 4 channels][column][4][row 0, row 1] i16 ──dots of two rows──► sums ──► y
//! ```
//!
//! An i16 dot multiplies and adds the two rows of four channels. The interleaved rows hold the padding too, filled with the zero point, so that every pixel of a row is
//! computed alike; the zero point's share, a constant per channel, is where its sums start. Rows are interleaved once, for all the windows that meet them: they are kept in a
//! ring, as pairs of rows 2 q and 2 q + 1 of the padded image. A window that begins at an odd row meets the second row of its first pair, with weights of their own, 0 for the
//! first. Only where taps are further apart (dilation) a pair is made of the rows of two taps, for one row of outputs at a time.
//!
//! Channels are taken in tiles whose rows stay in the first-level cache. A unit is 8 channels, two blocks of 4; where channels are no multiple of 8 the last unit begins
//! earlier and overlaps the one before it.

use super::OP;
use super::simd128;
use super::walk::Walk;
use crate::affine_gemm::AffineInput;
use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{Result, checked_area};
use crate::output::{OutputKind, OutputMut, OutputTransform};
use crate::tier::Tier;

/// Channels of a unit.
pub(super) const UNIT: usize = 8;
/// Interleaved rows of a tile: most of a first-level cache.
const TILE_BYTES: usize = 24 * 1024;

/// Weights of a layer with as many outputs as channels, at least a unit of them.
pub(super) struct Pairs {
    /// `[where a window begins: even, odd][unit][block][pair of rows][kx][4 channels][2]`
    weights: Buffer<i16>,
    /// `[channel]`: minus the zero point's share, and the bias where the sums are requantized.
    start: Buffer<i32>,
    input: AffineInput,
    /// Pairs of rows that a window meets, and the ring holds.
    slots: usize,
    /// Columns of an interleaved row: those that some window meets.
    span: usize,
    units: usize,
    /// Units of a tile.
    tile: usize,
    /// Elements of scratch: the interleaved rows, and a row of sums where they are not requantized at once.
    scratch: (usize, usize),
}

/// One row of outputs of a tile.
pub(super) struct Row<'a> {
    /// `[slot][unit][block][column][4][2]`, a ring of `pairs` slots.
    pub(super) rows: &'a [i16],
    pub(super) first_slot: usize,
    pub(super) pairs: usize,
    pub(super) span: usize,
    /// `[unit][block][pair][kx][4][2]`
    pub(super) weights: &'a [i16],
    pub(super) kernel_width: usize,
    pub(super) dilation: usize,
    pub(super) stride: usize,
    pub(super) outputs: usize,
    pub(super) channels: usize,
}

/// Where a unit begins.
fn unit_start(unit: usize, channels: usize) -> usize {
    (unit * UNIT).min(channels - UNIT)
}

impl Pairs {
    /// Whether layers of these sizes are run so.
    pub(super) fn takes(walk: &Walk) -> bool {
        walk.outputs == walk.channels && walk.channels >= UNIT
    }

    /// From `weights [tap][channel]`.
    pub(super) fn new(
        walk: &Walk,
        weights: &[i16],
        input: AffineInput,
        output: &OutputTransform,
    ) -> Result<Self> {
        let (window, channels) = (walk.geometry.window, walk.channels);
        let ([height, width], output_width) = (window.kernel, walk.geometry.output[1]);
        let pairs = height / 2 + 1;
        let parities = if window.dilations[0] == 1 && window.strides[0] % 2 == 1 { 2 } else { 1 };
        let units = channels.div_ceil(UNIT);
        let vectors = checked_area(OP, units * parities, 2 * pairs * width)?;
        let mut kept = Buffer::zeroed(OP, checked_area(OP, vectors, 8)?)?;
        for (block, kept) in kept.chunks_exact_mut(pairs * width * 8).enumerate() {
            let (parity, block) = (block / (2 * units), block % (2 * units));
            let channel = unit_start(block / 2, channels) + block % 2 * 4;
            for (i, to) in kept.iter_mut().enumerate() {
                let (pair, kx) = (i / 8 / width, i / 8 % width);
                let ky = (2 * pair + i % 2).wrapping_sub(parity);
                if ky < height {
                    *to = weights[(ky * width + kx) * channels + channel + i % 8 / 2];
                }
            }
        }
        let mut start = Buffer::zeroed(OP, channels)?;
        for (channel, start) in start.iter_mut().enumerate() {
            let sum: i64 = weights.chunks_exact(channels).map(|tap| i64::from(tap[channel])).sum();
            let bias = if let OutputTransform::Int8 { bias, .. } = output { bias[channel] } else { 0 };
            // Of the low 32 bits, as the sums are: what they amount to in the end fits.
            *start = (i64::from(bias) - i64::from(input.zero_point) * sum) as i32;
        }
        let span = (output_width - 1) * window.strides[1] + (width - 1) * window.dilations[1] + 1;
        let unit_len = checked_area(OP, checked_area(OP, pairs, span)?, 2 * UNIT)?;
        let is_int8 = output.kind() == OutputKind::Int8;
        let tile = if is_int8 { (TILE_BYTES / 2 / unit_len).clamp(1, units) } else { units };
        let sums = if is_int8 { 0 } else { checked_area(OP, output_width, channels)? };
        let scratch = (checked_area(OP, tile, unit_len)?, sums);
        Ok(Self { weights: kept, start, input, slots: pairs, span, units, tile, scratch })
    }

    pub(super) fn scratch_lines(&self) -> usize {
        lines_for::<i16>(self.scratch.0) + lines_for::<i32>(self.scratch.1)
    }

    /// One image.
    pub(super) fn image(
        &self,
        walk: &Walk,
        x: &[i8],
        output: &OutputTransform,
        mut out: OutputMut<'_>,
        mut scratch: Arena<'_>,
    ) {
        let (g, channels) = (&walk.geometry, walk.channels);
        let rows = scratch.take::<i16>(self.scratch.0);
        let sums = scratch.take::<i32>(self.scratch.1);
        let [_, stride] = g.window.strides;
        let per_block = self.slots * g.window.kernel[1] * 8;
        for first in (0..self.units).step_by(self.tile) {
            let units = first..self.units.min(first + self.tile);
            let slot_len = units.len() * self.span * 2 * UNIT;
            let channel = unit_start(first, channels);
            let mut ready = 0;
            for oy in 0..g.output[0] {
                let top = oy * g.window.strides[0];
                let joined = g.window.dilations[0] == 1;
                let first_slot = if joined { top / 2 % self.slots } else { 0 };
                for pair in 0..self.slots {
                    let at = top / 2 + pair;
                    if joined && at < ready {
                        continue;
                    }
                    ready = at + 1;
                    let apart = g.window.dilations[0];
                    let (tap, slot) =
                        if joined { (2 * at, at % self.slots) } else { (top + 2 * pair * apart, pair) };
                    let rows = &mut rows[slot * slot_len..][..slot_len];
                    self.interleave(walk, x, [tap, tap + apart], units.clone(), rows);
                }
                let parity = if joined { top % 2 } else { 0 };
                let row = Row {
                    rows: &rows[..self.slots * slot_len],
                    first_slot,
                    pairs: self.slots,
                    span: self.span,
                    weights: &self.weights[(parity * self.units + units.start) * 2 * per_block..]
                        [..units.len() * 2 * per_block],
                    kernel_width: g.window.kernel[1],
                    dilation: g.window.dilations[1],
                    stride,
                    outputs: g.output[1],
                    channels,
                };
                // Where each unit begins, counted from the tile's first channel.
                let at = |unit: usize| unit_start(units.start + unit, channels) - channel;
                let start = &self.start[channel..];
                if let (OutputTransform::Int8 { multiplier, zero_point, clamp, .. }, OutputMut::Int8(y)) =
                    (output, &mut out)
                {
                    let y = &mut y[oy * g.output[1] * channels + channel..];
                    simd128::requantized(&row, at, start, &multiplier[channel..], *zero_point, *clamp, y);
                } else {
                    simd128::sums(&row, at, start, sums);
                    let len = output.kind().row_len(channels);
                    let out = out.from(oy * g.output[1] * len);
                    output.apply_rows(Tier::Simd128, sums, channels, channels, out, len);
                }
            }
        }
    }

    /// Two rows of the padded image.
    fn interleave(
        &self,
        walk: &Walk,
        x: &[i8],
        taps: [usize; 2],
        units: core::ops::Range<usize>,
        rows: &mut [i16],
    ) {
        let (g, channels) = (&walk.geometry, walk.channels);
        let [height, width] = g.input;
        let fill = [self.input.zero(); UNIT];
        let sources = taps.map(|tap| {
            let row = tap.checked_sub(g.window.pads[0]).filter(|row| *row < height)?;
            Some(&x[row * width * channels..][..width * channels])
        });
        let before = g.window.pads[1].min(self.span);
        let after = (before + width).min(self.span);
        let wide = i16::from(self.input.zero());
        let wide = if self.input.unsigned { wide & 0xff } else { wide };
        for (unit, rows) in units.zip(rows.chunks_exact_mut(self.span * 2 * UNIT)) {
            let start = unit_start(unit, channels);
            let (low, high) = rows.as_chunks_mut::<8>().0.split_at_mut(self.span);
            for blocks in [&mut *low, &mut *high] {
                blocks[..before].fill([wide; 8]);
                blocks[after..].fill([wide; 8]);
            }
            let sources = sources.map(|row| row.map_or((&fill[..], 0), |row| (&row[start..], channels)));
            let (low, high) = (&mut low[before..after], &mut high[before..after]);
            simd128::interleave(self.input.unsigned, sources, low, high);
        }
    }
}
