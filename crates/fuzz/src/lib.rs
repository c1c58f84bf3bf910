//! Cases that a fuzzer makes from bytes, run by every tier and by the oracle. Both results are in the message of a difference.
//!
//! `cargo +nightly fuzz run xnor_gemm` in this folder (with AddressSanitizer, which is cargo-fuzz's default).

mod affine_gemm;
mod bitpack;
mod codebook_gemm;
mod hamming;
mod pq;
mod ternary_gemm;
mod windows;
mod xnor_gemm;

pub use affine_gemm::AffineCase;
pub use bitpack::BitpackCase;
pub use codebook_gemm::CodebookCase;
pub use hamming::HammingCase;
pub use pq::PqCase;
pub use ternary_gemm::TernaryCase;
pub use windows::WindowCase;
pub use xnor_gemm::XnorCase;

/// `count` values of -1, 0, +1 (or ±1) drawn from `bytes`, over and over.
fn trits(bytes: &[u8], count: usize, zeros: bool) -> Vec<i32> {
    let value = |byte: u8| if zeros { i32::from(byte % 3) - 1 } else { 1 - 2 * i32::from(byte & 1) };
    (0..count).map(|i| value(bytes.get(i % bytes.len().max(1)).copied().unwrap_or(0))).collect()
}

/// `count` bytes from `start` on, over and over; zeros where there are none.
fn cycle(bytes: &[u8], count: usize, start: usize) -> impl Iterator<Item = u8> {
    (start..start + count).map(|i| bytes.get(i % bytes.len().max(1)).copied().unwrap_or(0))
}
