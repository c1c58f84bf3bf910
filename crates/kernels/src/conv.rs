//! The one convolution driver: any [`RowKernel`] over the windows of NHWC images.
//!
//! ```text
//! images ──gather a block of output pixels──► rows [block][taps * channels] ──RowKernel::run_rows──► y
//! ```
//!
//! Rows are gathered (im2col) for [`RowKernel::block_rows`] output pixels at a time into scratch that every layer shares, so the
//! extra memory does not grow with the image. A convolution of one tap without stride or padding is a matrix product as it stands
//! and gathers nothing. Grouped convolutions hold one kernel per group, which writes its columns of y.
//!
//! A missing tap (padding) is filled with one value; a zero-padded convolution of bits, whose fill counts as +1, hands the kernel
//! the correction that takes the missing taps' weights out again.

use core::ops::Range;

use crate::buffer::{Arena, Element, lines_for};
use crate::error::{KernelError, Op, Result, What, check_range, check_shape, checked_area};
use crate::geometry::Geometry;
use crate::layout::WORD_BITS;
use crate::output::{OutputKind, OutputMut};
use crate::rows::{RowKernel, TapSums};

const OP: Op = Op::Conv;

/// A convolution: one packed kernel per group, and where its window lands.
pub struct Convolution<K: RowKernel> {
    geometry: Geometry,
    kernels: Vec<K>,
    fill: K::Input,
    /// Sum of the weights of a tap; present where missing taps have to be taken out of the sums again.
    tap_sums: Option<fn(&K, usize) -> &[i32]>,
}

impl<K: RowKernel> Convolution<K> {
    /// Joins the kernels of the groups (in order, at least one, all of one size) with a window. `fill` stands for a missing tap.
    ///
    /// # Errors
    /// `Shape` where a kernel's row is not a whole number of elements per tap, or where the groups differ.
    pub fn new(geometry: Geometry, kernels: Vec<K>, fill: K::Input) -> Result<Self> {
        let Some(first) = kernels.first() else {
            return Err(KernelError::range(OP, What::Groups, 1, 0));
        };
        let (row_len, columns) = (first.row_len(), first.columns());
        for kernel in &kernels {
            check_shape(OP, What::Depth, row_len, kernel.row_len())?;
            check_shape(OP, What::Columns, columns, kernel.columns())?;
        }
        check_shape(OP, What::Taps, 0, row_len % geometry.window.taps())?;
        Ok(Self { geometry, kernels, fill, tap_sums: None })
    }

    /// As [`Self::new`] for bits whose padding stands for the real number 0.
    pub fn with_zero_padding(geometry: Geometry, kernels: Vec<K>) -> Result<Self>
    where
        K: TapSums,
    {
        let pads = geometry.window.pads != [0; 4];
        let mut conv = Self::new(geometry, kernels, K::Input::default())?;
        conv.tap_sums = pads.then_some(K::tap_sums as fn(&K, usize) -> &[i32]);
        Ok(conv)
    }

    /// The window and its sizes.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The kernels, one per group.
    pub fn kernels(&self) -> &[K] {
        &self.kernels
    }

    /// Elements of an input pixel, all groups together.
    pub fn pixel_len(&self) -> usize {
        self.kernels.len() * self.kernels[0].row_len() / self.geometry.window.taps()
    }

    /// Output channels, all groups together.
    pub fn columns(&self) -> usize {
        self.kernels.len() * self.kernels[0].columns()
    }

    /// Output pixels that are gathered and multiplied at a time.
    pub fn block_rows(&self) -> usize {
        self.kernels[0].block_rows().max(1)
    }

    fn gathers(&self) -> bool {
        !(self.geometry.is_point() && self.kernels.len() == 1)
    }

    /// Lines of scratch that [`Self::run`] takes.
    pub fn scratch_lines(&self) -> usize {
        let (rows, kernel) = (self.block_rows(), &self.kernels[0]);
        let gathered = if self.gathers() { lines_for::<K::Input>(rows * kernel.row_len()) } else { 0 };
        let correction = if self.tap_sums.is_some() { lines_for::<i32>(rows * kernel.columns()) } else { 0 };
        gathered + correction + kernel.scratch_lines(rows)
    }

    /// Convolves `batch` images: `x [batch, h, w, pixel_len]` to `out [batch, h', w', columns]` (bits: whole words per pixel).
    ///
    /// # Errors
    /// `Shape` where x or out does not have its length; `Range` where the result is bits and a group's columns do not fill whole words.
    pub fn run(
        &self,
        x: &[K::Input],
        batch: usize,
        out: OutputMut<'_>,
        scratch: &mut Arena<'_>,
    ) -> Result<()> {
        let pixels = checked_area(OP, batch, self.geometry.output_pixels())?;
        self.run_pixels(x, batch, 0..pixels, out, scratch)
    }

