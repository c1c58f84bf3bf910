//! The inner loops of quantizers: all that touches every weight while codes are made.
//!
//! **Numbers**, the same in every tier and in the plain TypeScript that they are tested against: sums run in f64 over ascending index and are rounded to f32 once; a
//! quotient is one f32 division; rounding is to nearest, ties to even; ties between levels go to the lowest index.
//!
//! The search for the nearest level, which alone is worth vectors, is [`crate::nearest`].

mod activations;
mod additive;
mod bases;
mod clusters;
mod codes;
mod decode;
mod errors;
mod grid;
mod grouping;
mod hashed;
mod histogram;
mod intervals;
mod mix;
mod mixture;
mod order;
mod penalized;
mod posterior;
mod prune;
mod random;
mod rotation;
mod scales;
mod sorted;
mod stochastic;
mod sums;
mod thresholds;

pub use activations::{ClipSums, clip_gradients, tally};
pub use additive::Additive;
pub use bases::{base_codes, fit_bases, nearest_bases, residual_signs};
pub use clusters::{
    LloydPass, cluster_sums, lloyd_pass, nearer, nearest_scaled, refill, subtract, take, take_columns,
};
pub use codes::{first_beyond, first_not_finite, interleave, pack, signs, unpack};
pub use decode::decode;
pub(crate) use decode::{hash_index, hash_word};
pub use errors::{ErrorSums, error_sums};
pub use grid::Grid;
pub use grouping::{Grouping, abs_max, mean_abs_above, min_max};
pub use hashed::hashed_sums;
pub use histogram::{Side, histogram};
pub use intervals::{interval_sums, pair, run_sums, sort_pairs};
pub use mix::{choose, mix};
pub use mixture::Mixture;
pub use order::{largest, order_statistics};
pub use penalized::{level_sums, penalized_codes};
pub use posterior::{abs_errors, prune};
pub use prune::{compress, expand, magnitude_mask};
pub use random::Random;
pub use rotation::{cross, nearest_rotation, rotate};
pub use scales::{moments, scale_sums};
pub use sorted::{level_scale, sort, ternary_scale};
pub use stochastic::StochasticGrid;
pub use sums::SumEncoder;
pub use thresholds::threshold_codes;

use crate::error::Op;

const OP: Op = Op::Quantize;
