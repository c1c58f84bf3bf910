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

    fn block_rows(&self) -> usize {
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
        mut out: OutputMut<'_>,
        scratch: &mut Arena<'_>,
    ) -> Result<()> {
        let columns = self.kernels[0].columns();
        let (pixel, stride) = (self.pixel_len(), out.kind().row_len(self.columns()));
        let image = checked_area(OP, self.geometry.input_pixels(), pixel)?;
        check_shape(OP, What::Length, checked_area(OP, batch, image)?, x.len())?;
        let pixels = checked_area(OP, batch, self.geometry.output_pixels())?;
        check_shape(OP, What::Length, checked_area(OP, pixels, stride)?, out.len())?;
        if out.kind() == OutputKind::Bits && self.kernels.len() > 1 {
            check_range(OP, What::Columns, 0, 0, (columns % WORD_BITS) as i64)?;
        }
        let block = self.block_rows();
        let (row_len, gathers) = (self.kernels[0].row_len(), self.gathers());
        let rows = scratch.take::<K::Input>(if gathers { block * row_len } else { 0 });
        let corrections = scratch.take::<i32>(if self.tap_sums.is_some() { block * columns } else { 0 });
        for first in (0..pixels).step_by(block) {
            let count = block.min(pixels - first);
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
                        self.correct(first, values, |tap| sums(kernel, tap)).then_some(&*values)
                    }
                    None => None,
                };
                let start = first * stride + out.kind().row_len(group * columns);
                kernel.run_rows(rows, count, correction, out.from(start), stride, scratch.rest());
            }
        }
        Ok(())
    }

    /// Writes the rows of the output pixels from `first` on (over all images) for one group: `rows [count][taps][channels]`.
    fn gather(&self, x: &[K::Input], group: usize, first: usize, rows: &mut [K::Input]) {
        let g = &self.geometry;
        let [kernel_h, kernel_w] = g.window.kernel;
        let (groups, pixel) = (self.kernels.len(), self.pixel_len());
        let channels = pixel / groups;
        let image_len = g.input_pixels() * pixel;
        // Neighbouring taps lie side by side in the image, so that a row of taps is one run.
        let joined = groups == 1 && g.window.dilations[1] == 1;
        for (at, row) in (first..).zip(rows.chunks_exact_mut(kernel_h * kernel_w * channels)) {
            let (image, oy, ox) = self.coordinates(at);
            let x = &x[image * image_len..][..image_len];
            let (inside_y, inside_x) = (g.inside(0, oy), g.inside(1, ox));
            for (ky, taps) in row.chunks_exact_mut(kernel_w * channels).enumerate() {
                if !inside_y.contains(&ky) || inside_x.is_empty() {
                    taps.fill(self.fill);
                    continue;
                }
                taps[..inside_x.start * channels].fill(self.fill);
                taps[inside_x.end * channels..].fill(self.fill);
                let line = g.source(0, oy, ky) * g.input[1];
                if joined {
                    let from = (line + g.source(1, ox, inside_x.start)) * pixel;
                    let taps = &mut taps[inside_x.start * channels..inside_x.end * channels];
                    copy_run(taps, &x[from..][..taps.len()]);
                } else {
                    for kx in inside_x.clone() {
                        let from = (line + g.source(1, ox, kx)) * pixel + group * channels;
                        copy_run(&mut taps[kx * channels..][..channels], &x[from..][..channels]);
                    }
                }
            }
        }
    }

    /// Writes minus the weights of every missing tap of the pixels from `first` on; false where none is missing.
    fn correct<'k>(&self, first: usize, out: &mut [i32], tap_sums: impl Fn(usize) -> &'k [i32]) -> bool {
        let g = &self.geometry;
        let [kernel_h, kernel_w] = g.window.kernel;
        let mut missing = false;
        out.fill(0);
        for (at, row) in (first..).zip(out.chunks_exact_mut(self.kernels[0].columns())) {
            let (_, oy, ox) = self.coordinates(at);
            let (inside_y, inside_x) = (g.inside(0, oy), g.inside(1, ox));
            if inside_y.len() == kernel_h && inside_x.len() == kernel_w {
                continue;
            }
            missing = true;
            for tap in 0..kernel_h * kernel_w {
                if inside_y.contains(&(tap / kernel_w)) && inside_x.contains(&(tap % kernel_w)) {
                    continue;
                }
                for (value, sum) in row.iter_mut().zip(tap_sums(tap)) {
                    *value -= sum;
                }
            }
        }
        missing
    }

    /// `(image, row, column)` of an output pixel.
    fn coordinates(&self, at: usize) -> (usize, usize, usize) {
        let [height, width] = self.geometry.output;
        (at / (height * width), at / width % height, at % width)
    }
}

/// Copies without a library call where the run is short, as it is for the first layers (one or three channels).
fn copy_run<T: Element>(to: &mut [T], from: &[T]) {
    if to.len() >= 32 {
        to.copy_from_slice(from);
        return;
    }
    let mut done = 0;
    copy_bit::<T, 16>(to, from, &mut done);
    copy_bit::<T, 8>(to, from, &mut done);
    copy_bit::<T, 4>(to, from, &mut done);
    copy_bit::<T, 2>(to, from, &mut done);
    copy_bit::<T, 1>(to, from, &mut done);
}

/// Copies the next `STEP` elements if that bit of the length is set; the constant size makes it plain loads and stores.
#[inline(always)]
fn copy_bit<T: Element, const STEP: usize>(to: &mut [T], from: &[T], done: &mut usize) {
    if to.len() & STEP != 0 {
        to[*done..][..STEP].copy_from_slice(&from[*done..][..STEP]);
        *done += STEP;
    }
}
