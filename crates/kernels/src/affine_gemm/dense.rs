//! One scale per column: int32 sums and the shared output transform.

use super::OP;
use super::pack::{AffineCodes, AffineInput, COLUMNS, Packed};
use super::sums::{Requantize, STRIP, Tile, with_tile};
use crate::buffer::{Arena, lines_for};
use crate::error::{Result, What, check_shape};
use crate::output::{OutputKind, OutputMut, OutputTransform, add_correction};
use crate::rows::{RowKernel, run_matrix};
use crate::tier::Tier;

/// Packed weights and what becomes of the sums. Rows are bytes; uint8 ones are passed as the int8 of the same bits.
pub struct AffineGemm {
    pub(super) packed: Packed,
    pub(super) output: OutputTransform,
}

impl AffineGemm {
    /// Packs `weights`, whose group size is K.
    ///
    /// # Errors
    /// `Range` where a size, the bits or a zero point is out of range; `Shape` where a slice does not have its length; `Accumulator` where a sum of the largest activations would leave int32; what [`OutputTransform::check`] refuses; `Memory`.
    pub fn new(
        tier: Tier,
        weights: &AffineCodes<'_>,
        input: AffineInput,
        output: OutputTransform,
    ) -> Result<Self> {
        check_shape(OP, What::GroupSize, weights.depth, weights.group_size)?;
        let packed = Packed::new(tier, weights, input)?;
        output.check(OP, packed.columns, packed.largest)?;
        Ok(Self { packed, output })
    }

    /// What becomes of the sums.
    pub fn output(&self) -> &OutputTransform {
        &self.output
    }

    /// The activations it takes.
    pub fn input(&self) -> AffineInput {
        self.packed.input
    }

    /// Bytes of the packed weights.
    pub fn byte_len(&self) -> usize {
        self.packed.byte_len()
    }

    /// Computes `rows` rows: `x [rows, K]` to `out [rows, N]` of the transform's kind (bits: whole words per row).
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length or `out` its kind.
    pub fn run(&self, x: &[i8], rows: usize, out: OutputMut<'_>, scratch: Arena<'_>) -> Result<()> {
        run_matrix(OP, self, self.output.kind(), x, rows, out, scratch)
    }

    /// At most `block_rows` rows of sums: `acc [rows][padded columns]`. Where `y`, of rows `stride` apart, takes bytes, the rows of strips are requantized into it and are not
    /// in `acc`. Returns their number.
    fn sums<T: Tile>(
        &self,
        x: &[i8],
        acc: &mut [i32],
        mut scratch: Arena<'_>,
        mut y: Option<&mut [i8]>,
        stride: usize,
    ) -> usize {
        let mut x = self.packed.prepare::<T>(x, &mut scratch);
        let padded = self.packed.panels() * COLUMNS;
        if T::FROM == STRIP && self.packed.takes_turns(acc.len() / padded) {
            self.packed.few_rows::<T>(&x, acc, padded);
            return 0;
        }
        for panel in 0..self.packed.panels() {
            let first = panel * COLUMNS;
            let mut end = y.as_deref_mut().and_then(|y| self.requantize(first, &mut y[first..], stride));
            self.packed.group_sums::<T>(&mut x, panel, 0, &mut acc[first..], padded, end.as_mut());
        }
        if y.is_some() { x.in_strips } else { 0 }
    }

    /// The output transform of a panel, where it is one to bytes.
    fn requantize<'a>(&self, first: usize, y: &'a mut [i8], stride: usize) -> Option<Requantize<'a>> {
        let OutputTransform::Int8 { multiplier, bias, zero_point, clamp } = &self.output else { return None };
        let columns = COLUMNS.min(self.packed.columns - first);
        let mut end = Requantize {
            multiplier: [0.0; COLUMNS],
            bias: [0; COLUMNS],
            zero_point: *zero_point,
            clamp: *clamp,
            y,
            stride,
            columns,
        };
        end.multiplier[..columns].copy_from_slice(&multiplier[first..][..columns]);
        end.bias[..columns].copy_from_slice(&bias[first..][..columns]);
        Some(end)
    }
}

impl RowKernel for AffineGemm {
    type Input = i8;

    fn row_len(&self) -> usize {
        self.packed.depth
    }

    fn columns(&self) -> usize {
        self.packed.columns
    }

    fn block_rows(&self) -> usize {
        self.packed.block_rows(self.output.kind() == OutputKind::Int8)
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        let rows = rows.min(self.block_rows());
        lines_for::<i32>(rows * self.packed.panels() * COLUMNS) + self.packed.prepared_lines(rows)
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
        let (n, padded) = (self.packed.columns, self.packed.panels() * COLUMNS);
        debug_assert_eq!(x.len(), rows * self.packed.depth);
        let block_rows = self.block_rows();
        for (block, x) in x.chunks(block_rows * self.packed.depth).enumerate() {
            let mut scratch = scratch.rest();
            let rows = x.len() / self.packed.depth;
            let acc = scratch.take::<i32>(rows * padded);
            let first = block * block_rows;
            let mut out = out.from(first * stride);
            let bytes = match &mut out {
                OutputMut::Int8(y) if correction.is_none() => Some(&mut **y),
                _ => None,
            };
            let done = with_tile!(self.packed, T => self.sums::<T>(x, acc, scratch, bytes, stride));
            if done == rows {
                continue;
            }
            if let Some(correction) = correction {
                for (acc, correction) in
                    acc.chunks_exact_mut(padded).zip(correction[first * n..].chunks_exact(n))
                {
                    add_correction(&mut acc[..n], correction);
                }
            }
            let (acc, out) = (&acc[done * padded..], out.from(done * stride));
            self.output.apply_rows(self.packed.tier, acc, padded, n, out, stride);
        }
    }
}
