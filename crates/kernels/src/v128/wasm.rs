//! WASM: the instructions themselves.

pub use core::arch::wasm32::v128 as V128;
pub use core::arch::wasm32::{
    f32x4_abs, f32x4_add, f32x4_ceil, f32x4_convert_i32x4, f32x4_div, f32x4_eq, f32x4_extract_lane,
    f32x4_floor, f32x4_ge, f32x4_gt, f32x4_le, f32x4_lt, f32x4_max, f32x4_min, f32x4_mul, f32x4_ne,
    f32x4_nearest, f32x4_neg, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sqrt, f32x4_sub, f32x4_trunc,
    f64x2_add, f64x2_mul, f64x2_splat, i8x16_add, i8x16_bitmask, i8x16_eq, i8x16_lt, i8x16_max, i8x16_min,
    i8x16_narrow_i16x8, i8x16_popcnt, i8x16_shl, i8x16_shr, i8x16_shuffle, i8x16_splat, i8x16_sub,
    i8x16_swizzle, i16x8_add, i16x8_extadd_pairwise_i8x16, i16x8_extend_high_i8x16, i16x8_extend_high_u8x16,
    i16x8_extend_low_i8x16, i16x8_extend_low_u8x16, i16x8_extmul_high_i8x16, i16x8_extmul_low_i8x16,
    i16x8_gt, i16x8_max, i16x8_min, i16x8_mul, i16x8_narrow_i32x4, i16x8_shl, i16x8_shr, i16x8_splat,
    i16x8_sub, i32x4_add, i32x4_bitmask, i32x4_dot_i16x8, i32x4_eq, i32x4_extadd_pairwise_i16x8,
    i32x4_extend_high_i16x8, i32x4_extend_high_u16x8, i32x4_extend_low_i16x8, i32x4_extend_low_u16x8,
    i32x4_extract_lane, i32x4_gt, i32x4_lt, i32x4_max, i32x4_min, i32x4_mul, i32x4_shl, i32x4_shr,
    i32x4_shuffle, i32x4_splat, i32x4_sub, i32x4_trunc_sat_f32x4, u8x16_add_sat, u8x16_max, u8x16_min,
    u8x16_narrow_i16x8, u8x16_shr, u8x16_splat, u8x16_sub_sat, u16x8_extadd_pairwise_u8x16, u16x8_shr,
    u16x8_splat, u32x4_extadd_pairwise_u16x8, u32x4_shr, u32x4_splat, v128_and, v128_andnot, v128_any_true,
    v128_bitselect, v128_not, v128_or, v128_xor,
};

/// Eight int8, sign-extended to int16.
#[inline(always)]
pub fn i16x8_load_extend_i8x8(from: &[i8; 8]) -> V128 {
    // SAFETY: reads the 8 bytes of the array and asks for no alignment.
    unsafe { core::arch::wasm32::i16x8_load_extend_i8x8(from.as_ptr()) }
}

/// Eight uint8 in the bits of int8, zero-extended to int16.
#[inline(always)]
pub fn i16x8_load_extend_u8x8(from: &[i8; 8]) -> V128 {
    // SAFETY: reads the 8 bytes of the array and asks for no alignment.
    unsafe { core::arch::wasm32::i16x8_load_extend_u8x8(from.as_ptr().cast()) }
}

/// Writes one of two lanes of 64 bits.
#[inline(always)]
pub fn v128_store64_lane<const LANE: usize>(to: &mut [i8; 8], value: V128) {
    // SAFETY: writes the 8 bytes of the array, in which any bits are values, and asks for no alignment.
    unsafe { core::arch::wasm32::v128_store64_lane::<LANE>(value, to.as_mut_ptr().cast()) }
}

/// Writes one of four lanes of 32 bits.
#[inline(always)]
pub fn v128_store32_lane<const LANE: usize>(to: &mut [i8; 4], value: V128) {
    // SAFETY: writes the 4 bytes of the array, in which any bits are values, and asks for no alignment.
    unsafe { core::arch::wasm32::v128_store32_lane::<LANE>(value, to.as_mut_ptr().cast()) }
}

#[cfg(target_feature = "relaxed-simd")]
pub use core::arch::wasm32::{
    i8x16_relaxed_swizzle, i16x8_relaxed_dot_i8x16_i7x16, i32x4_relaxed_dot_i8x16_i7x16_add,
};

/// The same instruction, for a second operand of 8 bits that the engine reads as unsigned ([`RelaxedDot::Unsigned`](super::RelaxedDot)).
#[cfg(target_feature = "relaxed-simd")]
pub use core::arch::wasm32::i32x4_relaxed_dot_i8x16_i7x16_add as i32x4_relaxed_dot_i8x16_u8x16_add;
/// The same instruction, for a second operand of 8 bits that the engine reads as signed ([`RelaxedDot::Signed`](super::RelaxedDot)).
#[cfg(target_feature = "relaxed-simd")]
pub use core::arch::wasm32::i32x4_relaxed_dot_i8x16_i7x16_add as i32x4_relaxed_dot_i8x16_i8x16_add;

#[cfg(target_feature = "relaxed-simd")]
impl super::RelaxedDot {
    /// That of the engine which runs this, asked for by running the instruction: a few dozen operations, once per packed tensor.
    #[must_use]
    pub fn of_engine() -> Self {
        Self::of(|a, b, c| i32x4_relaxed_dot_i8x16_i7x16_add(a, b, c))
    }
}
