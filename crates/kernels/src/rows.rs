//! What every matrix product family offers to `conv.rs`: the product of a few gathered rows with its packed weights.
//!
//! A convolution gathers, for a few output pixels at a time, the input under each tap into one contiguous *row* (im2col of a
//! block of rows, never of the image) and hands the block to [`RowKernel::run_rows`].
//!
//! **Rows.** A row is `row_len` elements of `Input`, tap after tap in the order of the OHWI weights. A tap is the
//! pixel's channels of this group: for bits `words_per_row(channels)` words, for trits twice that (sign words, then non-zero words
//! *of that pixel*), otherwise one element per channel. So every gathered run is one `copy_from_slice` of a pixel, and a row of bits holds
//! `taps` runs that each start a new word; the family is told `taps` when it is made, and keeps its weights so.
//!
//! **Padding.** A missing tap is filled with one value (`RowKernel::Input`): the zero point of int8 or uint8 activations, 0.0,
//! and for bits the word 0, which means +1 everywhere ("one" padding). Padding with real zeros is exact for trits (word 0 in the
//! non-zero plane) and needs a *correction* for bits: each missing tap contributed the sum of its weights, which is
//! subtracted again from the int32 accumulators before the output transform.

use crate::buffer::Arena;
use crate::error::{Op, Result, What, check_shape, checked_area};
use crate::output::{OutputKind, OutputMut};

/// A family of matrix products with packed weights: `y[m, n] = transform(sum_k x[m, k] * w[n, k] + correction[m, n])`.
///
/// `Sync`, for threads share the packed weights of a product: what a run works with is all in its arguments.
pub trait RowKernel: Sync {
    /// Element of an activation row: `u32` words of bits or trits, `i8`, `u8`, `f32`.
    type Input: crate::buffer::Element;

    /// Elements of one row.
    fn row_len(&self) -> usize;

    /// Output columns N (channels of this group).
    fn columns(&self) -> usize;

    /// Rows that one call should bring to keep the weights it streams busy; a convolution gathers blocks of this many.
    fn block_rows(&self) -> usize {
        16
    }

    /// Scratch of one call with at most `rows` rows, in [`crate::buffer::LINE_BYTES`]; sum of `lines_for` of what is taken.
    fn scratch_lines(&self, rows: usize) -> usize;

    /// Computes `rows` rows.
    ///
    /// - `x`: `rows * row_len` elements.
    /// - `correction`: `rows * columns` values added to the accumulators, or `None`. Only integer families are given one.
    /// - `out`: its first element is row 0, column 0; row r starts `r * stride` elements of the output's type further
    ///   (for bits: words), and the elements between the rows are left alone.
    ///
    /// Lengths were checked by the caller; they are `debug_assert`ed, and slicing stays checked.
    fn run_rows(
        &self,
        x: &[Self::Input],
        rows: usize,
        correction: Option<&[i32]>,
        out: OutputMut<'_>,
        stride: usize,
        scratch: Arena<'_>,
    );
}

/// A kernel of any family: convolutions are compiled once per element type and not once per family.
impl<I: crate::buffer::Element> RowKernel for Box<dyn RowKernel<Input = I>> {
    type Input = I;

    fn row_len(&self) -> usize {
        (**self).row_len()
    }

    fn columns(&self) -> usize {
        (**self).columns()
    }

    fn block_rows(&self) -> usize {
        (**self).block_rows()
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        (**self).scratch_lines(rows)
    }

    fn run_rows(
        &self,
        x: &[I],
        rows: usize,
        correction: Option<&[i32]>,
        out: OutputMut<'_>,
        stride: usize,
        scratch: Arena<'_>,
    ) {
        (**self).run_rows(x, rows, correction, out, stride, scratch);
    }
}

/// What missing taps contributed to the sums of a binary kernel: what "zero" padding takes out again.
pub trait TapSums {
    /// What tap `tap` filled with words of 0 adds to every column: the sum of its weights (±1) under bits, 0 under trits. `columns` values.
    fn tap_sums(&self, tap: usize) -> &[i32];
}

/// The plain product of `rows` contiguous rows: checks lengths and the kind of `out`, then calls [`RowKernel::run_rows`].
pub fn run_matrix<K: RowKernel>(
    op: Op,
    kernel: &K,
    kind: OutputKind,
    x: &[K::Input],
    rows: usize,
    out: OutputMut<'_>,
    scratch: Arena<'_>,
) -> Result<()> {
    let stride = kind.row_len(kernel.columns());
    check_shape(op, What::Length, checked_area(op, rows, kernel.row_len())?, x.len())?;
    check_shape(op, What::OutputKind, kind as usize, out.kind() as usize)?;
    check_shape(op, What::Length, checked_area(op, rows, stride)?, out.len())?;
    kernel.run_rows(x, rows, None, out, stride, scratch);
    Ok(())
}
