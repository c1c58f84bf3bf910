//! The product with coded weights, by the way that suits them.

use super::OP;
use super::pack::{CodedWeights, Decoding, Packed};
use super::{decoded, lookup};
use crate::buffer::{Arena, Buffer};
use crate::error::Result;
use crate::gemm_f32::{block_rows, check_clamp, padded_bias, with_tile};
use crate::output::{OutputKind, OutputMut};
use crate::rows::{RowKernel, run_matrix};
use crate::tier::Tier;

/// Packed codes, bias and clamp of one layer.
pub struct CodebookGemm {
    pub(super) packed: Packed,
    /// At least N.
    pub(super) bias: Buffer<f32>,
    pub(super) clamp: (f32, f32),
    tier: Tier,
    looks_up: bool,
}

impl CodebookGemm {
    /// Packs `weights`. `bias` is `[N]`, or empty for zeros; no clamp is `(-inf, inf)`.
    ///
    /// # Errors
    /// `Range` where a size, the bits, a code, a zero point, the codebook's length or the clamp is out of range; `Shape` where a slice does not have its length
    /// or the dimension does not divide K and the group size; `Memory`.
    pub fn new(tier: Tier, weights: &CodedWeights<'_>, bias: &[f32], clamp: (f32, f32)) -> Result<Self> {
        let packed = Packed::new(weights)?;
        let bias = padded_bias(OP, packed.columns, bias)?;
        check_clamp(OP, clamp)?;
        let looks_up = match weights.decoding {
            Decoding::Product { codebook, dimension } => codebook.len() / dimension <= packed.columns,
            _ => false,
        };
        Ok(Self { packed, bias, clamp, tier, looks_up })
    }

    /// Whether partial dots are looked up, which is the other of the two orders of summation.
    pub fn looks_up(&self) -> bool {
        self.looks_up
    }

    /// Bytes of the packed weights.
    pub fn byte_len(&self) -> usize {
        self.packed.byte_len() + self.bias.byte_len()
    }

    /// Computes `rows` rows: `x [rows, K]` to `y [rows, N]`.
    ///
    /// # Errors
    /// `Shape` where x or y does not have its length.
    pub fn run(&self, x: &[f32], rows: usize, y: &mut [f32], scratch: Arena<'_>) -> Result<()> {
        run_matrix(OP, self, OutputKind::F32, x, rows, OutputMut::F32(y), scratch)
    }
}

impl RowKernel for CodebookGemm {
    type Input = f32;

    fn row_len(&self) -> usize {
        self.packed.depth
    }

    fn columns(&self) -> usize {
        self.packed.columns
    }

    fn block_rows(&self) -> usize {
        block_rows(self.packed.depth)
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        if self.looks_up {
            lookup::scratch_lines(&self.packed)
        } else {
            decoded::scratch_lines(&self.packed, rows)
        }
    }

    fn run_rows(
        &self,
        x: &[f32],
        rows: usize,
        correction: Option<&[i32]>,
        out: OutputMut<'_>,
        stride: usize,
        scratch: Arena<'_>,
    ) {
        debug_assert!(correction.is_none() && x.len() == rows * self.packed.depth);
        let OutputMut::F32(y) = out else {
            unreachable!("codebook_gemm writes f32, which its callers check")
        };
        with_tile!(self.tier, T => if self.looks_up {
            lookup::run::<T>(self, x, y, stride, scratch);
        } else {
            decoded::run::<T>(self, x, y, stride, scratch);
        });
    }
}
