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
//! **Layouts.** For lookups weights are packed twice, quads for single rows and panels for more (together 3 K / 8 bytes a column); popcounts need panels of bytes alone
//! (K / 8):
//!
//! ```text
//! quads   [N/4][K/64][4]   u64: the same 64 bits of k of four columns side by side, one stream through memory
//! panels  [N/16][K/4][16]  u8:  one byte per column holds 4 bits of k: the index of a table lookup
//! panels  [N/16][K/8][16]  u8:  one byte per column holds 8 bits of k, for popcounts
//! ```
//!
//! **Ways of counting**, chosen by the number of rows left in the block:
//!
//! | tier | rows | bits | trits |
//! |---|---|---|---|
//! | scalar | any | `i64.popcnt` on quads | the same, masked |
//! | vector tiers, [`Counting::Lookup`] | 1 | `i64.popcnt` on quads (half the bytes of panels, which are what a cold row waits for) | the same, masked |
//! | vector tiers, [`Counting::Lookup`] | 2 and more | two rows per table lookup; convolutions: [`BinaryConvolution`] | one row per masked lookup |
//! | vector tiers, [`Counting::Popcount`] | any | `i8x16.popcnt` on panels | the same, masked |
//!
//! **The lookup.** `swizzle(TABLE[index of two rows' 4 bits], weights' 4 bits)` is 16 columns, two rows and 4 bits of k: 128 multiply-adds. With p the
//! parity of a nibble, popcount(x ^ w) + p(x) - p(w) is even and lies in 0..=4, so the table holds *half* of it,
//!
//! ```text
//! h = (popcount(x ^ w) + p(x) - p(w)) / 2  in {0, 1, 2}        sum of popcounts = 2 * sum of h - sum of p(x) + sum of p(w)
//! ```
//!
//! and the sums of parities are known before: per column when weights are packed, per row (or pixel) when indices are made. Halved counts let four lookups
//! be added before the two rows of a byte are taken apart, and 120 before bytes overflow. Taking apart costs three operations, not five, for it is done modulo 256
//! (`Bytes` in `simd128.rs`).
//!
//! **The limit.** Per four lookups (512 multiply-adds) 4 swizzles, 3 additions and 3 operations to take apart: 51 multiply-adds an operation, where counts of
//! 0..=4, masked apart after three lookups, gave 38 and `i64.popcnt` 16 an instruction. With the loads of weights (one a lookup), of tables (one per four) and
//! their indices it is 5.0 instructions a lookup: 26 multiply-adds an instruction. On Zen 3 at 2.9 GHz (4 vector operations, 2 shuffles, 2 vector loads a cycle) the
//! operations allow 590 GMAC/s. Reached in V8 13.6, medians of the interleaved runs, thresholds fused: 269 to 305 on 3x3 convolutions of 128 to 512 channels
//! (0.46 to 0.52 of the limit), 190 to 214 in the tier simd128, whose swizzle is two instructions. The earlier form
//! reached 148 to 176 in the same run.
//!
//! **Tried and dropped.** Six lookups per taking apart (55 multiply-adds an operation): six tables do not stay in registers, 0.9. Tiles of 2 and 3 panels: 0.8, 0.96.
//! The four vectors of a panel in one cache line: 0.95. Three rows in a byte: the splitting eats the gain. Carry-save adders (Harley-Seal) in vectors: 0.5 to 0.85
//! of plain counting, for lack of a three-input operation. `i8x16.popcnt` on x64, where it is two lookups of its own: 0.45; on Arm it is one instruction, see
//! `docs/arm.md`. Scalar and vector counting side by side: no gain.
//!
//! The tier `relaxed` differs in the swizzle alone, whose indices are below 16 and its result therefore fixed.
//! Trit rows of which no value is 0 are counted as bits (checked per block of rows while their planes are taken apart).

use alloc::sync::Arc;

use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::layout::{MAX_K, code_row_bytes, words_per_row};
use crate::output::{OutputMut, OutputTransform};
use crate::rows::{RowKernel, TapSums, run_matrix};
use crate::tier::Tier;

mod convolution;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod direct;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pack;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod popcount;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

pub use convolution::{BinaryConvolution, Padding};

const OP: Op = Op::XnorGemm;

/// What the activations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    /// -1 or +1.
    Bits,
    /// -1, 0 or +1: per tap its sign words, then its non-zero words.
    Trits,
}

/// How the vector tiers count differing bits. The sums are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// By table lookup: the fastest where no instruction counts bits per byte (x64).
    #[default]
    Lookup,
    /// By `i8x16.popcnt`: where it is one instruction (Arm).
    Popcount,
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
    counting: Counting,
    weights: Arc<Weights>,
    output: Arc<OutputTransform>,
}

/// What products of bits and of trits share.
struct Weights {
    /// Empty where the vector tiers count by popcounts of bytes.
    quads: Buffer<u64>,
    /// Nibbles for lookups, bytes for popcounts; empty in the scalar tier.
    panels: Buffer<[u8; 16]>,
    /// Per column of the panels, how many nibbles of its weights have an odd number of ones.
    parities: Buffer<i32>,
    /// `[taps + 1, N]`; see [`TapSums`]. The last row is 0.
    tap_sums: Buffer<i32>,
}

