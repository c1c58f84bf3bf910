//! Convolutions of 3 × 3 by Winograd's F(2 × 2, 3 × 3) (Lavin, Gray 2016, "Fast algorithms for convolutional neural networks"): 16 products for 4 outputs
//! instead of 36, and the same integers.
//!
//! `4 y = A^T [Σ_c (2 G w_c) (2 G)^T ⊙ B^T d_c B] A` with
//!
//! ```text
//! B^T = 1  0 -1  0    2 G = 2  0  0    A^T = 1  1  1  0
//!       0  1  1  0          1  1  1          0  1 -1 -1
//!       0 -1  1  0          1 -1  1
//!       0  1  0 -1          0  0  2
//! ```
//!
//! **Exact.** `d = x - zx` of 4 × 4 pixels is at most 255, its transform 1020; that of weights 9 |w|: both fit i16. Sums wrap in int32, as do those of the last transform, which
//! are right where 4 y fits: of up to 1827 channels of anything ([`WinogradConvolution::computes`] asks the weights at hand). A last shift takes the 4 out again, and outputs follow
//! from the sums as in every form.
//!
//! **Blocks.** Strips of four tiles are transformed, for as many strips as fit the second-level cache, into the order of the tile of i16 dots; then each 8 columns of weights
//! go through all strips, 16 planes one after the other, and the sums are transformed back. Weights are kept as pairs: 32 bytes for the 9 of a window, 3.6 to 1.
//!
//! **Speed.** 23 instructions of a step are 64 products and stand for 144 multiply-adds: 0.16 each instead of 0.36. Beside them, for N columns, `150 / 46 N` for the first transform (0.05
//! at 64) and for C channels `200 / 46 C` for the last and the outputs (0.07 at 64). The limit by the bare tile is 36 · 2.25 = 81 multiply-adds per ns on the machine of the record; see
//! the table in `dispatch.rs` for what is reached. 7 × 7 pixels are 8 × 8 in tiles, and 512 by 512 channels 8 MB.
//!
//! Dropped: both passes of the first transform at once, sixteen vectors live (the same speed).

use core::ops::Range;

use super::OP;
use super::dense::AffineGemm;
use super::dispatch::{self, Form};
use super::pack::{AffineInput, COLUMNS};
use super::simd128::{PairDot, store_steps, tile};
use super::strips::TileSums;
use super::sums::STRIP;
use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{KernelError, Result, What, check_range, check_shape, checked_area};
use crate::geometry::{Geometry, Window};
use crate::output::{OutputMut, OutputTransform};
use crate::tier::Tier;
use crate::v128::{
    V128, i16x8_add, i16x8_load, i16x8_load_extend_u8x8, i16x8_splat, i16x8_store, i16x8_sub, i32x4_add,
    i32x4_shr, i32x4_splat, i32x4_store, i32x4_sub, v128_xor,
};

/// Products of a tile.
const PLANES: usize = 16;
/// Columns of a tile of sums.
const WIDTH: usize = 8;
/// Channels that are transformed at a time.
const LANES: usize = 8;
/// Of zero points that are left in the weights: 9 (128 + 2048) fits i16.
const LARGEST_ZERO: i32 = 2048;

/// A convolution of 3 × 3 without stride or dilation, of images of bytes.
pub struct WinogradConvolution {
    geometry: Geometry,
    channels: usize,
    columns: usize,
    input: AffineInput,
    output: OutputTransform,
    tier: Tier,
    /// `[column / 8][plane][channel / 2][8]`: pairs of i16.
    weights: Buffer<u32>,
}

impl WinogradConvolution {
    /// Whether it can compute exactly what `gemm` does over the windows of `geometry`: weights of 8 bits as i16, whose transforms fit i16, and sums of which four times
    /// the largest fits int32. At the ends of both types (255 by 128) those are of up to 1827 channels.
    pub fn computes(geometry: &Geometry, gemm: &AffineGemm) -> bool {
        let packed = &gemm.packed;
        geometry.window == Window { kernel: [3, 3], pads: geometry.window.pads, ..Window::POINT }
            && packed.tier.effective() != Tier::Scalar
            && (packed.form, packed.width) == (Form::Pairs, 8)
            && packed.depth.is_multiple_of(9 * LANES)
            && packed.zeros.iter().all(|zero| zero.abs() <= LARGEST_ZERO)
            && packed.largest <= i64::from(i32::MAX) / 4
    }

