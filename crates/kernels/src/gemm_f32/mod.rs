//! f32 matrix product: `y[M, N] = clamp(x[M, K] · w[N, K]ᵀ + bias[N])`, and the product of two activations.
//!
//! **Order.** Every output element is one chain over ascending k, started at +0: `acc = acc + x[k] * w[k]`, each step rounded
//! twice (no fused multiply-add); then `+ bias`, then the clamp. Vectors run across output columns and never split a chain, so
//! every tier gives the same bits. A NaN stays a NaN through the clamp; its payload is not fixed.
//!
//! **Layout.** Weights are packed once into panels of 16 columns, `[panel][k][column]`; the last panel is 8 wide where that is
//! enough, and padded with zero columns whose results are not stored:
//!
//! ```text
//! panel 0: k=0: w[0][0] w[1][0] ... w[15][0] | k=1: w[0][1] ... | ...   panel 1: columns 16..
//! ```
//!
//! **Tile.** 2 rows by 16 columns, or 4 by 8: eight accumulators, at most four weights and one activation are live, which fits the
//! 16 vector registers of x64. Both need six loads per 32 multiply-adds. A 4 x 16 tile spills.

mod dense;
mod matmul;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
pub(crate) mod panels;
pub(crate) mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub(crate) mod simd128;

pub use dense::GemmF32;
pub(crate) use dense::{block_rows, check_clamp, padded_bias};
pub use matmul::MatmulF32;

/// The inner functions of a tier; `relaxed` uses those of `simd128`, since a relaxed multiply-add has no fixed result.
pub(crate) trait Tile {
    /// Continues `acc[row][column]` over the positions of a panel `[depth][width]` (width 8 or 16).
    ///
    /// Row r of x starts at `x[r * stride]`; `acc` is `[rows][width]`.
    fn accumulate(x: &[f32], stride: usize, panel: &[f32], width: usize, acc: &mut [f32]);
    /// `out = clamp(acc + bias)` over one row; a NaN stays.
    fn finish(acc: &[f32], bias: &[f32], clamp: (f32, f32), out: &mut [f32]);
}

/// Runs `$body` with `$tile` bound to the functions of `$tier`.
macro_rules! with_tile {
    ($tier:expr, $tile:ident => $body:expr) => {
        match $tier.effective() {
            crate::tier::Tier::Scalar => {
                type $tile = crate::gemm_f32::scalar::Scalar;
                $body
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            crate::tier::Tier::Simd128 | crate::tier::Tier::Relaxed => {
                type $tile = crate::gemm_f32::simd128::Simd128;
                $body
            }
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier that this build does not hold"),
        }
    };
}
pub(crate) use with_tile;

/// Writes the columns of one panel: `acc [rows][width]` to `y[row * stride..][..bias.len()]`.
pub(crate) fn finish<T: Tile>(
    acc: &[f32],
    width: usize,
    bias: &[f32],
    clamp: (f32, f32),
    y: &mut [f32],
    stride: usize,
) {
    for (acc, y) in acc.chunks_exact(width).zip(y.chunks_mut(stride)) {
        T::finish(&acc[..bias.len()], bias, clamp, &mut y[..bias.len()]);
    }
}
