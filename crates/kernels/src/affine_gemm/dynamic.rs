//! Floats in, floats out, bytes in between: every row of x is quantized by its own largest magnitude when it comes.
//!
//! ```text
//! inverse = 127 / max |x|,  scale = max |x| / 127,  q = round_ties_even(x * inverse)        of each row
//! y[n] = clamp((Σ_g f32(Σ_k q * (code - zero point)) * w[n, g]) * scale + bias[n])          inner sums in int32, exact
//! ```
//!
//! every step rounded; groups ascending from +0 (a single group is not added to anything). A row of zeros, or of magnitudes so small that the inverse is infinite, has q = 0
//! and scale 0; a row that holds a NaN or an infinity gives NaN.
//!
//! **Speed.** Nothing waits in memory but the sums of one panel, so that a block is as many rows as the second-level cache takes. What lies around the dots is `float_rows.rs`. The layers of
//! all-MiniLM-L6-v2 at 128 tokens (1.36 G multiply-adds, `node scripts/minilm-speed.mjs`) take 19.6 ms of the 32.6 of the whole network with byte dots on an x64 with VNNI: 70 G/s, where the
//! product of bytes alone runs at 83. With i16 dots the limit is theirs (`dispatch.rs`).

use super::OP;
use super::float_rows::{End, LARGEST, PanelSums, magnitude};
use super::pack::{AffineCodes, AffineInput, COLUMNS, Packed};
use super::sums::{Tile, with_tile};
use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{Result, What, check_finite, check_shape, checked_area};
use crate::gemm_f32::check_clamp;
use crate::output::{OutputKind, OutputMut, OutputTransform};
use crate::rows::{RowKernel, run_matrix};
use crate::tier::Tier;

/// Packed weights with a scale per column or per group of a column, for rows of floats.
pub struct DynamicAffineGemm {
    packed: Packed,
    /// `[panel][group][16]`
    scales: Buffer<f32>,
    /// `[panel][16]`
    bias: Buffer<f32>,
    clamp: (f32, f32),
}

impl DynamicAffineGemm {
    /// Packs `weights`; `scales` is `[N, groups]`, `bias` is `[N]` or empty for zeros, all finite.
    ///
    /// # Errors
    /// As [`super::AffineGemm::new`]; `Range` where a scale or the clamp is out of range.
    pub fn new(
        tier: Tier,
        weights: &AffineCodes<'_>,
        scales: &[f32],
        bias: &[f32],
        clamp: (f32, f32),
    ) -> Result<Self> {
        let packed = Packed::new(tier, weights, AffineInput { unsigned: false, zero_point: 0 })?;
        OutputTransform::I32.check(OP, packed.columns, packed.largest)?;
        let (n, groups) = (packed.columns, packed.groups());
        check_shape(OP, What::Scale, checked_area(OP, n, groups)?, scales.len())?;
        check_finite(OP, scales)?;
        check_finite(OP, bias)?;
        check_clamp(OP, clamp)?;
        let mut kept = Buffer::zeroed(OP, packed.zeros.len())?;
        for (i, &scale) in scales.iter().enumerate() {
            let (column, group) = (i / groups, i % groups);
            kept[(column / COLUMNS * groups + group) * COLUMNS + column % COLUMNS] = scale;
        }
        let mut biases = Buffer::zeroed(OP, packed.panels() * COLUMNS)?;
        if !bias.is_empty() {
            check_shape(OP, What::Bias, n, bias.len())?;
            biases[..n].copy_from_slice(bias);
        }
        Ok(Self { packed, scales: kept, bias: biases, clamp })
    }

    /// Bytes of the packed weights.
    pub fn byte_len(&self) -> usize {
        self.packed.byte_len() + self.scales.byte_len() + self.bias.byte_len()
    }

