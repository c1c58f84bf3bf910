//! A scale per group of a row: int32 inside a group, f32 over the groups.
//!
//! `r[n] = ((0 + s_0 * q[n, 0]) + s_1 * q[n, 1]) + ... + bias[n]` with `s_g` the int32 sum of group g as f32 and `q` the scales (the weight's times the
//! activation's), every product and sum rounded, groups ascending. Then `clamp(r)`, or `clamp(round_ties_even(r / scale) + zero_point)`.

use super::OP;
use super::pack::{AffineCodes, AffineInput, COLUMNS, Packed};
use super::sums::{Tile, with_tile};
use crate::buffer::{Arena, Buffer, lines_for};
use crate::convert::{check_scale, quantized};
use crate::error::{Result, What, check_finite, check_range, check_shape, checked_area};
use crate::gemm_f32::check_clamp;
use crate::output::{OutputKind, OutputMut, OutputTransform};
use crate::rows::{RowKernel, run_matrix};
use crate::tier::Tier;

/// What the float sums become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GroupedOutput {
    /// f32
    F32 {
        /// `(low, high)`
        clamp: (f32, f32),
    },
    /// int8, or uint8 where the clamp lies in 0..=255
    Int8 {
        /// Positive and finite.
        scale: f32,
        /// In -128..=255.
        zero_point: i32,
        /// Of the quantized result, inside -128..=127 or 0..=255.
        clamp: (i32, i32),
    },
}

/// Packed weights with a scale per group.
pub struct GroupedAffineGemm {
    packed: Packed,
    /// `[panel][group][16]`
    scales: Buffer<f32>,
    /// N
    bias: Buffer<f32>,
    output: GroupedOutput,
}

impl GroupedAffineGemm {
    /// Packs `weights`; `scales` is `[N, groups]`, `bias` is `[N]` or empty for zeros, all finite.
    ///
    /// # Errors
    /// As [`super::AffineGemm::new`]; `Range` where a scale, the clamp or the output's quantization is out of range.
    pub fn new(
        tier: Tier,
        weights: &AffineCodes<'_>,
        input: AffineInput,
        scales: &[f32],
        bias: &[f32],
        output: GroupedOutput,
    ) -> Result<Self> {
        let packed = Packed::new(tier, weights, input)?;
        OutputTransform::I32.check(OP, packed.columns, packed.largest)?;
        let (n, groups) = (packed.columns, packed.groups());
        check_shape(OP, What::Scale, checked_area(OP, n, groups)?, scales.len())?;
        check_finite(OP, scales)?;
        check_finite(OP, bias)?;
        match output {
            GroupedOutput::F32 { clamp } => check_clamp(OP, clamp)?,
            GroupedOutput::Int8 { scale, zero_point, clamp } => {
                check_scale(OP, scale)?;
                check_range(OP, What::ZeroPoint, -128, 255, i64::from(zero_point))?;
                let (low, high) = if clamp.0 < 0 { (-128, 127) } else { (0, 255) };
                check_range(OP, What::Clamp, low, i64::from(clamp.1), i64::from(clamp.0))?;
                check_range(OP, What::Clamp, low, high, i64::from(clamp.1))?;
            }
        }
        let mut kept = Buffer::zeroed(OP, packed.zeros.len())?;
        for (i, &scale) in scales.iter().enumerate() {
            let (column, group) = (i / groups, i % groups);
            kept[(column / COLUMNS * groups + group) * COLUMNS + column % COLUMNS] = scale;
        }
        let mut biases = Buffer::zeroed(OP, n)?;
        if !bias.is_empty() {
            check_shape(OP, What::Bias, n, bias.len())?;
            biases.copy_from_slice(bias);
        }
        Ok(Self { packed, scales: kept, bias: biases, output })
    }

    /// The kind of output that it writes.
    pub fn output_kind(&self) -> OutputKind {
        match self.output {
            GroupedOutput::F32 { .. } => OutputKind::F32,
            GroupedOutput::Int8 { .. } => OutputKind::Int8,
        }
    }