    /// As [`Self::run`] for some of the output pixels, counted over all images: `out` holds these alone. Every pixel is computed by itself, so
    /// that ranges may run side by side; ranges of whole [`Self::block_rows`] waste nothing.
    ///
    /// # Errors
    /// As [`Self::run`], and `Range` where the pixels are not among those of `batch` images.
    pub fn run_pixels(
        &self,
        x: &[K::Input],
        batch: usize,
        pixels: Range<usize>,
        mut out: OutputMut<'_>,
        scratch: &mut Arena<'_>,
    ) -> Result<()> {
        self.check(x, batch, &pixels, &out)?;
        let columns = self.kernels[0].columns();
        let stride = out.kind().row_len(self.columns());
        let block = self.block_rows();
        let (row_len, gathers) = (self.kernels[0].row_len(), self.gathers());
        let rows = scratch.take::<K::Input>(if gathers { block * row_len } else { 0 });
        let corrections = scratch.take::<i32>(if self.tap_sums.is_some() { block * columns } else { 0 });
        for first in pixels.clone().step_by(block) {
            let count = block.min(pixels.end - first);
            for (group, kernel) in self.kernels.iter().enumerate() {
                let rows = if gathers {
                    self.gather(x, group, first, &mut rows[..count * row_len]);
                    &rows[..count * row_len]
                } else {
                    &x[first * row_len..][..count * row_len]
                };
                let correction = match self.tap_sums {
                    Some(sums) => {
                        let values = &mut corrections[..count * columns];
                        correct(&self.geometry, first, columns, values, &|tap| sums(kernel, tap))
                            .then_some(&*values)
                    }
                    None => None,
                };
                let start = (first - pixels.start) * stride + out.kind().row_len(group * columns);
                kernel.run_rows(rows, count, correction, out.from(start), stride, scratch.rest());
            }
        }
        Ok(())
    }

    /// What [`Self::run_pixels`] refuses.
    pub(crate) fn check(
        &self,
        x: &[K::Input],
        batch: usize,
        pixels: &Range<usize>,
        out: &OutputMut<'_>,
    ) -> Result<()> {
        let stride = out.kind().row_len(self.columns());
        let image = checked_area(OP, self.geometry.input_pixels(), self.pixel_len())?;
        check_shape(OP, What::Length, checked_area(OP, batch, image)?, x.len())?;
        let all = checked_area(OP, batch, self.geometry.output_pixels())?;
        check_range(OP, What::Rows, 0, all as i64, pixels.end as i64)?;
        check_range(OP, What::Rows, 0, pixels.end as i64, pixels.start as i64)?;
        check_shape(OP, What::Length, checked_area(OP, pixels.len(), stride)?, out.len())?;
        if out.kind() == OutputKind::Bits && self.kernels.len() > 1 {
            check_range(OP, What::Columns, 0, 0, (self.kernels[0].columns() % WORD_BITS) as i64)?;
        }
        Ok(())
    }

