//! The matrices behind calibrated quantizers: Gram matrix of a layer's inputs, its triangular factor, and the searches that round weights by it.
//!
//! **Numbers.** Sums run in f64, each a chain over one ascending index (samples, columns) that no blocking splits: blocks load a sum, go on with it and store it. So a
//! tile of 4 x 4 sums may be computed by vectors or not, and every build gives the same bits. The gradients of [`adaround`] are products of floats by [`crate::gemm_f32`],
//! with its order. exp, log and pow are those of `libm`.
//!
//! **Memory.** One Hessian of K² f64, in which the factor takes the place of the upper half; beside it blocks of 64 samples, columns or rows.
//!
//! **Speed.** All of the K³ and K² work is one loop (`tile.rs`), in vectors of two f64: 6 loads, 8 multiplications and 8 additions for 16 multiply-adds.

mod adaround;
mod additive;
mod columns;
mod factor;
mod gptq;
mod gram;
mod hadamard;
mod hqq;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;
mod tile;

pub use adaround::{Adaround, adaround};
pub use additive::AdditiveLayer;
pub use columns::{ColumnStats, column_stats, powers, row_dots, scale};
pub use factor::factor;
pub use gptq::{Rounding, gptq};
pub use gram::{diagonal, finish_gram, gram, grid_quadratic, quadratic};
pub use hadamard::hadamard;
pub use hqq::{Hqq, hqq};

use crate::error::Op;

const OP: Op = Op::Solve;
