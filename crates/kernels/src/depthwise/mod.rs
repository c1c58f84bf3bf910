//! Convolutions with one input channel per output channel: `y[oy, ox, o] = Σ_tap x[iy, ix, ⌊o / m⌋] * w[o, tap]` with m outputs per channel.
//!
//! Im2col would copy every input taps times for rows of a few products; here the taps are walked directly, channels side by side.
//!
//! - **f32**: each output is one chain over the taps inside the image, row by row, started at +0, each step rounded twice; then `+ bias`, then the clamp (a NaN stays).
//!   Missing taps add nothing.
//! - **int8, uint8** by affine codes: exact int32 sums of `(x - zx) * (code - zw)`, missing taps count as the zero point, that is nothing; then the output transform.
//!
//! **Speed of bytes** (`pairs.rs`). Four outputs of a 3 × 3 window are 6 loads, 6 dots and 6 additions for 36 products, of which 12 are of a row that is not there: three rows
//! are two pairs. Requantizing them takes 10 instructions, going along 4, interleaving 4 (stride 2: 14): 36 together, one a multiply-add. The engine retires
//! about 12 instructions a nanosecond here, so 12 G/s are the limit of this form; 56 × 56 × 128 runs at 9.7 (0.37 ms; before: 1.08), stride 2 at 7.
//!
//! Dropped: taps in pairs row by row, five dots instead of six, which interleaves every input nine times (with the sums stored and requantized afterwards 3.3); eight channels at
//! a time (8: their weights do not fit the registers); four pixels at a time (9).
//!
//! Several outputs per channel (m > 1) are rare and run as plain Rust in every tier.

mod bytes;
mod float;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod pairs;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;
mod walk;

pub use bytes::DepthwiseAffine;
pub use float::DepthwiseF32;

use crate::error::Op;

const OP: Op = Op::Depthwise;
