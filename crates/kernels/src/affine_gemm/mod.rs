//! Weights of 8, 4 or 2 bits by int8 or uint8 activations, summed in int32.
//!
//! `sum[m, n] = Σ_k (x[m, k] - zx) * (code[n, k] - zw[n, g])`, exact. [`AffineGemm`] ends in an output transform; [`GroupedAffineGemm`] has a scale per
//! group of a row and adds the groups' scaled sums in f32.
//!
//! **Layout.** Every group of a row is padded to a multiple of 16 codes, which are kept in 32-bit words of `4 F` codes, `F = 8 / width` to a byte; a panel holds
//! 16 columns: `[panel][group][word][column]`. Field f of byte b of a word is code `4 f + b` of its block:
//!
//! ```text
//! width 4:  byte 0 = k4:k0   byte 1 = k5:k1   byte 2 = k6:k2   byte 3 = k7:k3     (high:low nibble)
//! ```
//!
//! so one mask gives four neighbouring bytes (a relaxed dot by 4 activations), and one mask of 16-bit lanes gives a pair `(4 f + b, 4 f + b + 2)` (an
//! i16 dot by 2). Width 8 keeps `code - zw` as int8; the others keep codes unsigned and take `zw * Σ x` out of the sum.
//!
//! **Activations** are prepared once per block of rows: `x - zx` as i16 in the order of the pairs; for the relaxed dot, which needs 8 bits, x (uint8: x - 128) as it lies, with
//! `zx * Σ (code - zw)` taken out of the sum instead. That dot is exact: codes 0..15 sit in its 7-bit operand.
//!
//! Int8 weights by the relaxed dot would put 8 bits into the 7-bit operand, where engines differ; they use i16 dots in every vector tier.

mod dense;
mod grouped;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pack;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;
mod sums;

pub use dense::AffineGemm;
pub use grouped::{GroupedAffineGemm, GroupedOutput};
pub use pack::{AffineCodes, AffineInput};

use crate::error::Op;

const OP: Op = Op::AffineGemm;
