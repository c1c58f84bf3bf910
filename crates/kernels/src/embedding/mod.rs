//! Rows of tables by number, and what encoders do to sequences of rows: positions are added, means taken.
//!
//! A table is `[V, D]`, of f32 or of codes, and stays in the bits of its file: a row is decoded when it is asked for, `w = f32(code - zero point) * scale`, rounded once.

mod sequence;
mod table;

#[cfg(any(test, feature = "testing"))]
pub mod naive;

pub use sequence::{add_positions, masked_mean};
pub use table::{EmbeddingTable, TableCodes};

use crate::error::Op;

const OP: Op = Op::Embedding;
