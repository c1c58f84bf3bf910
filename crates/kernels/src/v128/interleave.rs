//! Two vectors, element by element in turn: the halves of a transposition. V8 and the others know these shuffles and make one instruction of each.

use super::{V128, i8x16_shuffle};

/// Bytes of `a` and `b` in turn: the first eight of each, and the others.
#[inline(always)]
pub fn interleave_bytes(a: V128, b: V128) -> (V128, V128) {
    (
        i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(a, b),
        i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(a, b),
    )
}

/// As [`interleave_bytes`], two bytes at a time.
#[inline(always)]
pub fn interleave_pairs(a: V128, b: V128) -> (V128, V128) {
    (
        i8x16_shuffle::<0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23>(a, b),
        i8x16_shuffle::<8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31>(a, b),
    )
}

/// As [`interleave_bytes`], four bytes at a time.
#[inline(always)]
pub fn interleave_fours(a: V128, b: V128) -> (V128, V128) {
    (
        i8x16_shuffle::<0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23>(a, b),
        i8x16_shuffle::<8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31>(a, b),
    )
}

/// As [`interleave_bytes`], eight bytes at a time.
#[inline(always)]
pub fn interleave_eights(a: V128, b: V128) -> (V128, V128) {
    (
        i8x16_shuffle::<0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23>(a, b),
        i8x16_shuffle::<8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31>(a, b),
    )
}
