//! The loops of gradient compression: what a worker does to every number before it is sent, and back.
//!
//! **Numbers.** Sums run in f64 over ascending index; what is drawn at random comes from [`crate::quantize::Random`], 32 bits for each number in order of index,
//! so the bytes are the same in every tier.

mod elias;
mod grid;
mod least_squares;
mod one_bit;
mod qsgd;
mod threshold;
mod votes;

pub use grid::{pack_trits, random_codes, unpack_trits};
pub use least_squares::least_squares;
pub use one_bit::{one_bit, two_levels};
pub use qsgd::{Qsgd, Unreadable};
pub use threshold::{threshold_apply, threshold_take};
pub use votes::majority;

use crate::error::Op;

const OP: Op = Op::Quantize;
