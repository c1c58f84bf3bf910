//! The inner loops of quantizers: all that touches every weight while codes are made.
//!
//! **Numbers**, the same in every tier and in the plain TypeScript that they are tested against: sums run in f64 over ascending index and are rounded to f32 once; a
//! quotient is one f32 division; rounding is to nearest, ties to even; ties between levels go to the lowest index.
//!
//! Only the search for the nearest level is worth vectors of its own: it alone does more than a few operations per weight.

mod codes;
mod decode;
mod errors;
mod grid;
mod grouping;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod nearest;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

pub use codes::{first_beyond, first_not_finite, pack, signs, unpack};
pub use decode::decode;
pub use errors::{ErrorSums, error_sums};
pub use grid::Grid;
pub use grouping::{Grouping, abs_max, mean_abs_above, min_max};
pub use nearest::{Codebook, cluster_sums, farthest};

use crate::error::Op;

const OP: Op = Op::Quantize;