    /// Whether it also takes less time (`dispatch.rs` has the rule).
    pub fn pays(geometry: &Geometry, gemm: &AffineGemm) -> bool {
        Self::computes(geometry, gemm)
            && dispatch::winograd_pays(geometry.output, gemm.packed.depth / 9, gemm.packed.columns)
    }

    /// Transforms the weights of `gemm`.
    ///
    /// # Errors
    /// `Range` where it does not [compute](Self::computes) the same; `Memory`.
    pub fn new(geometry: Geometry, gemm: AffineGemm) -> Result<Self> {
        if !Self::computes(&geometry, &gemm) {
            return Err(KernelError::range(OP, What::Geometry, 1, 0));
        }
        let AffineGemm { packed, output } = gemm;
        let (channels, columns) = (packed.depth / 9, packed.columns);
        let blocks = checked_area(OP, columns.div_ceil(WIDTH) * WIDTH, PLANES * channels / 2)?;
        let mut weights = Buffer::zeroed(OP, blocks)?;
        for n in 0..columns {
            for c in 0..channels {
                let tap = |tap: usize| {
                    let k = tap * channels + c;
                    let word = (n / COLUMNS * packed.group_words() + k / 4) * COLUMNS + n % COLUMNS;
                    i32::from((packed.words[word] >> (8 * (k % 4))) as i8) - packed.zeros[n]
                };
                let mut lines = [[0; 4]; 3];
                for (i, line) in lines.iter_mut().enumerate() {
                    *line = doubled([tap(3 * i), tap(3 * i + 1), tap(3 * i + 2)]);
                }
                for j in 0..4 {
                    for (i, value) in doubled(lines.map(|line| line[j])).into_iter().enumerate() {
                        let plane = n / WIDTH * PLANES + 4 * i + j;
                        weights[(plane * channels / 2 + c / 2) * WIDTH + n % WIDTH] |=
                            u32::from(value as u16) << (16 * (c % 2));
                    }
                }
            }
        }
        Ok(Self { geometry, channels, columns, input: packed.input, output, tier: packed.tier, weights })
    }

    /// The window and its sizes.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Bytes of an input pixel.
    pub fn pixel_len(&self) -> usize {
        self.channels
    }

    /// Output channels.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Lines of tiles of an image, each of two lines of output pixels; the last may have one.
    pub fn lines(&self) -> usize {
        self.geometry.output[0].div_ceil(2)
    }

    /// Output pixels before a line of tiles, counted over all images.
    pub fn pixels_before(&self, line: usize) -> usize {
        let [height, width] = self.geometry.output;
        (line / self.lines() * height + line % self.lines() * 2) * width
    }

    /// Lines that are computed together.
    pub fn block_lines(&self) -> usize {
        (self.block_strips() * STRIP / self.tiles()).max(1)
    }

    /// Tiles of a line.
    fn tiles(&self) -> usize {
        self.geometry.output[1].div_ceil(2)
    }

    /// Words of a strip of transformed activations.
    fn strip_words(&self) -> usize {
        PLANES * self.channels / 2 * STRIP
    }

    /// Columns of sums, those behind the last one among them.
    fn padded(&self) -> usize {
        self.columns.next_multiple_of(WIDTH)
    }

    /// Strips that are transformed together.
    fn block_strips(&self) -> usize {
        dispatch::winograd_strips(4 * self.strip_words() + 4 * 4 * STRIP * self.padded())
    }

    /// Lines of scratch that [`Self::run_lines`] takes.
    pub fn scratch_lines(&self) -> usize {
        let strips = self.block_strips();
        lines_for::<i8>(self.channels)
            + lines_for::<i16>(STRIP * PLANES * self.channels)
            + lines_for::<i32>(strips * self.strip_words())
            + lines_for::<i32>(strips * STRIP * 4 * self.padded())
    }

    /// What becomes of the sums.
    pub fn output(&self) -> &OutputTransform {
        &self.output
    }

    /// Bytes of the transformed weights.
    pub fn byte_len(&self) -> usize {
        self.weights.byte_len()
    }

