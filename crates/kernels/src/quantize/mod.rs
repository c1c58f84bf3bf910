//! The inner loops of quantizers: all that touches every weight while codes are made.
//!
//! **Numbers**, the same in every tier and in the plain TypeScript that they are tested against: sums run in f64 over ascending index and are rounded to f32 once; a
//! quotient is one f32 division; rounding is to nearest, ties to even; ties between levels go to the lowest index.
//!
//! The search for the nearest level, which alone is worth vectors, is [`crate::nearest`].

mod additive;
mod clusters;
mod codes;
mod decode;
mod errors;
mod grid;
mod grouping;
mod hashed;
mod intervals;
mod penalized;
mod rotation;

pub use additive::Additive;
pub use clusters::{LloydPass, lloyd_pass, nearer, nearest_scaled, refill, subtract, take, take_columns};
pub use codes::{first_beyond, first_not_finite, interleave, pack, signs, unpack};
pub use decode::decode;
pub use errors::{ErrorSums, error_sums};
pub use grid::Grid;
pub use grouping::{Grouping, abs_max, mean_abs_above, min_max};
pub use hashed::hashed_sums;
pub use intervals::{interval_sums, pair, run_sums, sort};
pub use penalized::{level_sums, penalized_codes};
pub use rotation::{cross, nearest_rotation, rotate};

use crate::error::Op;

const OP: Op = Op::Quantize;
