//! Ternary weights by int8 or uint8 activations: `sum[m, n] = Σ_k (x[m, k] - zx) * w[n, k]` with w in -1, 0, +1, exact in int32, then an output transform.
//!
//! Sign weights (±1) are the same with no 0 among them. (Ternary weight networks: Li, Liu 2016, arXiv:1605.04711.)
//!
//! **Layouts.** A weight is kept as `w + 1` in 2 bits. *Quads* hold 64 weights of a column in 16 bytes, four columns side by side, padded with code 0:
//!
//! ```text
//! [N / 4][K / 64][4]
//! byte i of a block:   bits 7..6    5..4     3..2    1..0        i = 0..16
//! weight k - 64 block:  i + 48     i + 32   i + 16    i
//! ```
//!
//! so one mask gives 16 neighbouring weights in byte lanes, and a code needs no sign: `Σ x * w = Σ x * (w + 1) - Σ x`, the row sum of x being computed once.
//! *Panels* hold four weights of 16 columns in 16 bytes, the indices of table lookups (`lookup.rs`). Which of the two there is depends on the tier and the columns.
//!
//! | tier | columns | rows | multiplies by | per 64 weights and row | GMAC/s cold, hot |
//! |---|---|---|---|---|---|
//! | scalar | any | any | integers | 64 multiply-adds | |
//! | simd128 | < 128 | any | `i32x4.dot_i16x8` | 8 dots, 8 additions; 4 rows by 2 columns share 16 masks and shifts | 12.8, 12.9 |
//! | simd128 | >= 128 | any | tables of two activations (`lookup.rs`) | 4 swizzles, 4 additions, 4.5 to part and to widen | 24.4, 25.8 |
//! | relaxed | any | 1 to 3 left | the faster relaxed dot, codes masked in place | 4 dots (and 4 additions), 4 masks, 1 shift | 40.1, 42.4 (16 bits); 26.8, 27.0 (32) |
//! | relaxed | any | 4 at a time | the same, codes shifted | 4 dots (and 4 additions); 4 rows by 2 columns share 14 masks and shifts | 47 (16 bits), 28 (32) |
//!
//! (Single rows: 4096 x 4096, weights rotating over 80 MiB, and one matrix of 4 MiB. Tiles: 64 rows of 1024 x 1024. Node 24 on an x64 with AVX2 and
//! without VNNI, interleaved in one run with the kernel before these, which read columns one by one: 16.9, 17.0 relaxed; 12.8, 12.9 simd128; tiles 25 and 18.)
//!
//! **Limits.** 2 bits a weight: this machine reads 48 GMAC/s of such weights by one stream through memory, 66 by two, 80 by four to eight. What holds is the arithmetic:
//! 13.5 vector operations to 64 weights, at four a cycle, are 60 GMAC/s. Where `i32x4.relaxed_dot_i8x16_i7x16_add` is one instruction (VNNI, `sdot`) it takes 9, where it
//! is three, as here, 17: hence [`DotWidth`].
//!
//! **Places.** Columns side by side are one stream; single rows read quads from four quarters of a matrix in turn (`turns.rs`): 1.13 times as fast as from two halves with
//! weights from memory, and 0.96 with 4 MiB that stay in a cache. Neighbouring columns read as two streams ask the same page for two places: half the speed of one, here and on other
//! processors. Touching lines of the next page ahead: no gain beside two streams.
//!
//! **Tried and dropped.** Bit-serial planes with popcounts: 0.2 of this at 8-bit activations. Five weights to a byte in base 3: 0.2 (a size format: expand at
//! load). Lookups in the tier relaxed: 0.8 of the 16-bit dots. One or two columns to a quad: 0.6, 0.9. Masks as plain constants: 0.55, for V8 makes them anew at every use.

use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{Op, Result};
use crate::output::{OutputMut, OutputTransform, add_correction};
use crate::rows::{RowKernel, run_matrix};
use crate::tier::Tier;

#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod dots;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod lookup;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pack;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
use lookup::Panels;
use pack::Quads;
pub use pack::{TernaryInput, TernaryWeights};

const OP: Op = Op::TernaryGemm;

/// Weights of a column in a block of 16 bytes.
const BLOCK: usize = 64;
/// Columns whose blocks lie side by side.
const QUAD: usize = 4;

/// Columns of a panel of lookups.
const PANEL: usize = 16;
/// Rows of x that are prepared together.
const BLOCK_ROWS: usize = 16;

/// Which dot the tier `relaxed` uses; both give the same sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotWidth {
    /// `i16x8.relaxed_dot_i8x16_i7x16` into 16-bit lanes: x64 without VNNI.
    Sums16,
    /// `i32x4.relaxed_dot_i8x16_i7x16_add`: x64 with VNNI, Arm.
    Sums32,
}

impl DotWidth {
    /// The one with fewer instructions here.
    #[must_use]
    pub fn fastest() -> Self {
        #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
        if crate::v128::RelaxedDot::of_engine() == crate::v128::RelaxedDot::Seven {
            return Self::Sums16;
        }
        Self::Sums32
    }
}

/// Calls a function of [`Kernel`] in the tier of `$gemm`.
macro_rules! bytier {
    ($gemm:expr, $function:ident($($argument:expr),*)) => {
        match $gemm.tier.effective() {
            Tier::Scalar => <scalar::Scalar as Kernel>::$function($($argument),*),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Tier::Simd128 => <simd128::Simd128 as Kernel>::$function($($argument),*),
            #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
            Tier::Relaxed => match $gemm.dot {
                DotWidth::Sums16 => <relaxed::Relaxed<relaxed::Sums16> as Kernel>::$function($($argument),*),
                DotWidth::Sums32 => <relaxed::Relaxed<relaxed::Sums32> as Kernel>::$function($($argument),*),
            },
            #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
            _ => unreachable!("a tier above the build's"),
        }
    };
}