    /// Computes some lines of tiles, counted over all `batch` images of `x [batch, h, w, channels]`; `out` holds the pixels of these alone.
    ///
    /// # Errors
    /// `Shape` where x or out does not have its length; `Range` where there are no such lines.
    pub fn run_lines(
        &self,
        x: &[i8],
        batch: usize,
        lines: Range<usize>,
        mut out: OutputMut<'_>,
        scratch: &mut Arena<'_>,
    ) -> Result<()> {
        let image = checked_area(OP, self.geometry.input_pixels(), self.channels)?;
        check_shape(OP, What::Length, checked_area(OP, batch, image)?, x.len())?;
        check_range(OP, What::Rows, 0, (batch * self.lines()) as i64, lines.end as i64)?;
        check_range(OP, What::Rows, 0, lines.end as i64, lines.start as i64)?;
        let first_pixel = self.pixels_before(lines.start);
        let stride = self.output.kind().row_len(self.columns);
        let pixels = self.pixels_before(lines.end) - first_pixel;
        check_shape(OP, What::Length, checked_area(OP, pixels, stride)?, out.len())?;

        let block = self.block_strips() * STRIP;
        let outside = scratch.take::<i8>(self.channels);
        outside.fill(self.input.zero());
        let halves = scratch.take::<i16>(STRIP * PLANES * self.channels);
        let values = scratch.take::<i32>(self.block_strips() * self.strip_words());
        let acc = scratch.take::<i32>(block * 4 * self.padded());
        let end = lines.end * self.tiles();
        for first in (lines.start * self.tiles()..end).step_by(block) {
            let count = block.min(end - first);
            let strips = count.div_ceil(STRIP);
            let values = &mut values[..strips * self.strip_words()];
            for (strip, values) in values.chunks_exact_mut(self.strip_words()).enumerate() {
                // What is missing of the last strip repeats its last tile.
                for (r, half) in halves.chunks_exact_mut(PLANES * self.channels).enumerate() {
                    self.lines_of(x, outside, (first + strip * STRIP + r).min(end - 1), half);
                }
                self.transform(halves, values);
            }
            self.sums(values, acc);
            self.write(acc, first, count, strips, first_pixel, &mut out);
        }
        Ok(())
    }

    /// `B^T d` of the pixels under a tile, line by line `B`'s part is left: `[line][column][channel]`.
    fn lines_of(&self, x: &[i8], outside: &[i8], tile: usize, half: &mut [i16]) {
        let [height, width] = self.geometry.input;
        let [top, left, ..] = self.geometry.window.pads;
        let (line, column) = (tile / self.tiles(), tile % self.tiles() * 2);
        let (image, line) = (line / self.lines(), line % self.lines() * 2);
        let flip = i16x8_splat(if self.input.unsigned { 0 } else { 128 });
        let zero = i16x8_splat(self.input.zero_point as i16 + if self.input.unsigned { 0 } else { 128 });
        for j in 0..4 {
            let pixels: [&[[i8; LANES]]; 4] = core::array::from_fn(|i| {
                // Wraps below 0, to what is above every size.
                let (y, column) = ((line + i).wrapping_sub(top), (column + j).wrapping_sub(left));
                if y >= height || column >= width {
                    return outside.as_chunks().0;
                }
                let at = ((image * height + y) * width + column) * self.channels;
                x[at..][..self.channels].as_chunks().0
            });
            for channel in 0..self.channels / LANES {
                let d = pixels
                    .map(|pixel| i16x8_sub(v128_xor(i16x8_load_extend_u8x8(&pixel[channel]), flip), zero));
                for (i, value) in differences(d).into_iter().enumerate() {
                    i16x8_store(&mut half[(4 * i + j) * self.channels + LANES * channel..], value);
                }
            }
        }
    }

    /// `B^T d B` of the tiles of a strip: `[plane][channel / 2][tile]`.
    fn transform(&self, halves: &[i16], values: &mut [i32]) {
        let plane_len = self.channels / 2 * STRIP;
        for i in 0..4 {
            for channel in (0..self.channels).step_by(LANES) {
                let tiles: [[V128; 4]; STRIP] = core::array::from_fn(|r| {
                    differences(core::array::from_fn(|j| {
                        i16x8_load(&halves[((PLANES * r) + 4 * i + j) * self.channels + channel..])
                    }))
                });
                for j in 0..4 {
                    let at = (4 * i + j) * plane_len + channel / 2 * STRIP;
                    store_steps(tiles.map(|tile| tile[j]), &mut values[at..][..LANES / 2 * STRIP]);
                }
            }
        }
    }

