//! Products of multi-bit bases: weights and activations as sums of ±1 planes with float coefficients.
//!
//! ```text
//! W ≈ Σ_i α_i[n] B_i        1..=8 planes B_i of ±1, a coefficient per plane and column, or per plane
//! A ≈ Σ_j β_j A_j + γ       1..=8 planes A_j of ±1, coefficients for all rows, or for each row
//! y = bias + Σ_i Σ_j α_i β_j (A_j · B_i) + γ Σ_i α_i (1 · B_i)
//! ```
//!
//! (ABC-Net, Lin, Zhao and Pan 2017, arXiv:1711.11294; network sketching, Guo et al. 2017, arXiv:1706.02021; LQ-Nets, Zhang et al. 2018, arXiv:1807.10029.)
//! The offset γ makes unsigned codes a sum of ±1 planes, too: bit j of a code is `(a_j + 1) / 2`, so `code = (2^bits - 1) / 2 + Σ 2^(j - 1) a_j`, with the
//! planes that [`crate::bitpack::pack_planes`] makes.
//!
//! **Built over [`XnorGemm`].** The planes of the weights are M N columns of one binary product, those of a row of activations are P of its rows. So
//! everything that its docs say of counting, tiers and speed holds here. γ costs no counting: `1 · B_i` are the sums of the weights, known before.
//! What this family adds is the end, which makes y of M P N sums.
//!
//! **Numbers.** Sums are exact integers of at most 2^20, which f32 holds. Then, with every step rounded once and no fused multiply-add,
//!
//! ```text
//! s_i = (((0 + β_0 d_i0) + β_1 d_i1) + ...) + γ w_i       d_ij = A_j · B_i,  w_i = 1 · B_i
//! y   = clamp((((0 + α_0 s_0) + α_1 s_1) + ...) + bias)
//! ```
//!
//! in this order in every tier, so all of them give the same bits.
//!
//! **Speed.** A multiply-add of K is M P binary ones, at the limits and the speed of `xnor_gemm`. The end is a load, a conversion, a multiplication and an addition per
//! sum, 16 columns at a time: in the tier relaxed (V8 13.6, Zen 3, medians of 300 interleaved runs) it adds 1.4 % to 64 rows by 1024 x 1024 of 2 by 2 planes, 4 % to 16 rows by 256 x
//! 1024, and 3 % to one row of 4096 x 4096 of 3 planes. Tried and dropped: one vector of columns at a time, 14 to 17 % where it now is 1.4 to 4.
//!
//! **Convolutions.** None: the planes of a pixel would have to be gathered apart under every tap. Binary convolutions of each plane, [`crate::xnor_gemm::BinaryConvolution`] with int32
//! sums, are the same parts.

use crate::buffer::{Arena, Buffer};
use crate::error::{
    ErrorCode, KernelError, Op, Result, What, check_finite, check_range, check_shape, checked_area,
};
use crate::layout::{MAX_K, code_row_bytes, words_per_row};
use crate::output::OutputTransform;
use crate::rows::{RowKernel, TapSums};
use crate::tier::Tier;
use crate::xnor_gemm::{Activations, BLOCK_ROWS, Counting, XnorGemm, XnorShape};

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

const OP: Op = Op::MultibitGemm;

/// The most planes of weights, and of activations.
pub const MAX_PLANES: usize = 8;

/// Sizes of the product.
#[derive(Clone, Copy, Debug)]
pub struct MultibitShape {
    /// Columns N: output channels.
    pub columns: usize,
    /// Values of a row, K, at most 2^20.
    pub depth: usize,
    /// Planes of the weights M, 1..=8.
    pub weight_planes: usize,
    /// Planes of the activations P, 1..=8.
    pub planes: usize,
}

/// What the planes of the weights are multiplied by, and what becomes of the sums.
#[derive(Clone, Copy, Debug)]
pub struct MultibitOutput<'a> {
    /// α: `[M, N]`, or `[M]` for all columns. Finite.
    pub alpha: &'a [f32],
    /// `[N]`, or empty: zeros. Finite.
    pub bias: &'a [f32],
    /// `[low, high]`, infinities allowed, `low <= high`.
    pub clamp: [f32; 2],
}

/// Packed planes of weights and their coefficients.
pub struct MultibitGemm {
    shape: MultibitShape,
    tier: Tier,
    /// `M N` columns: plane i of column n is its column `i N + n`.
    signs: XnorGemm,
    output: Output,
}

/// The end of a product; slices of columns are computed alike.
struct Output {
    /// `[M, N]`
    alpha: Buffer<f32>,
    /// `[M, N]`: `1 · B_i`, exact.
    weight_sums: Buffer<f32>,
    bias: Buffer<f32>,
    clamp: [f32; 2],
}