    /// The activations it takes.
    pub fn input(&self) -> AffineInput {
        self.packed.input
    }

    /// Bytes of the packed weights.
    pub fn byte_len(&self) -> usize {
        self.packed.byte_len() + self.scales.byte_len() + self.bias.byte_len()
    }

    /// Computes `rows` rows: `x [rows, K]` to `out [rows, N]`, f32 or bytes.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length or `out` its kind.
    pub fn run(&self, x: &[i8], rows: usize, out: OutputMut<'_>, scratch: Arena<'_>) -> Result<()> {
        run_matrix(OP, self, self.output_kind(), x, rows, out, scratch)
    }

    /// At most `block_rows` rows of float sums: `y [panel][rows][16]`.
    fn sums<T: Tile>(&self, x: &[i8], y: &mut [f32], mut scratch: Arena<'_>) {
        let (rows, groups) = (x.len() / self.packed.depth, self.packed.groups());
        let mut x = self.packed.prepare::<T>(x, &mut scratch);
        let sums = scratch.take::<i32>(rows * COLUMNS);
        for (panel, y) in y.chunks_exact_mut(rows * COLUMNS).enumerate() {
            y.fill(0.0);
            for group in 0..groups {
                self.packed.group_sums::<T>(&mut x, panel, group, sums, COLUMNS, None);
                T::add_scaled(sums, &self.scales[(panel * groups + group) * COLUMNS..][..COLUMNS], y);
            }
        }
    }

    /// Writes the sums of one row and panel to the columns from `first` on.
    fn finish(&self, sums: &[f32], first: usize, out: &mut OutputMut<'_>) {
        let sums = sums.iter().zip(&self.bias[first..]);
        match (self.output, out) {
            (GroupedOutput::F32 { clamp: (low, high) }, OutputMut::F32(y)) => {
                for ((&sum, &bias), y) in sums.zip(&mut y[first..]) {
                    let value = sum + bias;
                    let value = if value < low { low } else { value };
                    *y = if high < value { high } else { value };
                }
            }
            (GroupedOutput::Int8 { scale, zero_point, clamp }, OutputMut::Int8(y)) => {
                for ((&sum, &bias), y) in sums.zip(&mut y[first..]) {
                    *y = quantized(sum + bias, scale, zero_point, clamp);
                }
            }
            _ => unreachable!("callers check the kind of output"),
        }
    }
}

impl RowKernel for GroupedAffineGemm {
    type Input = i8;

    fn row_len(&self) -> usize {
        self.packed.depth
    }

    fn columns(&self) -> usize {
        self.packed.columns
    }

    fn block_rows(&self) -> usize {
        self.packed.block_rows(false)
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        let rows = rows.min(self.packed.block_rows(false));
        lines_for::<f32>(rows * self.packed.panels() * COLUMNS)
            + lines_for::<i32>(rows * COLUMNS)
            + self.packed.prepared_lines(rows)
    }

    fn run_rows(
        &self,
        x: &[i8],
        rows: usize,
        correction: Option<&[i32]>,
        mut out: OutputMut<'_>,
        stride: usize,
        mut scratch: Arena<'_>,
    ) {
        debug_assert!(correction.is_none() && x.len() == rows * self.packed.depth);
        let panels = self.packed.panels();
        for (block, x) in x.chunks(self.packed.block_rows(false) * self.packed.depth).enumerate() {
            let rows = x.len() / self.packed.depth;
            let mut scratch = scratch.rest();
            let sums = scratch.take::<f32>(rows * panels * COLUMNS);
            with_tile!(self.packed, T => self.sums::<T>(x, sums, scratch));
            for r in 0..rows {
                let mut out = out.from((block * self.packed.block_rows(false) + r) * stride);
                for panel in 0..panels {
                    let first = panel * COLUMNS;
                    let real = COLUMNS.min(self.packed.columns - first);
                    self.finish(&sums[(panel * rows + r) * COLUMNS..][..real], first, &mut out);
                }
            }
        }
    }
}
