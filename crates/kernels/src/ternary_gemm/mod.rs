//! Ternary weights by int8 or uint8 activations: `sum[m, n] = Σ_k (x[m, k] - zx) * w[n, k]` with w in -1, 0, +1, exact in int32, then an output transform.
//!
//! Sign weights (±1) are the same with no 0 among them. (Ternary weight networks: Li, Liu 2016, arXiv:1605.04711.)
//!
//! **Layout.** A weight is kept as `w + 1` in 2 bits, 64 weights to 16 bytes, rows padded with code 0; every tier reads the same bytes:
//!
//! ```text
//! byte i of a block:   bits 7..6    5..4     3..2    1..0        i = 0..16
//! weight k - 64 block:  i + 48     i + 32   i + 16    i
//! ```
//!
//! so one mask gives 16 neighbouring weights in byte lanes, and a code needs no sign: `Σ x * w = Σ x * (w + 1) - Σ x`, the row sum of x being computed once.
//! Rows lie one after the other, and a single row of x reads them as **one stream**: two columns at a time are a little faster in cache and
//! half as fast from memory, which is where a layer's weights are when its turn comes.
//!
//! | tier | per 64 weights and row of x | rows |
//! |---|---|---|
//! | scalar | 64 multiply-adds | any |
//! | simd128 | 8 `i32x4.dot_i16x8`, 8 additions, 9 masks and shifts | 1; 4 rows by 2 columns share them |
//! | relaxed | 4 `i32x4.relaxed_dot_i8x16_i7x16_add`, 5 masks and shifts | 1; 4 rows by 2 columns share them |
//!
//! A single row masks its codes *in place* (2 bits up are a factor of 4) and shifts the four sums once, at the end; every field has an accumulator of its own,
//! for one chain through all dots would wait for each of them. Codes are the 7-bit operand of the relaxed dot, at most 2 * 16 = 32, where its result is
//! the same in every engine.
//!
//! **Tried and dropped.** Bit-serial planes with popcounts: 0.2 of this at 8-bit activations. Five weights to a byte in base 3: 0.2 (a size format: expand at load).
//! i16 sums of `i16x8.relaxed_dot`: 0.85.

use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{Op, Result};
use crate::output::{OutputMut, OutputTransform, add_correction};
use crate::rows::{RowKernel, run_matrix};
use crate::tier::Tier;

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pack;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

pub use pack::{TernaryInput, TernaryWeights};

const OP: Op = Op::TernaryGemm;

/// Weights in a block of 16 bytes.
const BLOCK: usize = 64;

/// Rows of x that are prepared together.
const BLOCK_ROWS: usize = 16;

/// Calls a function of [`Kernel`] in the tier of `$gemm`.
macro_rules! by_tier {
    ($gemm:expr, $function:ident($($argument:expr),*)) => {
        match $gemm.tier.effective() {
            Tier::Scalar => <scalar::Scalar as Kernel>::$function($($argument),*),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Tier::Simd128 => <simd128::Simd128 as Kernel>::$function($($argument),*),
            #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
            Tier::Relaxed => <relaxed::Relaxed as Kernel>::$function($($argument),*),
            #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
            _ => unreachable!("a tier above the build's"),
        }
    };
}
/// Packed weights and what becomes of the sums.
pub struct TernaryGemm {
    tier: Tier,
    columns: usize,
    depth: usize,
    input: TernaryInput,
    /// `[N, K / 64]`
    blocks: Buffer<[u8; 16]>,
    /// What the zero point of x takes out of every column: `- zx * Σ_k w[n, k]`.
    offsets: Buffer<i32>,
    output: OutputTransform,
}

/// One tier's way with a block of rows.
trait Kernel {
    /// Vectors of a row of `blocks` blocks as the products read it.
    fn row_vectors(blocks: usize) -> usize;

