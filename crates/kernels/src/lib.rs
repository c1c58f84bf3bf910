//! Kernels for 1-8 bit networks: XNOR, multi-bit, ternary, affine and codebook matrix products and the float operators around them.
//!
//! **Layers.** A folder per family: `mod.rs` is public, checked and documented; `naive.rs` is plain arithmetic on unpacked values (the
//! oracle of tests); `scalar.rs` is the specification on packed data; `simd128.rs` and `relaxed.rs` are the same in vectors.
//! A tier is a *build* ([`tier::Tier`]): an engine validates a WASM module as a whole, so there is one module per tier. Natively all tiers
//! are present, over the stand-ins in [`v128`], and are tested against each other.
//!
//! **Numbers.** Integer families agree bit for bit in every tier and engine. Floats have one order of operations and no fused
//! multiply-add, and agree bit for bit as well.
//!
//! **Memory.** Weights are packed once into [`buffer::Buffer`]s; a run allocates nothing and borrows a [`buffer::Scratch`].

extern crate alloc;

pub mod affine_gemm;
pub mod arithmetic;
pub mod attention;
pub mod bitpack;
pub mod blocks;
pub mod buffer;
pub mod codebook_gemm;
pub mod conv;
pub mod convert;
pub mod depthwise;
pub mod dtype;
pub mod elementwise;
pub mod embedding;
pub mod error;
mod exp;
pub mod fixed_point;
pub mod flat_scan;
pub mod gather;
pub mod gemm_f32;
pub mod geometry;
pub mod gradients;
pub mod hamming;
pub mod hnsw;
mod lanes;
pub mod layout;
pub mod matmul_integer;
pub mod multibit_gemm;
pub mod nearest;
pub mod normalize;
pub mod output;
pub mod pool;
pub mod pq_fast_scan;
pub mod pq_scan;
pub mod pq_tables;
pub mod quantize;
pub mod rabitq;
pub mod reduce;
pub mod registry;
pub mod resize;
pub mod rows;
pub mod solve;
pub mod strided;
pub mod ternary_gemm;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tier;
pub mod top_k;
pub mod transform;
mod turns;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub mod v128;
pub mod vectors;
pub mod windows;
pub mod xnor_gemm;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
