//! The operations that the compiler does not find by itself in the plain form, over SSE4.1 where it was compiled in.

use super::V128;
use core::arch::x86_64::{
    __m128i, _mm_adds_epu8, _mm_madd_epi16, _mm_maddubs_epi16, _mm_movemask_epi8, _mm_set1_epi8,
    _mm_shuffle_epi8,
};

#[inline(always)]
fn to(v: V128) -> __m128i {
    // SAFETY: both are 16 bytes in which every bit pattern is a value.
    unsafe { core::mem::transmute(v) }
}

#[inline(always)]
fn from(v: __m128i) -> V128 {
    // SAFETY: both are 16 bytes in which every bit pattern is a value.
    unsafe { core::mem::transmute(v) }
}

#[inline(always)]
pub(super) fn bitmask(v: V128) -> u16 {
    // SAFETY: this file is compiled only where SSE4.1 is part of the target.
    (unsafe { _mm_movemask_epi8(to(v)) }) as u16
}

/// Adding 0x70 with saturation sets the top bit of every index of 16 or more, for which `pshufb` gives 0.
#[inline(always)]
pub(super) fn swizzle(table: V128, index: V128) -> V128 {
    // SAFETY: this file is compiled only where SSE4.1 is part of the target.
    from(unsafe { _mm_shuffle_epi8(to(table), _mm_adds_epu8(to(index), _mm_set1_epi8(0x70))) })
}

#[inline(always)]
pub(super) fn dot_i16x8(a: V128, b: V128) -> V128 {
    // SAFETY: this file is compiled only where SSE4.1 is part of the target.
    from(unsafe { _mm_madd_epi16(to(a), to(b)) })
}

#[inline(always)]
pub(super) fn dot_i8x16_u7x16(a: V128, b: V128) -> V128 {
    // SAFETY: this file is compiled only where SSE4.1 is part of the target.
    from(unsafe { _mm_maddubs_epi16(to(b), to(a)) })
}