/// Panels that are counted together and lie beside each other.
const PANELS: usize = 4;

/// Rows that are unpacked together; a panel of weights stays in the nearest cache for as many.
pub(crate) const BLOCK_ROWS: usize = 16;

impl XnorGemm {
    /// Packs weights.
    ///
    /// - `codes`: `[N, ceil(K / 8)]` bytes, bit k of a row at byte `k / 8`, bit `k % 8`; 1 stands for -1. `k = tap * channels + channel`.
    ///   Bits behind K are ignored.
    /// - `output`: per-column arrays of N elements. Sums lie in -K..=K.
    ///
    /// Refuses N, taps or channels of 0, K above 2^20, wrong lengths, and what [`OutputTransform::check`] refuses.
    pub fn new(tier: Tier, shape: XnorShape, codes: &[u8], output: OutputTransform) -> Result<Self> {
        Self::with_counting(tier, Counting::default(), shape, codes, output)
    }

    /// As [`Self::new`], for vector tiers that count so.
    pub fn with_counting(
        tier: Tier,
        counting: Counting,
        shape: XnorShape,
        codes: &[u8],
        output: OutputTransform,
    ) -> Result<Self> {
        let XnorShape { columns, taps, channels, .. } = shape;
        check_range(OP, What::Columns, 1, i64::from(i32::MAX), columns as i64)?;
        check_range(OP, What::Taps, 1, MAX_K as i64, taps as i64)?;
        check_range(OP, What::Channels, 1, MAX_K as i64, channels as i64)?;
        let k = taps.saturating_mul(channels);
        check_range(OP, What::Depth, 1, MAX_K as i64, k as i64)?;
        check_shape(OP, What::Codes, checked_area(OP, columns, code_row_bytes(k, 1))?, codes.len())?;
        output.check(OP, columns, k as i64)?;
        let rows = pack::WeightRows::new(shape, codes);
        let panels = match (tier.effective(), counting) {
            (Tier::Scalar, _) => Buffer::zeroed(OP, 0)?,
            (_, Counting::Lookup) => rows.panels::<4>(PANELS)?,
            (_, Counting::Popcount) => rows.panels::<8>(PANELS)?,
        };
        let quads = match (tier.effective(), counting) {
            (Tier::Simd128 | Tier::Relaxed, Counting::Popcount) => Buffer::zeroed(OP, 0)?,
            _ => rows.quads()?,
        };
        let (parities, tap_sums) = (rows.parities()?, rows.tap_sums()?);
        let weights = Arc::new(Weights { quads, panels, parities, tap_sums });
        Ok(Self { shape, tier, counting, weights, output: Arc::new(output) })
    }

    /// This product for rows of bits, by the same weights, which both share: for trits of which none is 0.
    #[must_use]
    pub fn of_bits(&self) -> Self {
        Self {
            shape: XnorShape { activations: Activations::Bits, ..self.shape },
            tier: self.tier,
            counting: self.counting,
            weights: Arc::clone(&self.weights),
            output: Arc::clone(&self.output),
        }
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

    /// How a vector tier counts.
    pub const fn counting(&self) -> Counting {
        self.counting
    }

    /// What it multiplies by.
    pub const fn activations(&self) -> Activations {
        self.shape.activations
    }

    /// The transform behind the sums.
    pub fn output(&self) -> &OutputTransform {
        &self.output
    }

    /// Bytes of packed weights, which [`Self::of_bits`] shares.
    pub fn byte_len(&self) -> usize {
        let Weights { quads, panels, parities, tap_sums } = &*self.weights;
        quads.byte_len() + panels.byte_len() + parities.byte_len() + tap_sums.byte_len()
    }

    /// Words of one plane of a row.
    const fn plane_words(&self) -> usize {
        self.shape.taps * words_per_row(self.shape.channels)
    }

    /// Columns with the padding of the accumulators.
    pub(crate) const fn padded_columns(&self) -> usize {
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
        // Table indices, or the bytes of signs and of masks.
        let indices = lines_for::<u8>(rows * self.plane_words() * 8) + 1;
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
    pub(crate) fn accumulate(&self, x: &[u32], acc: &mut [i32], mut scratch: Arena<'_>) {
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
                scalar::subtract_differing(&self.weights.quads, plane, &planes, acc, self.padded_columns());
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ if self.counting == Counting::Popcount => popcount::run(self, &planes, acc, scratch),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Tier::Simd128 => simd128::run::<simd128::Strict>(self, &planes, acc, scratch),
            #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
            Tier::Relaxed => simd128::run::<relaxed::Relaxed>(self, &planes, acc, scratch),
            #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
            _ => unreachable!("a tier above the build's"),
        }
    }
}

impl TapSums for XnorGemm {
    fn tap_sums(&self, tap: usize) -> &[i32] {
        let row = match self.shape.activations {
            Activations::Bits => tap,
            Activations::Trits => self.shape.taps,
        };
        &self.weights.tap_sums[row * self.shape.columns..][..self.shape.columns]
    }
}
