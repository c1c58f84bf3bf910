//! Binary matrix product: `y[m, n] = transform(sum_k x[m, k] * w[n, k])` with weights ±1 and activations ±1 (bits) or -1, 0, +1 (trits).
//!
//! With bit 1 for -1 and 0 for +1 a product is -1 exactly where the bits differ, so
//!
//! ```text
//! bits:   sum = (K - d) - d              = K - 2 * popcount(x ^ w)                d = number of differing bits
//! trits:  sum = popcount(m) - 2 * popcount((s ^ w) & m)                          s sign plane, m non-zero plane
//! ```
//!
//! (XNOR-Net, Rastegari et al. 2016, arXiv:1603.05279.) Padding bits are 0 in both operands and drop out.
//!
//! **Layouts.** Weights are packed twice, once for each way of counting (together 3 K / 8 bytes a row in vector tiers):
//!
//! ```text
//! quads   [N/4][K/64][4]   u64: the same 64 bits of k of four columns side by side, one stream through memory
//! panels  [N/16][K/4][16]  u8:  one byte per column holds 4 bits of k: the index of a table lookup
//! ```
//!
//! **Ways of counting**, chosen by the number of rows left in the block:
//!
//! | tier | rows | bits | trits |
//! |---|---|---|---|
//! | scalar | any | `i64.popcnt` on quads | the same, masked |
//! | simd128, relaxed | 1 | `i64.popcnt` on quads (half the bytes of panels) | the same, masked |
//! | simd128, relaxed | 2 and more | two rows per table lookup | one row per masked lookup |
//!
//! A *lookup* is `swizzle(TABLE[index of the rows' 4 bits], weights' 4 bits)`: 16 columns, two rows, 4 bits of k, so 128 multiply-adds in one
//! swizzle and one addition, plus 5 operations per three lookups to split the rows. In V8 on x64 that is 1.8 times the speed of `i64.popcnt`, because
//! there is no vector popcount: `i8x16.popcnt` is two lookups of its own. The tier `relaxed` differs in the swizzle alone, whose indices are below 16
//! and its result therefore fixed.
//!
//! Trit rows of which no value is 0 are counted as bits (checked per block of rows while their planes are taken apart).
//!
//! **Tried and dropped.** Carry-save adders (Harley-Seal) in vectors: 0.5 to 0.85 of plain counting, for lack of a three-input operation. `i8x16.popcnt` with
//! byte-interleaved columns: 0.9 of `i64.popcnt`. Scalar and vector counting side by side: no gain.

use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::layout::{MAX_K, code_row_bytes, words_per_row};
use crate::output::{OutputMut, OutputTransform};
use crate::rows::{RowKernel, TapSums, run_matrix};
use crate::tier::Tier;

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pack;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

const OP: Op = Op::XnorGemm;

/// What the activations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    /// -1 or +1.
    Bits,
    /// -1, 0 or +1: per tap its sign words, then its non-zero words.
    Trits,
}

/// Sizes of the weights.
#[derive(Clone, Copy, Debug)]
pub struct XnorShape {
    /// Columns N: output channels.
    pub columns: usize,
    /// Runs of a row that each start a new word in the activations: kernel height x width of a convolution, 1 where dense.
    pub taps: usize,
    /// Values of a run. K = taps x channels, at most 2^20.
    pub channels: usize,
    /// The kind of activation.
    pub activations: Activations,
}

/// Packed weights and what becomes of the sums.
pub struct XnorGemm {
    shape: XnorShape,
    tier: Tier,
    quads: Buffer<u64>,
    /// Empty in the scalar tier.
    panels: Buffer<[u8; 16]>,
    /// `[taps, N]`; see [`TapSums`].
    tap_sums: Buffer<i32>,
    output: OutputTransform,
}

/// Rows that are unpacked together; a panel of weights stays in the nearest cache for as many.
const BLOCK_ROWS: usize = 16;

impl XnorGemm {
    /// Packs weights.
    ///
    /// - `codes`: `[N, ceil(K / 8)]` bytes, bit k of a row at byte `k / 8`, bit `k % 8`; 1 stands for -1. `k = tap * channels + channel`.
    ///   Bits behind K are ignored.
    /// - `output`: per-column arrays of N elements. Sums lie in -K..=K.
    ///
    /// Refuses N, taps or channels of 0, K above 2^20, wrong lengths, and what [`OutputTransform::check`] refuses.
    pub fn new(tier: Tier, shape: XnorShape, codes: &[u8], output: OutputTransform) -> Result<Self> {
        let XnorShape { columns, taps, channels, .. } = shape;
        check_range(OP, What::Columns, 1, i64::from(i32::MAX), columns as i64)?;
        check_range(OP, What::Taps, 1, MAX_K as i64, taps as i64)?;
        check_range(OP, What::Channels, 1, MAX_K as i64, channels as i64)?;
        let k = taps.saturating_mul(channels);
        check_range(OP, What::Depth, 1, MAX_K as i64, k as i64)?;
        check_shape(OP, What::Codes, checked_area(OP, columns, code_row_bytes(k, 1))?, codes.len())?;
        output.check(OP, columns, k as i64)?;
        let rows = pack::WeightRows::new(shape, codes);
        let panels = match tier.effective() {
            Tier::Scalar => Buffer::zeroed(OP, 0)?,
            Tier::Simd128 => rows.panels(2)?,
            Tier::Relaxed => rows.panels(4)?,
        };
        Ok(Self { shape, tier, quads: rows.quads()?, panels, tap_sums: rows.tap_sums()?, output })
    }