/// Packed weights and what becomes of the sums.
pub struct TernaryGemm {
    tier: Tier,
    #[cfg_attr(
        all(target_arch = "wasm32", not(target_feature = "relaxed-simd")),
        expect(dead_code, reason = "only the relaxed tier has a choice")
    )]
    dot: DotWidth,
    columns: usize,
    depth: usize,
    input: TernaryInput,
    weights: Weights,
    /// What the zero point of x takes out of every column: `- zx * Σ_k w[n, k]`.
    offsets: Buffer<i32>,
    output: OutputTransform,
}

/// One of the layouts.
enum Weights {
    Quads(Quads),
    #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
    Panels(Panels),
}

impl Weights {
    /// In the layout of the tier and the number of columns, and the sum of each column's.
    fn pack(tier: Tier, weights: &TernaryWeights<'_>) -> Result<(Self, Buffer<i32>)> {
        debug_assert!(tier.is_available());
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        if tier.effective() == Tier::Simd128 && weights.columns >= lookup::COLUMNS {
            let (panels, sums) = Panels::pack(weights)?;
            return Ok((Self::Panels(panels), sums));
        }
        let (quads, sums) = Quads::pack(weights)?;
        Ok((Self::Quads(quads), sums))
    }
}

/// One tier's way with a block of rows and quads.
trait Kernel {
    /// Vectors of a row of `blocks` blocks as the products read it.
    fn row_vectors(blocks: usize) -> usize;

    /// A row of x, bytes `^ flip` being the signed values, as the products read it; positions behind the row are 0. Returns the values' sum.
    fn prepare(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32;

    /// `acc[r, n] = Σ_k x[r, k] * (w[n, k] + 1)`; `rows` holds prepared rows, `weights` quads of `blocks` blocks, `acc` `pitch` columns per row.
    fn products(rows: &[[u8; 16]], weights: &[[u8; 16]], blocks: usize, acc: &mut [i32], pitch: usize);
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
        let (packed, mut offsets) = Weights::pack(tier, weights)?;
        input.check()?;
        // |x - zx| is at most 255.
        output.check(OP, weights.columns, 255 * weights.depth as i64)?;
        for offset in offsets.iter_mut() {
            *offset *= -input.signed_zero_point();
        }
        Ok(Self {
            tier,
            dot: DotWidth::fastest(),
            columns: weights.columns,
            depth: weights.depth,
            input,
            weights: packed,
            offsets,
            output,
        })
    }

    /// The same by another dot than the fastest, which makes no difference to the sums.
    #[must_use]
    pub fn with_dot(self, dot: DotWidth) -> Self {
        Self { dot, ..self }
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
        let weights = match &self.weights {
            Weights::Quads(Quads { vectors }) => vectors,
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Weights::Panels(Panels { vectors }) => vectors,
        };
        weights.byte_len() + self.offsets.byte_len()
    }

    /// Columns with the padding of the accumulators.
    const fn pitch(&self) -> usize {
        self.columns.next_multiple_of(PANEL)
    }

    /// Blocks of a row.
    const fn row_blocks(&self) -> usize {
        self.depth.div_ceil(BLOCK)
    }

    fn row_vectors(&self) -> usize {
        bytier!(self, row_vectors(self.row_blocks()))
    }

    /// `acc[rows, pitch]`, complete but for corrections.
    fn accumulate(&self, x: &[i8], acc: &mut [i32], mut scratch: Arena<'_>) {
        let (rows, pitch) = (acc.len() / self.pitch(), self.pitch());
        let flip = self.input.flip();
        let sums = scratch.take::<i32>(rows);
        match &self.weights {
            Weights::Quads(quads) => {
                let prepared = scratch.take::<[u8; 16]>(rows * self.row_vectors());
                for ((x, row), sum) in x
                    .chunks_exact(self.depth)
                    .zip(prepared.chunks_exact_mut(self.row_vectors()))
                    .zip(&mut *sums)
                {
                    *sum = bytier!(self, prepare(x, flip, row));
                }
                bytier!(self, products(prepared, &quads.vectors, self.row_blocks(), acc, pitch));
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Weights::Panels(panels) => {
                // Tables are of weights with their signs: nothing is to be taken out.
                sums.fill(0);
                acc.fill(0);
                let tables = scratch.take::<[u8; 16]>(rows * lookup::row_vectors(self.depth));
                lookup::products(x, flip, panels, tables.as_chunks_mut().0, acc, pitch);
            }
        }
        for (acc, sum) in acc.chunks_exact_mut(pitch).zip(sums) {
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
        let vectors = match &self.weights {
            Weights::Quads(_) => self.row_vectors(),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Weights::Panels(_) => lookup::row_vectors(self.depth),
        };
        lines_for::<i32>(rows * self.pitch()) + lines_for::<[u8; 16]>(rows * vectors) + lines_for::<i32>(rows)
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
        let (n, pitch) = (self.columns, self.pitch());
        for first in (0..rows).step_by(BLOCK_ROWS) {
            let count = (rows - first).min(BLOCK_ROWS);
            let mut scratch = scratch.rest();
            let acc = scratch.take::<i32>(count * pitch);
            self.accumulate(&x[first * self.depth..][..count * self.depth], acc, scratch);
            if let Some(correction) = correction {
                for (acc, correction) in
                    acc.chunks_exact_mut(pitch).zip(correction[first * n..].chunks_exact(n))
                {
                    add_correction(&mut acc[..n], correction);
                }
            }
            self.output.apply_rows(self.tier, acc, pitch, n, out.from(first * stride), stride);
        }
    }
}