    /// The sums of all strips: `acc [2 lines][strips][tile][2][padded columns]`.
    fn sums(&self, values: &[i32], acc: &mut [i32]) {
        let (padded, plane_len) = (self.padded(), self.channels / 2 * STRIP);
        let strips = values.len() / self.strip_words();
        let line = strips * STRIP * 2 * padded;
        let weights = self.weights.chunks_exact(PLANES * self.channels / 2 * WIDTH);
        for (block, weights) in weights.enumerate() {
            for (strip, values) in values.chunks_exact(self.strip_words()).enumerate() {
                let mut sums: [TileSums; PLANES] = [[[i32x4_splat(0); 2]; STRIP]; PLANES];
                let weights = weights.chunks_exact(self.channels / 2 * WIDTH);
                for ((sums, x), weights) in sums.iter_mut().zip(values.chunks_exact(plane_len)).zip(weights) {
                    tile::<PairDot, STRIP, WIDTH, 0>(weights.as_chunks().0, x.as_chunks().0, 8, sums);
                }
                for r in 0..STRIP {
                    for v in 0..2 {
                        let at = (strip * STRIP + r) * 2 * padded + block * WIDTH + 4 * v;
                        for (dy, line_of) in outputs(&sums, r, v).into_iter().enumerate() {
                            for (dx, sum) in line_of.into_iter().enumerate() {
                                i32x4_store(&mut acc[dy * line + at + dx * padded..], sum);
                            }
                        }
                    }
                }
            }
        }
    }

    /// The outputs of `count` tiles from `first` on.
    fn write(
        &self,
        acc: &[i32],
        first: usize,
        count: usize,
        strips: usize,
        first_pixel: usize,
        out: &mut OutputMut<'_>,
    ) {
        let ([height, width], padded) = (self.geometry.output, self.padded());
        let stride = self.output.kind().row_len(self.columns);
        let mut done = 0;
        while done < count {
            let (line, column) = ((first + done) / self.tiles(), (first + done) % self.tiles());
            let run = (count - done).min(self.tiles() - column);
            let pixels = (2 * run).min(width - 2 * column);
            for dy in 0..2.min(height - line % self.lines() * 2) {
                let acc = &acc[(dy * strips * STRIP + done) * 2 * padded..][..pixels * padded];
                let pixel = self.pixels_before(line) + dy * width + 2 * column - first_pixel;
                let out = out.from(pixel * stride);
                self.output.apply_rows(self.tier, acc, padded, self.columns, out, stride);
            }
            done += run;
        }
    }
}

/// `2 G g`. Not inlined: it is called seven times for each channel, and would be there seven times.
#[inline(never)]
fn doubled([a, b, c]: [i32; 3]) -> [i32; 4] {
    [2 * a, a + b + c, a - b + c, 2 * c]
}

/// `B^T d`.
#[inline(always)]
fn differences([a, b, c, d]: [V128; 4]) -> [V128; 4] {
    [i16x8_sub(a, c), i16x8_add(b, c), i16x8_sub(c, b), i16x8_sub(b, d)]
}

/// The sums of 2 × 2 pixels: `A^T m A / 4` of tile `r`, for half `v` of its columns.
#[inline(always)]
fn outputs(sums: &[TileSums; PLANES], r: usize, v: usize) -> [[V128; 2]; 2] {
    let m = |i: usize, j: usize| sums[4 * i + j][r][v];
    let lines: [[V128; 2]; 4] = core::array::from_fn(|i| pair([m(i, 0), m(i, 1), m(i, 2), m(i, 3)]));
    let left = pair(lines.map(|line| line[0]));
    let right = pair(lines.map(|line| line[1]));
    [0, 1].map(|dy| [i32x4_shr(left[dy], 2), i32x4_shr(right[dy], 2)])
}

/// `A^T m`.
#[inline(always)]
fn pair([a, b, c, d]: [V128; 4]) -> [V128; 2] {
    [i32x4_add(a, i32x4_add(b, c)), i32x4_sub(i32x4_sub(b, c), d)]
}
