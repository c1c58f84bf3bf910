//! The inner loops of quantizers: all that touches every weight while codes are made.
//!
//! **Numbers**, the same in every tier and in the plain TypeScript that they are tested against: sums run in f64 over ascending index and are rounded to f32 once; a
//! quotient is one f32 division; rounding is to nearest, ties to even; ties between levels go to the lowest index.
//!
//! The search for the nearest level, which alone is worth vectors, is [`crate::nearest`].

mod clusters;
mod codes;
mod decode;
mod errors;
mod grid;
mod grouping;
mod prune;

pub use clusters::{cluster_sums, farthest, nearest_scaled};
pub use codes::{first_beyond, first_not_finite, pack, signs, unpack};
pub use decode::decode;
pub use errors::{ErrorSums, error_sums};
pub use grid::Grid;
pub use grouping::{Grouping, abs_max, mean_abs_above, min_max};
pub use prune::{compress, expand, magnitude_mask};

use crate::error::Op;

const OP: Op = Op::Quantize;
