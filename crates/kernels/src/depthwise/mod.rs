//! Convolutions with one input channel per output channel: `y[oy, ox, o] = Σ_tap x[iy, ix, ⌊o / m⌋] * w[o, tap]` with m outputs per channel.
//!
//! Im2col would copy every input taps times for rows of a few products; here the taps are walked directly, 16 channels at a time with their
//! sums in registers. Weights are kept as `[tap][output]`, so that neighbouring channels lie side by side.
//!
//! - **f32**: each output is one chain over the taps inside the image, row by row, started at +0, each step rounded twice; then `+ bias`, then the clamp (a NaN stays).
//!   Missing taps add nothing.
//! - **int8, uint8** by affine codes: exact int32 sums of `(x - zx) * (code - zw)`, missing taps count as the zero point, that is nothing; then the output transform.
//!
//! **Speed.** Bytes of two taps are interleaved and meet in one i16 dot: 26 instructions for 32 multiply-adds, 0.8 each, where widening and multiplying tap by
//! tap took 1.4. The lists of taps are made at the edges of an image only; a pixel whose window is cut like its neighbour's takes them a step further.
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