    /// Writes the rows of the output pixels from `first` on (over all images) for one group: `rows [count][taps][channels]`.
    fn gather(&self, x: &[K::Input], group: usize, first: usize, rows: &mut [K::Input]) {
        let g = &self.geometry;
        let [kernel_h, kernel_w] = g.window.kernel;
        let (groups, pixel) = (self.kernels.len(), self.pixel_len());
        let channels = self.kernels[0].row_len() / g.window.taps();
        let image_len = g.input_pixels() * pixel;
        // Neighbouring taps lie side by side in the image, so that a row of taps is one run.
        let joined = groups == 1 && g.window.dilations[1] == 1;
        let mut at = Position::of(g, first);
        let mut start = 0;
        while start < rows.len() {
            let x = &x[at.image * image_len..][..image_len];
            let (inside_y, inside_x) = (g.inside(0, at.y), g.inside(1, at.x));
            // In ascending order, for a copied run may write some elements behind its end.
            if joined && inside_y.len() == kernel_h && inside_x.len() == kernel_w {
                // As are the windows that follow in this line, up to the last one before the edge.
                let last = (g.input[1] + g.window.pads[1] - kernel_w) / g.window.strides[1];
                let left = (rows.len() - start) / (kernel_h * kernel_w * channels);
                let count = (last + 1 - at.x).min(g.output[1] - at.x).min(left);
                let mut from = (g.source(0, at.y, 0) * g.input[1] + g.source(1, at.x, 0)) * pixel;
                for _ in 0..count {
                    let mut line = from;
                    for _ in 0..kernel_h {
                        copy_run(&mut rows[start..], &x[line..], kernel_w * channels);
                        start += kernel_w * channels;
                        line += g.window.dilations[0] * g.input[1] * pixel;
                    }
                    from += g.window.strides[1] * pixel;
                }
                at.x += count - 1;
                at.advance(g.output);
                continue;
            }
            for ky in 0..kernel_h {
                let taps = &mut rows[start..];
                start += kernel_w * channels;
                if !inside_y.contains(&ky) || inside_x.is_empty() {
                    taps[..kernel_w * channels].fill(self.fill);
                    continue;
                }
                let line = g.source(0, at.y, ky) * g.input[1];
                if inside_x.start > 0 {
                    taps[..inside_x.start * channels].fill(self.fill);
                }
                if joined {
                    let from = (line + g.source(1, at.x, inside_x.start)) * pixel;
                    copy_run(&mut taps[inside_x.start * channels..], &x[from..], inside_x.len() * channels);
                } else {
                    for kx in inside_x.clone() {
                        let from = (line + g.source(1, at.x, kx)) * pixel + group * channels;
                        copy_run(&mut taps[kx * channels..], &x[from..], channels);
                    }
                }
                if inside_x.end < kernel_w {
                    taps[inside_x.end * channels..kernel_w * channels].fill(self.fill);
                }
            }
            at.advance(g.output);
        }
    }
}

/// Writes minus the weights of every missing tap of the pixels from `first` on, `columns` values each; false where none is missing. `tap_sums` are
/// those of a tap. Not generic: only bits are corrected, and every element type would have its copy.
#[inline(never)]
fn correct<'k>(
    g: &Geometry,
    first: usize,
    columns: usize,
    out: &mut [i32],
    tap_sums: &dyn Fn(usize) -> &'k [i32],
) -> bool {
    let [kernel_h, kernel_w] = g.window.kernel;
    let mut missing = false;
    out.fill(0);
    let mut at = Position::of(g, first);
    for row in out.chunks_exact_mut(columns) {
        let (inside_y, inside_x) = (g.inside(0, at.y), g.inside(1, at.x));
        at.advance(g.output);
        if inside_y.len() == kernel_h && inside_x.len() == kernel_w {
            continue;
        }
        missing = true;
        for ky in 0..kernel_h {
            for kx in 0..kernel_w {
                if inside_y.contains(&ky) && inside_x.contains(&kx) {
                    continue;
                }
                for (value, sum) in row.iter_mut().zip(tap_sums(ky * kernel_w + kx)) {
                    *value -= sum;
                }
            }
        }
    }
    missing
}

/// An output pixel. Divisions find the first one of a block, and the others follow without.
struct Position {
    image: usize,
    y: usize,
    x: usize,
}

impl Position {
    /// Where output pixel `at` lies, counted over all images.
    #[inline(always)]
    fn of(geometry: &Geometry, at: usize) -> Self {
        let [height, width] = geometry.output;
        Self { image: at / (height * width), y: at / width % height, x: at % width }
    }

    /// The next pixel.
    fn advance(&mut self, [height, width]: [usize; 2]) {
        self.x += 1;
        if self.x == width {
            (self.x, self.y) = (0, self.y + 1);
        }
        if self.y == height {
            (self.y, self.image) = (0, self.image + 1);
        }
    }
}

/// Copies `len` elements from one start to the other, and some behind them where both have any: 16 bytes at a time, without a library call.
fn copy_run<T: Element>(to: &mut [T], from: &[T], len: usize) {
    match size_of::<T>() {
        1 => copy_steps::<T, 16>(to, from, len),
        4 => copy_steps::<T, 4>(to, from, len),
        _ => to[..len].copy_from_slice(&from[..len]),
    }
}

/// [`copy_run`] in steps of a constant size, which are plain loads and stores.
#[inline(always)]
fn copy_steps<T: Element, const STEP: usize>(to: &mut [T], from: &[T], len: usize) {
    const STEPS: usize = 8;
    let whole = len.next_multiple_of(STEP);
    if whole > STEPS * STEP || whole > to.len() || whole > from.len() {
        to[..len].copy_from_slice(&from[..len]);
        return;
    }
    for at in (0..STEPS * STEP).step_by(STEP) {
        if at == whole {
            return;
        }
        to[at..at + STEP].copy_from_slice(&from[at..at + STEP]);
    }
}
