//! The product with packed weights.

use super::blocked::{DEPTH, Panels, Part, Product, scratch_lines};
use super::panels::{pack, padded_columns};
use super::with_tile;
use crate::buffer::{Arena, Buffer};
use crate::error::{ErrorCode, KernelError, Op, Result, What, check_range, check_shape, checked_area};
use crate::output::{OutputKind, OutputMut};
use crate::rows::{RowKernel, run_matrix};
use crate::tier::Tier;

const OP: Op = Op::GemmF32;

/// Packed weights, bias and clamp of one dense f32 layer.
pub struct GemmF32 {
    n: usize,
    k: usize,
    /// `padded_columns(n) * k` weights in panels.
    panels: Buffer<f32>,
    /// `padded_columns(n)`, zeros where there is no column.
    bias: Buffer<f32>,
    clamp: (f32, f32),
    tier: Tier,
}

impl GemmF32 {
    /// Packs `weights [n, k]` (row-major, n and k at least 1). `bias` is `[n]`, or empty for zeros; no clamp is `(-inf, inf)`.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where n or k is 0 or the clamp is empty or NaN, `Memory`.
    pub fn new(
        tier: Tier,
        n: usize,
        k: usize,
        weights: &[f32],
        bias: &[f32],
        clamp: (f32, f32),
    ) -> Result<Self> {
        check_range(OP, What::Columns, 1, i64::from(u32::MAX), n as i64)?;
        check_range(OP, What::Depth, 1, i64::from(u32::MAX), k as i64)?;
        check_shape(OP, What::Length, checked_area(OP, n, k)?, weights.len())?;
        let bias = padded_bias(OP, n, bias)?;
        check_clamp(OP, clamp)?;
        let size = checked_area(OP, padded_columns(n), k)?;
        let mut packed = Buffer::zeroed(OP, size)?;
        pack(n, k, &mut packed, |column, position| weights[column * k + position]);
        Ok(Self { n, k, panels: packed, bias, clamp, tier })
    }

    /// Bytes of the packed weights.
    pub fn byte_len(&self) -> usize {
        self.panels.byte_len() + self.bias.byte_len()
    }

    /// Computes `rows` rows: `x [rows, k]` to `y [rows, n]`.
    ///
    /// # Errors
    /// `Shape` where x or y does not have its length.
    pub fn run(&self, x: &[f32], rows: usize, y: &mut [f32], scratch: Arena<'_>) -> Result<()> {
        run_matrix(OP, self, OutputKind::F32, x, rows, OutputMut::F32(y), scratch)
    }
}

impl Panels for GemmF32 {
    const READY: bool = true;
    const NARROW: bool = true;

    fn part<'a>(&'a self, part: Part, _: &'a mut [f32]) -> &'a [f32] {
        let Part { first, width, start, depth, .. } = part;
        &self.panels[first * self.k + start * width..][..depth * width]
    }
}

impl RowKernel for GemmF32 {
    type Input = f32;

    fn row_len(&self) -> usize {
        self.k
    }

    fn columns(&self) -> usize {
        self.n
    }

    fn block_rows(&self) -> usize {
        block_rows(self.k)
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        scratch_lines(rows, DEPTH.min(self.k), true)
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
        debug_assert!(correction.is_none() && x.len() == rows * self.k);
        let OutputMut::F32(y) = out else { unreachable!("gemm_f32 writes f32, which its callers check") };
        let product = Product {
            n: self.n,
            k: self.k,
            depth: DEPTH.min(self.k),
            bias: &self.bias,
            clamp: self.clamp,
            stride,
        };
        with_tile!(self.tier, T => product.run::<T, _>(self, x, y, scratch));
    }
}

/// Rows to gather at a time: about 64 KiB of them, so that they and a panel of weights share the second-level cache.
pub(crate) fn block_rows(k: usize) -> usize {
    (16 * 1024 / k).clamp(16, 256) & !3
}

/// `bias` as [`GemmF32`] keeps it.
pub(crate) fn padded_bias(op: Op, n: usize, bias: &[f32]) -> Result<Buffer<f32>> {
    let mut padded = Buffer::zeroed(op, padded_columns(n))?;
    if !bias.is_empty() {
        check_shape(op, What::Bias, n, bias.len())?;
        padded[..n].copy_from_slice(bias);
    }
    Ok(padded)
}

/// Refuses a clamp that no value passes.
pub(crate) fn check_clamp(op: Op, (low, high): (f32, f32)) -> Result<()> {
    // Written so that a NaN on either side is refused too.
    if low <= high {
        return Ok(());
    }
    Err(KernelError::new(ErrorCode::Range, op, What::Clamp, low as i64, high as i64))
}
