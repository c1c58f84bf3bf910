//! The WASM border of `lowbit-kernels`: exports of plain numbers, one file per family.
//!
//! - **Memory.** `memory_alloc` gives 64-byte aligned blocks to the host, `memory_free` takes them back. Every pointer that an export
//!   takes must lie, with its whole length, inside one such block ([`memory`]), so no call can reach the module's own data.
//! - **Objects.** `<family>_new` copies weights into packed storage of its own and returns a handle above 0; `object_drop` ends it
//!   ([`handles`]). Handles are never given out twice.
//! - **Parameters** of `_new` are a block of int32 that the family describes word by word (`params.rs`); floats travel as their bits.
//! - **Errors.** A negative result is `-code`; [`error::error_block`] holds the numbers.
//!
//! A crate of your own that depends on this one has all of these exports in its module beside its own, which are written with the same parts:
//! [`memory::Memory`], [`params::Params`], [`handles::insert`] and [`handles::with`], [`error::status`], under [`lowbit_kernels::error::Op::Custom`]
//! (`examples/custom-kernel` in the repository).
//!
//! There are no strings, closures or JS values; `panic = "abort"` makes a bug a trap, after which the host gives the instance up.

pub use lowbit_kernels;

pub mod affine_gemm;
pub mod bitpack;
pub mod codebook_gemm;
pub mod columns;
pub mod conv;
pub mod convert;
pub mod depthwise;
pub mod elementwise;
pub mod error;
pub mod gemm_f32;
#[cfg(feature = "search")]
pub mod hamming;
pub mod handles;
pub mod memory;
pub mod multibit_gemm;
#[cfg(feature = "quantize")]
pub mod nearest;
pub mod normalize;
mod output;
pub mod parallel;
pub mod params;
pub mod pool;
#[cfg(feature = "search")]
pub mod pq;
#[cfg(feature = "quantize")]
pub mod quantize;
pub mod ternary_gemm;
#[cfg(feature = "search")]
pub mod top_k;
pub mod transform;
pub mod xnor_gemm;