    /// A row of x, bytes `^ flip` being the signed values, as the products read it; positions behind the row are 0. Returns the values' sum.
    fn prepare(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32;

    /// `acc[r, n] = Σ_k x[r, k] * (w[n, k] + 1)`; `rows` holds prepared rows, `weights` `blocks` vectors per column, `acc` `columns` per row.
    fn products(rows: &[[u8; 16]], weights: &[[u8; 16]], blocks: usize, acc: &mut [i32]);
}

impl TernaryGemm {
    /// Packs weights; [`TernaryWeights`] gives the lengths. Refuses a weight outside -1..=1, sizes of 0, K above 2^20, and what
    /// [`OutputTransform::check`] refuses; per-column arrays have N elements.
    pub fn new(
        tier: Tier,
        weights: &TernaryWeights<'_>,
        input: TernaryInput,
        output: OutputTransform,
    ) -> Result<Self> {
        let (blocks, sums) = pack::pack(weights)?;
        input.check()?;
        // |x - zx| is at most 255.
        output.check(OP, weights.columns, 255 * weights.depth as i64)?;
        let mut offsets = sums;
        for offset in offsets.iter_mut() {
            *offset *= -input.signed_zero_point();
        }
        Ok(Self { tier, columns: weights.columns, depth: weights.depth, input, blocks, offsets, output })
    }

    /// Multiplies `rows` rows: `x` `[rows, K]` int8 (uint8 as the same bytes), `out` `[rows, N]` of the transform's kind (bits: `[rows, words_per_row(N)]`).
    pub fn run(&self, x: &[i8], rows: usize, out: OutputMut<'_>, scratch: Arena<'_>) -> Result<()> {
        run_matrix(OP, self, self.output.kind(), x, rows, out, scratch)
    }

    /// The transform behind the sums.
    pub const fn output(&self) -> &OutputTransform {
        &self.output
    }

    /// Bytes of packed weights.
    pub fn byte_len(&self) -> usize {
        self.blocks.byte_len() + self.offsets.byte_len()
    }

    /// Blocks of a row.
    const fn row_blocks(&self) -> usize {
        self.depth.div_ceil(BLOCK)
    }

    fn row_vectors(&self) -> usize {
        by_tier!(self, row_vectors(self.row_blocks()))
    }

    /// `acc[rows, N]`, complete but for corrections.
    fn accumulate(&self, x: &[i8], acc: &mut [i32], mut scratch: Arena<'_>) {
        let rows = acc.len() / self.columns;
        let prepared = scratch.take::<[u8; 16]>(rows * self.row_vectors());
        let sums = scratch.take::<i32>(rows);
        let flip = self.input.flip();
        for ((x, row), sum) in
            x.chunks_exact(self.depth).zip(prepared.chunks_exact_mut(self.row_vectors())).zip(&mut *sums)
        {
            *sum = by_tier!(self, prepare(x, flip, row));
        }
        by_tier!(self, products(prepared, &self.blocks, self.row_blocks(), acc));
        for (acc, sum) in acc.chunks_exact_mut(self.columns).zip(sums) {
            for (acc, offset) in acc.iter_mut().zip(&*self.offsets) {
                *acc += offset - *sum;
            }
        }
    }
}

impl RowKernel for TernaryGemm {
    type Input = i8;

    fn row_len(&self) -> usize {
        self.depth
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn block_rows(&self) -> usize {
        BLOCK_ROWS
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        let rows = rows.min(BLOCK_ROWS);
        lines_for::<i32>(rows * self.columns)
            + lines_for::<[u8; 16]>(rows * self.row_vectors())
            + lines_for::<i32>(rows)
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
        let n = self.columns;
        for first in (0..rows).step_by(BLOCK_ROWS) {
            let count = (rows - first).min(BLOCK_ROWS);
            let mut scratch = scratch.rest();
            let acc = scratch.take::<i32>(count * n);
            self.accumulate(&x[first * self.depth..][..count * self.depth], acc, scratch);
            if let Some(correction) = correction {
                add_correction(acc, &correction[first * n..][..count * n]);
            }
            self.output.apply_rows(self.tier, acc, n, n, out.from(first * stride), stride);
        }
    }
}
