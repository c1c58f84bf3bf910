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
//! The crate sets the global allocator, made for few and large blocks, also of a crate that depends on it: packed weights, blocks of the host and objects, hundreds at most,
//! which are made when a model is loaded. A list of free blocks does for them, in a quarter of the bytes of the standard library's.
//!
//! There are no strings, closures or JS values; `panic = "abort"` makes a bug a trap, after which the host gives the instance up.

pub use lowbit_kernels;

#[cfg(target_arch = "wasm32")]
use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

// SAFETY: only the thread that loads models allocates; the others of a module with threads run what was made (docs/decisions/2026-11-25-threads.md).
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

#[cfg(feature = "operators")]
pub mod activation;
#[cfg(feature = "bytes")]
pub mod affine_gemm;
#[cfg(feature = "ops")]
pub mod arithmetic;
#[cfg(feature = "transformer")]
pub mod attention;
#[cfg(feature = "operators")]
pub mod binary;
#[cfg(feature = "bits")]
pub mod bitpack;
#[cfg(feature = "solve")]
pub mod blocks;
#[cfg(feature = "networks")]
pub mod channel;
#[cfg(feature = "codes")]
pub mod codebook_gemm;
#[cfg(feature = "solve")]
pub mod codebooks;
#[cfg(any(feature = "codes", feature = "quantize"))]
mod coded_weights;
#[cfg(feature = "threads")]
pub mod columns;
#[cfg(feature = "networks")]
pub mod conv;
#[cfg(feature = "networks")]
pub mod convert;
#[cfg(feature = "depthwise-affine")]
pub mod depthwise_affine;
#[cfg(feature = "depthwise-f32")]
pub mod depthwise_f32;
#[cfg(feature = "transformer")]
pub mod dynamic_affine_gemm;
#[cfg(feature = "networks")]
pub mod elementwise;
#[cfg(feature = "transformer")]
pub mod embedding;
pub mod error;
#[cfg(feature = "ops")]
pub mod fixed_point;
#[cfg(feature = "search")]
pub mod flat_scan;
#[cfg(feature = "ops")]
pub mod gather;
#[cfg(feature = "networks")]
pub mod gemm_f32;
#[cfg(feature = "networks")]
mod geometry;
#[cfg(feature = "solve")]
pub mod gradients;
#[cfg(feature = "groups")]
pub mod grouped_affine_gemm;
#[cfg(feature = "search")]
pub mod hamming;
pub mod handles;
#[cfg(feature = "search")]
pub mod hnsw;
#[cfg(feature = "ops")]
pub mod linear;
#[cfg(feature = "matmul")]
pub mod matmul_f32;
#[cfg(feature = "ops")]
pub mod matmul_integer;
pub mod memory;
#[cfg(feature = "multibit")]
pub mod multibit_gemm;
#[cfg(feature = "quantize")]
pub mod nearest;
#[cfg(feature = "operators")]
pub mod normalize;
#[cfg(feature = "networks")]
mod output;
#[cfg(feature = "threads")]
pub mod parallel;
pub mod params;
#[cfg(feature = "ops")]
pub mod planes;
#[cfg(feature = "networks")]
pub mod pool;
#[cfg(feature = "search")]
pub mod pq;
#[cfg(feature = "networks")]
mod products;
#[cfg(feature = "solve")]
pub mod prune;
#[cfg(feature = "quantize")]
pub mod quantize;
#[cfg(feature = "solve")]
pub mod quantize_optimize;
#[cfg(feature = "solve")]
pub mod quantize_order;
#[cfg(feature = "search")]
pub mod rabitq;
#[cfg(feature = "ops")]
pub mod reduce;
#[cfg(feature = "ops")]
pub mod resize;
#[cfg(feature = "transformer")]
pub mod row_norm;
#[cfg(any(feature = "bits", feature = "search"))]
pub mod signs;
#[cfg(feature = "solve")]
pub mod solve;
#[cfg(feature = "solve")]
pub mod stochastic;
#[cfg(feature = "ops")]
pub mod strided;
#[cfg(any(feature = "search", feature = "solve"))]
pub mod sums;
#[cfg(feature = "ternary")]
pub mod ternary_gemm;
#[cfg(feature = "search")]
pub mod top_k;
#[cfg(feature = "operators")]
pub mod transform;
#[cfg(feature = "search")]
pub mod vectors;
#[cfg(feature = "ops")]
pub mod windows;
#[cfg(feature = "networks")]
mod work;
#[cfg(feature = "bits")]
pub mod xnor_gemm;
