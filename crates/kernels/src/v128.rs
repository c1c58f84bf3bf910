//! The vector operations that tier files use, by the names of the WASM instructions.
//!
//! In a WASM build they are `core::arch::wasm32`; natively they are plain Rust on 16 bytes (with SSE where it was compiled in and helps),
//! so that every tier builds, is tested, fuzzed and sanitized natively. All are safe: arithmetic always was, and loads and stores take
//! slices. Relaxed operations are used only on operands for which their result is fixed; the native forms assert that.

#[cfg(target_arch = "wasm32")]
mod wasm;
#[cfg(target_arch = "wasm32")]
pub use wasm::*;

#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed_dot;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
pub use relaxed_dot::RelaxedDot;

#[cfg(not(target_arch = "wasm32"))]
mod portable;
#[cfg(not(target_arch = "wasm32"))]
pub use portable::*;
#[cfg(all(not(target_arch = "wasm32"), target_arch = "x86_64", target_feature = "sse4.1"))]
mod sse;

mod interleave;
pub use interleave::{interleave_bytes, interleave_eights, interleave_fours, interleave_pairs};

macro_rules! memory {
    ($($load:ident $store:ident $t:ty, $n:literal;)*) => { $(
        /// The first 16 bytes of a slice.
        ///
        /// # Panics
        /// Where it is shorter; a reference to an array is never.
        #[inline(always)]
        pub fn $load(from: &[$t]) -> V128 {
            let lanes: &[$t; $n] = from.first_chunk().expect("16 bytes to load");
            load(lanes)
        }

        /// Writes the first 16 bytes of a slice.
        ///
        /// # Panics
        /// Where it is shorter.
        #[inline(always)]
        pub fn $store(to: &mut [$t], value: V128) {
            let lanes: &mut [$t; $n] = to.first_chunk_mut().expect("16 bytes to store");
            store(lanes, value);
        }
    )* };
}

memory! {
    u8x16_load u8x16_store u8, 16;
    i8x16_load i8x16_store i8, 16;
    u16x8_load u16x8_store u16, 8;
    i16x8_load i16x8_store i16, 8;
    u32x4_load u32x4_store u32, 4;
    i32x4_load i32x4_store i32, 4;
    f32x4_load f32x4_store f32, 4;
    f64x2_load f64x2_store f64, 2;
}

/// 16 bytes of plain numbers.
trait Lanes: Copy {}
impl Lanes for [u8; 16] {}
impl Lanes for [i8; 16] {}
impl Lanes for [u16; 8] {}
impl Lanes for [i16; 8] {}
impl Lanes for [u32; 4] {}
impl Lanes for [i32; 4] {}
impl Lanes for [f32; 4] {}
impl Lanes for [f64; 2] {}

#[inline(always)]
fn load<T: Lanes>(from: &T) -> V128 {
    // SAFETY: a `Lanes` is 16 initialised bytes, any bits make a vector, and the read asks for no alignment.
    unsafe { core::ptr::from_ref(from).cast::<V128>().read_unaligned() }
}

#[inline(always)]
fn store<T: Lanes>(to: &mut T, value: V128) {
    // SAFETY: a `Lanes` is 16 bytes in which any bits are values, and the write asks for no alignment.
    unsafe { core::ptr::from_mut(to).cast::<V128>().write_unaligned(value) }
}

/// Sum of the four int32 lanes (wrapping).
#[inline(always)]
pub fn i32x4_sum(v: V128) -> i32 {
    let v = i32x4_add(v, i32x4_shuffle::<2, 3, 0, 1>(v, v));
    i32x4_extract_lane::<0>(i32x4_add(v, i32x4_shuffle::<1, 0, 3, 2>(v, v)))
}

/// Sum of the four int32 lanes (wrapping) of each of four vectors: transposed and added, in less than four times [`i32x4_sum`].
#[inline(always)]
pub fn i32x4_sums([a, b, c, d]: [V128; 4]) -> V128 {
    let pair = |a, b| i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (ab, cd) = (pair(a, b), pair(c, d));
    i32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd))
}

/// `v`, of which compilers know nothing: a constant that a loop reads is kept in a register. Known constants are propagated to every use by binaryen, and V8
/// makes them anew there, in two to three instructions.
#[inline(always)]
pub fn v128_opaque(v: V128) -> V128 {
    core::hint::black_box(v)
}

/// The 32 bits of eight vectors of four lanes, each all ones or all zeros; `lanes(at)` are those of elements `at..at + 4`. Four at a time: narrowing to
/// bytes first costs more, since LLVM clamps before it narrows.
#[inline(always)]
pub fn bits_of_lanes(lanes: impl Fn(usize) -> V128) -> u32 {
    let four = |at: usize| u32::from(i32x4_bitmask(lanes(at))) << at;
    four(0) | four(4) | four(8) | four(12) | four(16) | four(20) | four(24) | four(28)
}

/// The 16 bits of two vectors of eight lanes, each all ones or all zeros.
#[inline(always)]
pub fn mask_of_i16x8(low: V128, high: V128) -> u16 {
    i8x16_bitmask(i8x16_narrow_i16x8(low, high))
}