    /// Computes `rows` rows: `x [rows, K]` to `y [rows, N]`.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(&self, x: &[f32], rows: usize, y: &mut [f32], scratch: Arena<'_>) -> Result<()> {
        run_matrix(OP, self, OutputKind::F32, x, rows, OutputMut::F32(y), scratch)
    }

    /// At most `block_rows` rows.
    fn block<T: Tile>(&self, x: &[f32], y: &mut [f32], stride: usize, mut scratch: Arena<'_>) {
        let packed = &self.packed;
        let (rows, groups) = (x.len() / packed.depth, packed.groups());
        let codes = scratch.take::<i8>(rows * packed.depth);
        let row_scales = scratch.take::<f32>(rows);
        for ((x, codes), scale) in
            x.chunks_exact(packed.depth).zip(codes.chunks_exact_mut(packed.depth)).zip(&mut *row_scales)
        {
            *scale = quantize_row::<T>(x, codes);
        }
        let row_scales = &*row_scales;
        let sums = scratch.take::<i32>(rows * COLUMNS);
        let floats = scratch.take::<f32>(if groups > 1 { rows * COLUMNS } else { 0 });
        let mut prepared = packed.prepare::<T>(codes, &mut scratch);
        for panel in 0..packed.panels() {
            let first = panel * COLUMNS;
            let end = End {
                scales: self.scales[panel * groups * COLUMNS..].first_chunk().expect("scales of a panel"),
                bias: self.bias[first..].first_chunk().expect("biases of a panel"),
                row_scales,
                clamp: self.clamp,
                columns: COLUMNS.min(packed.columns - first),
            };
            if groups == 1 {
                packed.group_sums::<T>(&mut prepared, panel, 0, sums, COLUMNS, None);
                T::finish(PanelSums::Whole(sums), &end, &mut y[first..], stride);
                continue;
            }
            floats.fill(0.0);
            for group in 0..groups {
                packed.group_sums::<T>(&mut prepared, panel, group, sums, COLUMNS, None);
                T::add_scaled(sums, &self.scales[(panel * groups + group) * COLUMNS..][..COLUMNS], floats);
            }
            T::finish(PanelSums::Scaled(floats), &end, &mut y[first..], stride);
        }
    }
}

/// Quantizes one row; its scale.
fn quantize_row<T: Tile>(x: &[f32], codes: &mut [i8]) -> f32 {
    let largest = magnitude(x);
    let (inverse, scale) = (LARGEST as f32 / largest, largest / LARGEST as f32);
    if !(inverse.is_finite() && largest.is_finite()) {
        codes.fill(0);
        return if largest.is_finite() { 0.0 } else { f32::NAN };
    }
    T::encode(x, inverse, codes);
    scale
}

impl RowKernel for DynamicAffineGemm {
    type Input = f32;

    fn row_len(&self) -> usize {
        self.packed.depth
    }

    fn columns(&self) -> usize {
        self.packed.columns
    }

    fn block_rows(&self) -> usize {
        self.packed.panel_block_rows()
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        let rows = rows.min(self.packed.panel_block_rows());
        lines_for::<i8>(rows * self.packed.depth)
            + lines_for::<f32>(rows)
            + lines_for::<i32>(rows * COLUMNS)
            + lines_for::<f32>(rows * COLUMNS)
            + self.packed.prepared_lines(rows)
    }

    fn run_rows(
        &self,
        x: &[f32],
        rows: usize,
        correction: Option<&[i32]>,
        out: OutputMut<'_>,
        stride: usize,
        mut scratch: Arena<'_>,
    ) {
        debug_assert!(correction.is_none() && x.len() == rows * self.packed.depth);
        let OutputMut::F32(y) = out else { unreachable!("it writes f32, which its callers check") };
        let block = self.packed.panel_block_rows();
        for (x, y) in x.chunks(block * self.packed.depth).zip(y.chunks_mut(block * stride)) {
            with_tile!(self.packed, T => self.block::<T>(x, y, stride, scratch.rest()));
        }
    }
}
