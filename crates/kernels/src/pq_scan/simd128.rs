//! The sieve in vectors: upper halves of 32 codes are brought into columns, and each column is looked up.

use core::array::from_fn;

use super::RUN;
use super::sieve::COLUMNS;
use crate::pq_fast_scan::WIDTH as HALVES;
use crate::pq_fast_scan::simd128::Ops;
use crate::v128::{
    i8x16_add, i8x16_splat, i16x8_add, i16x8_shl, i16x8_splat, i16x8_store, i16x8_sub, interleave_bytes,
    interleave_eights, interleave_fours, interleave_pairs, mask_of_i16x8, u8x16_load, u8x16_splat, u16x8_shr,
    v128_and, v128_opaque, v128_or,
};

/// Columns and rows that are brought into each other at a time: 16 of both would not fit the registers.
const FOUR: usize = 4;

/// As [`super::sieve::Passing`].
#[inline(never)]
pub(super) fn passing<O: Ops>(
    codes: &[u8],
    steps: &[[u8; HALVES]],
    limit: i16,
    sums: &mut [i16; RUN],
) -> u32 {
    let subspaces = steps.len();
    assert!(codes.len() >= RUN * subspaces, "32 codes");
    let [low, high] = [15, 240].map(|mask| v128_opaque(u8x16_splat(mask)));
    // Columns 4q .. 4q + 4 of rows 4g .. 4g + 4 in lanes of 32 bits. Written in place: an array that a closure returns is copied by a call, which takes a third of the time of all this.
    let mut quads = [[low; FOUR]; FOUR];
    // Of codes 0..16 and 16..32: sums of even and odd ones together (modulo 2^16), and of odd ones.
    let mut words = [[i16x8_splat(0); 2]; 2];
    for (group, steps) in steps.as_chunks::<COLUMNS>().0.iter().enumerate() {
        let load = |row: usize| {
            let from = row * subspaces + group * COLUMNS;
            // SAFETY: a row is below 32, and the group ends within the subspaces; the length was asked above.
            u8x16_load(unsafe { codes.get_unchecked(from..from + COLUMNS) })
        };
        // Byte i of a row: of code `row` in its lower half, and of code 16 + `row` in its upper.
        let row =
            |row: usize| v128_or(v128_and(u16x8_shr(load(row), 4), low), v128_and(load(RUN / 2 + row), high));
        for (g, quads) in quads.iter_mut().enumerate() {
            let [a, b, c, d] = from_fn(|r| row(FOUR * g + r));
            let ((ab, more_ab), (cd, more_cd)) = (interleave_bytes(a, b), interleave_bytes(c, d));
            let ((q0, q1), (q2, q3)) = (interleave_pairs(ab, cd), interleave_pairs(more_ab, more_cd));
            *quads = [q0, q1, q2, q3];
        }
        for (q, steps) in steps.as_chunks::<FOUR>().0.iter().enumerate() {
            let [a, b, c, d] = from_fn(|g| quads[g][q]);
            let ((ab, more_ab), (cd, more_cd)) = (interleave_fours(a, b), interleave_fours(c, d));
            let ((c0, c1), (c2, c3)) = (interleave_eights(ab, cd), interleave_eights(more_ab, more_cd));
            let mut bytes = [i8x16_splat(0); 2];
            for (column, steps) in [c0, c1, c2, c3].into_iter().zip(steps) {
                let steps = u8x16_load(steps);
                let [first, second] = &mut bytes;
                *first = i8x16_add(*first, O::lookup(steps, v128_and(column, low)));
                *second = i8x16_add(*second, O::lookup(steps, v128_and(u16x8_shr(column, 4), low)));
            }
            for ([both, odd], bytes) in words.iter_mut().zip(bytes) {
                *both = i16x8_add(*both, bytes);
                *odd = i16x8_add(*odd, u16x8_shr(bytes, 8));
            }
        }
    }
    let limit = i16x8_splat(limit);
    let mut beyond = 0;
    for (half, ([both, odd], sums)) in words.iter().zip(sums.as_chunks_mut::<16>().0).enumerate() {
        let even = i16x8_sub(*both, i16x8_shl(*odd, 8));
        let (a, b) = interleave_pairs(even, *odd);
        let (first, second) = sums.split_at_mut(8);
        i16x8_store(first, a);
        i16x8_store(second, b);
        // The signs.
        let beyond_of = mask_of_i16x8(i16x8_sub(limit, a), i16x8_sub(limit, b));
        beyond |= u32::from(beyond_of) << (16 * half);
    }
    !beyond
}