impl MultibitGemm {
    /// Packs weights.
    ///
    /// `codes`: `[M, N, ceil(K / 8)]` bytes: plane after plane, each as [`XnorGemm::new`] takes it (1 stands for -1).
    ///
    /// # Errors
    /// `Range` where N or K is 0 or K is above 2^20, planes outside 1..=8, a clamp of which no number is inside, or a coefficient that is not finite; `Shape` for a
    /// wrong length; `Memory`.
    pub fn new(
        tier: Tier,
        counting: Counting,
        shape: MultibitShape,
        codes: &[u8],
        output: MultibitOutput<'_>,
    ) -> Result<Self> {
        let MultibitShape { columns: n, depth, weight_planes, planes } = shape;
        let MultibitOutput { alpha, bias, clamp } = output;
        check_range(OP, What::Depth, 1, MAX_K as i64, depth as i64)?;
        check_range(OP, What::Planes, 1, MAX_PLANES as i64, weight_planes as i64)?;
        check_range(OP, What::Planes, 1, MAX_PLANES as i64, planes as i64)?;
        check_range(OP, What::Columns, 1, i64::from(i32::MAX) / MAX_PLANES as i64, n as i64)?;
        let columns = weight_planes * n;
        check_shape(OP, What::Codes, checked_area(OP, columns, code_row_bytes(depth, 1))?, codes.len())?;
        let per_plane = alpha.len() == weight_planes;
        check_shape(OP, What::Scale, if per_plane { weight_planes } else { columns }, alpha.len())?;
        check_shape(OP, What::Bias, if bias.is_empty() { 0 } else { n }, bias.len())?;
        check_finite(OP, alpha)?;
        check_finite(OP, bias)?;
        if clamp[0].is_nan() || clamp[1].is_nan() || clamp[0] > clamp[1] {
            return Err(KernelError::new(ErrorCode::Range, OP, What::Clamp, 0, 1));
        }
        let signs = XnorShape { columns, taps: 1, channels: depth, activations: Activations::Bits };
        let signs = XnorGemm::with_counting(tier, counting, signs, codes, OutputTransform::I32)?;
        let mut output = Output {
            alpha: Buffer::zeroed(OP, columns)?,
            weight_sums: Buffer::zeroed(OP, columns)?,
            bias: Buffer::zeroed(OP, n)?,
            clamp,
        };
        for (i, target) in output.alpha.chunks_exact_mut(n).enumerate() {
            if per_plane {
                target.fill(alpha[i]);
            } else {
                target.copy_from_slice(&alpha[i * n..][..n]);
            }
        }
        for (target, sum) in output.weight_sums.iter_mut().zip(signs.tap_sums(0)) {
            *target = *sum as f32;
        }
        output.bias[..bias.len()].copy_from_slice(bias);
        Ok(Self { shape, tier, signs, output })
    }

    /// Multiplies `rows` rows of activations.
    ///
    /// - `x`: `[rows, P, ceil(K / 32)]` words: a row is its planes one after the other, each as in [`crate::layout`]; spare bits must be 0, or sums are off by
    ///   them.
    /// - `beta`: the β of each plane and then γ, `[P + 1]` for all rows, or `[rows, P + 1]`. Finite.
    /// - `y`: `[rows, N]`.
    ///
    /// # Errors
    /// `Shape` for a wrong length, `Range` for a coefficient that is not finite.
    pub fn run(
        &self,
        x: &[u32],
        beta: &[f32],
        rows: usize,
        y: &mut [f32],
        mut scratch: Arena<'_>,
    ) -> Result<()> {
        let MultibitShape { columns, planes, .. } = self.shape;
        check_shape(OP, What::Length, checked_area(OP, rows, self.row_len())?, x.len())?;
        check_shape(OP, What::Length, checked_area(OP, rows, columns)?, y.len())?;
        let (coefficients, for_all) = (planes + 1, beta.len() == planes + 1);
        check_shape(OP, What::Scale, if for_all { coefficients } else { rows * coefficients }, beta.len())?;
        check_finite(OP, beta)?;
        let pitch = self.signs.padded_columns();
        let blocks =
            x.chunks(self.block_rows() * self.row_len()).zip(y.chunks_mut(self.block_rows() * columns));
        for (block, (x, y)) in blocks.enumerate() {
            let first = block * self.block_rows();
            let mut scratch = scratch.rest();
            let sums = scratch.take::<i32>(y.len() / columns * planes * pitch);
            self.signs.accumulate(x, sums, scratch);
            for (r, (sums, y)) in
                sums.chunks_exact(planes * pitch).zip(y.chunks_exact_mut(columns)).enumerate()
            {
                let start = if for_all { 0 } else { (first + r) * coefficients };
                self.combine(sums, pitch, &beta[start..][..coefficients], y);
            }
        }
        Ok(())
    }

    /// `y[N]` of a row's sums `[P, pitch]`.
    fn combine(&self, sums: &[i32], pitch: usize, beta: &[f32], y: &mut [f32]) {
        match self.tier.effective() {
            Tier::Scalar => scalar::combine(&self.output, sums, pitch, beta, 0, y),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => simd128::combine(&self.output, sums, pitch, beta, y),
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier above the build's"),
        }
    }

    /// Words of a row of activations.
    pub const fn row_len(&self) -> usize {
        self.shape.planes * words_per_row(self.shape.depth)
    }

    /// Its sizes.
    pub const fn shape(&self) -> MultibitShape {
        self.shape
    }

    /// Scratch of a run, in [`crate::buffer::LINE_BYTES`].
    pub fn scratch_lines(&self) -> usize {
        self.signs.scratch_lines(BLOCK_ROWS)
    }

    /// Rows whose planes are counted together.
    const fn block_rows(&self) -> usize {
        BLOCK_ROWS / self.shape.planes
    }
}