    /// Multiplies `rows` rows of activations.
    ///
    /// - `x`: `[rows, row_len]` words as in [`crate::layout`]; spare bits must be 0, or sums are off by them.
    /// - `out`: `[rows, N]` of the transform's kind (for bits `[rows, words_per_row(N)]`).
    pub fn run(&self, x: &[u32], rows: usize, out: OutputMut<'_>, scratch: Arena<'_>) -> Result<()> {
        run_matrix(OP, self, self.output.kind(), x, rows, out, scratch)
    }

    /// K.
    pub const fn depth(&self) -> usize {
        self.shape.taps * self.shape.channels
    }

    /// What it multiplies by.
    pub const fn activations(&self) -> Activations {
        self.shape.activations
    }

    /// The transform behind the sums.
    pub const fn output(&self) -> &OutputTransform {
        &self.output
    }

    /// Bytes of packed weights.
    pub fn byte_len(&self) -> usize {
        self.quads.byte_len() + self.panels.byte_len() + self.tap_sums.byte_len()
    }

    /// Words of one plane of a row.
    const fn plane_words(&self) -> usize {
        self.shape.taps * words_per_row(self.shape.channels)
    }

    /// Columns with the padding of the accumulators.
    const fn padded_columns(&self) -> usize {
        self.shape.columns.next_multiple_of(16)
    }
}

/// The planes of a block of trit rows, taken apart: `[rows, plane]` each.
struct Planes<'a> {
    signs: &'a [u32],
    /// Empty for bits.
    masks: &'a [u32],
}

impl RowKernel for XnorGemm {
    type Input = u32;

    fn row_len(&self) -> usize {
        match self.shape.activations {
            Activations::Bits => self.plane_words(),
            Activations::Trits => 2 * self.plane_words(),
        }
    }

    fn columns(&self) -> usize {
        self.shape.columns
    }

    fn block_rows(&self) -> usize {
        BLOCK_ROWS
    }

    fn scratch_lines(&self, rows: usize) -> usize {
        let rows = rows.min(BLOCK_ROWS);
        let planes = match self.shape.activations {
            Activations::Bits => 0,
            Activations::Trits => 2 * lines_for::<u32>(rows * self.plane_words()),
        };
        let indices = lines_for::<u8>(rows * self.plane_words() * 8);
        planes + indices + lines_for::<i32>(rows * self.padded_columns())
    }

    fn run_rows(
        &self,
        x: &[u32],
        rows: usize,
        correction: Option<&[i32]>,
        mut out: OutputMut<'_>,
        stride: usize,
        mut scratch: Arena<'_>,
    ) {
        let (n, row_len) = (self.shape.columns, self.row_len());
        for first in (0..rows).step_by(BLOCK_ROWS) {
            let count = (rows - first).min(BLOCK_ROWS);
            let mut scratch = scratch.rest();
            let acc = scratch.take::<i32>(count * self.padded_columns());
            self.accumulate(&x[first * row_len..][..count * row_len], acc, scratch);
            let padded = self.padded_columns();
            if let Some(correction) = correction {
                for (acc, correction) in
                    acc.chunks_exact_mut(padded).zip(correction[first * n..].chunks_exact(n))
                {
                    crate::output::add_correction(&mut acc[..n], correction);
                }
            }
            self.output.apply_rows(self.tier, acc, padded, n, out.from(first * stride), stride);
        }
    }
}

impl XnorGemm {
    /// The sums of at most `BLOCK_ROWS` rows: `acc[rows, padded columns]`.
    fn accumulate(&self, x: &[u32], acc: &mut [i32], mut scratch: Arena<'_>) {
        let plane = self.plane_words();
        let mut planes = match self.shape.activations {
            Activations::Bits => Planes { signs: x, masks: &[] },
            Activations::Trits => {
                let signs = scratch.take::<u32>(x.len() / 2);
                let masks = scratch.take::<u32>(x.len() / 2);
                pack::split_planes(x, words_per_row(self.shape.channels), signs, masks);
                Planes { signs, masks }
            }
        };
        // Every row starts at the number of its values that are not 0; counting subtracts twice the differing ones.
        let mut zeros = false;
        for (r, acc) in acc.chunks_exact_mut(self.padded_columns()).enumerate() {
            let valid = match planes.masks {
                [] => self.depth(),
                masks => masks[r * plane..][..plane].iter().map(|word| word.count_ones() as usize).sum(),
            };
            zeros |= valid != self.depth();
            acc.fill(valid as i32);
        }
        if !zeros {
            // Trits without a 0, which is what ONNX's Sign mostly yields, are bits.
            planes.masks = &[];
        }
        match self.tier.effective() {
            Tier::Scalar => {
                scalar::subtract_differing(&self.quads, plane, &planes, acc, self.padded_columns());
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Tier::Simd128 => simd128::run::<simd128::Strict, 2>(self, &planes, acc, scratch),
            #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
            Tier::Relaxed => relaxed::run(self, &planes, acc, scratch),
            #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
            _ => unreachable!("a tier above the build's"),
        }
    }
}

impl TapSums for XnorGemm {
    fn tap_sums(&self, tap: usize) -> &[i32] {
        &self.tap_sums[tap * self.shape.columns..][..self.shape.columns]
    }
}
