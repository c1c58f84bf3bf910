//! Scaled dot-product attention in f32 (Vaswani et al. 2017), with fewer heads of keys and values than of queries where they are shared (Ainslie et al. 2023).
//!
//! ```text
//! s[t] = (q · k[t]) * scale + mask[t]        a dot: one chain over ascending positions in the head, as in gemm_f32
//! e[t] = exp(s[t] - max s)                   0 where the mask is -inf or t lies behind the last key that a causal query sees
//! y    = (Σ_t e[t] v[t]) * (1 / Σ_t e[t])    the first sum ascending in t, the second in the order of lanes.rs
//! ```
//!
//! every step rounded once; a query that sees no key gives zeros. All tiers give the same bits.
//!
//! **Blocks.** Keys and values of a head are packed into the panels of `gemm_f32` once; then 64 queries at a time go through both products, their weights in between
//! staying in the second-level cache (256 B a key). So memory does not grow with the square of the length.
//!
//! **Speed.** Both products run at the speed of `gemm_f32` on sizes as small as a head (K = 32: half of what it does at 1024, for sums are loaded and stored four times as
//! often); exp is 20 operations on four lanes.

mod fused;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod rotary;

pub use fused::{Attention, Mask};
pub use rotary::Rotary;

use crate::error::Op;

const OP: Op = Op::Attention;
