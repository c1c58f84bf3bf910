//! f32 activations by coded weights: `y[m, n] = clamp(Σ_k x[m, k] * w[n, k] + bias[n])` with w decoded from 1 to 8 bits.
//!
//! | decoding | w[n, k], g = ⌊k / group size⌋ |
//! |---|---|
//! | sign | `(code ? -1 : +1) * scale[n, g]` |
//! | affine | `(code - zero point) * scale[n, g]` |
//! | table | `codebook[code] * scale[n, g]` |
//! | product | element `k mod d` of `codebook[code of sub-vector k / d]`, times `scale[n, g]` |
//! | offset | `code * scale[n, g] + offset[n, g]` |
//! | bases | `Σ_i ±(coefficient[n, g, i] * scale[n, g])`, minus where bit i of the code is 1 |
//! | additive | as product, the sum of an entry of each of several codebooks |
//! | hashed | `±value[h] * scale[n, g]`, h and the sign by a hash of the position in the tensor |
//!
//! every product and sum rounded once. Weights stay packed at 1, 2, 4 or 8 bits; nothing is decoded for longer than a panel is used.
//!
//! **Order.** All but product weights are decoded, 16 columns by 256 positions at a time, into the panels of `gemm_f32`, whose tile then
//! continues its chains: the result has the bits of [`GemmF32`](crate::gemm_f32::GemmF32) on the decoded weights. So has a product
//! decoding with more centroids than output columns. With fewer, a *lookup* is made instead (Jégou, Douze, Schmid 2011): per row the partial dots
//! `lut[s][c] = ((0 + x[s d] * c[0]) + x[s d + 1] * c[1]) + ...` are shared by all columns, and
//!
//! ```text
//! y[n] = clamp((((0 + p_0 * scale[n, 0]) + p_1 * scale[n, 1]) + ...) + bias[n]),   p_g = (0 + lut[s][code[n, s]]) + ... over ascending s of group g
//! ```
//!
//! Which of the two depends on the weights alone, never on the number of rows.
//!
//! **Decoding.** With one row nothing else takes as long: a weight is used once. Up to 16 levels are four byte swizzles and eight interleavings for 16
//! weights, up to 64 as many swizzles more for each further 16; uniform codes of 8 bits are converted. 65 to 256 levels of a table are loaded one by one.
//!
//! **Layout.** `[panel][block][column]`, one byte for each of 16 columns; field f of a byte is position `block * F + f` with `F = 8 / width`. A position is a weight, or a
//! sub-vector.

mod composed;
mod decoded;
mod dense;
mod lookup;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pack;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

pub use dense::CodebookGemm;
pub use pack::{CodedWeights, Decoding};

use crate::error::Op;

const OP: Op = Op::CodebookGemm;

/// What a tier adds to the tile of `gemm_f32`.
trait Decode: crate::gemm_f32::Tile {
    /// The weights of consecutive positions, `out [positions][16]`: `(levels[code] - zeros[column]) * scales[column]`; `levels` holds a value for
    /// every code of the width; `zeros` is empty where none is to be taken out.
    fn weights(codes: &pack::Run<'_>, levels: &pack::Levels, zeros: &[f32], scales: &[f32], out: &mut [f32]);

    /// `lut[c] = ((0 + x[0] * codebook[0][c]) + x[1] * codebook[1][c]) + ...`; `codebook` is `[x.len()][lut.len()]`, the length a multiple of 4.
    fn partial_dots(x: &[f32], codebook: &[f32], lut: &mut [f32]);
}
