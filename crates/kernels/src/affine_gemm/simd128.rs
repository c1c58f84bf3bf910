//! i16 dots: four columns to a vector, two codes of each at a time.
//!
//! A word vector holds `32 / width` codes of four columns. Masking its 16-bit lanes leaves pairs of codes 16 bits apart, which one `i32x4.dot_i16x8`
//! multiplies with a broadcast pair of activations: 8 products and 4 additions per instruction. Unpacking costs one or two operations per pair and is
//! shared by the rows of the tile: 4 rows by 8 columns, or 1 by 16.
//!
//! Kept as int8 and widened here rather than kept as i16: half the bytes, which a product of one row waits for.

use super::pack::{COLUMNS, Packed};
use super::sums::{Group, Rows, Tile, pair_order};
use crate::v128::{
    V128, f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_store, i8x16_load, i8x16_lt,
    i8x16_splat, i8x16_swizzle, i16x8_extend_high_i8x16, i16x8_extend_high_u8x16, i16x8_extend_low_i8x16,
    i16x8_extend_low_u8x16, i16x8_shl, i16x8_shr, i16x8_splat, i16x8_sub, i32x4_add, i32x4_dot_i16x8,
    i32x4_load, i32x4_mul, i32x4_splat, i32x4_store, i32x4_sub, i32x4_sum, u8x16_load, u16x8_shr,
    u16x8_splat, u32x4_load, v128_and, v128_bitselect,
};

/// 128-bit vectors.
pub(super) struct Simd128;

impl Tile for Simd128 {
    fn prepare(packed: &Packed, x: &[i8], len: usize, values: &mut [i32]) -> i32 {
        let order = u8x16_load(pair_order(packed.width));
        let zero = i16x8_splat(packed.input.zero_point as i16);
        let ones = i16x8_splat(1);
        let has_zeros = packed.width < 8;
        let mut sums = i32x4_splat(0);
        for (at, values) in (0..len).step_by(16).zip(values.chunks_exact_mut(8)) {
            // Positions behind the row count as the zero point, which becomes 0.
            let x = load_part(&x[at..], len - at, packed.input.zero());
            let x = i8x16_swizzle(x, order);
            let (low, high) = if packed.input.unsigned {
                (i16x8_extend_low_u8x16(x), i16x8_extend_high_u8x16(x))
            } else {
                (i16x8_extend_low_i8x16(x), i16x8_extend_high_i8x16(x))
            };
            let (low, high) = (i16x8_sub(low, zero), i16x8_sub(high, zero));
            if has_zeros {
                sums = i32x4_add(sums, i32x4_add(i32x4_dot_i16x8(low, ones), i32x4_dot_i16x8(high, ones)));
            }
            i32x4_store(values, low);
            i32x4_store(&mut values[4..], high);
        }
        i32x4_sum(sums)
    }

    fn accumulate(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize) {
        match group.width {
            8 => accumulate::<Pairs<8>, 2>(group, rows, acc, pitch),
            4 => accumulate::<Pairs<4>, 4>(group, rows, acc, pitch),
            _ => accumulate::<Pairs<2>, 8>(group, rows, acc, pitch),
        }
    }

    fn add_scaled(acc: &[i32], scale: &[f32], y: &mut [f32]) {
        for (acc, y) in acc.chunks_exact(COLUMNS).zip(y.chunks_exact_mut(COLUMNS)) {
            for at in (0..COLUMNS).step_by(4) {
                let product =
                    f32x4_mul(f32x4_convert_i32x4(i32x4_load(&acc[at..])), f32x4_load(&scale[at..]));
                let sum = f32x4_add(f32x4_load(&y[at..]), product);
                f32x4_store(&mut y[at..], sum);
            }
        }
    }
}

/// The first 16 of `x`, those from `count` on replaced by `fill`.
#[inline(always)]
pub(super) fn load_part(x: &[i8], count: usize, fill: i8) -> V128 {
    if let (true, Some(whole)) = (count >= 16, x.first_chunk::<16>()) {
        return i8x16_load(whole);
    }
    if let Some(whole) = x.first_chunk::<16>() {
        let positions = i8x16_load(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        let inside = i8x16_lt(positions, i8x16_splat(count as i8));
        return v128_bitselect(i8x16_load(whole), i8x16_splat(fill), inside);
    }
    // The last row of a block. Byte by byte: a library call costs more than the few there are.
    let mut padded = [fill; 16];
    for (to, &from) in padded.iter_mut().zip(&x[..count]) {
        *to = from;
    }
    i8x16_load(&padded)
}

/// How a vector of words is multiplied with the activations of its block.
pub(super) trait Step {
    /// Whether columns have a zero point or anything else to take out of every sum.
    const ZEROS: bool;
    /// The codes that part `j` meets.
    fn codes(words: V128, j: usize) -> V128;
    /// `acc` + the products with the broadcast part.
    fn dot(acc: V128, x: V128, codes: V128) -> V128;
}

struct Pairs<const WIDTH: usize>;

impl<const WIDTH: usize> Step for Pairs<WIDTH> {
    const ZEROS: bool = WIDTH < 8;

    #[inline(always)]
    fn codes(words: V128, j: usize) -> V128 {
        if WIDTH == 8 {
            // Sign extension of the low or of the high byte of each 16-bit lane.
            return i16x8_shr(if j == 0 { i16x8_shl(words, 8) } else { words }, 8);
        }
        v128_and(u16x8_shr(words, (WIDTH * j) as u32), u16x8_splat((1 << WIDTH) - 1))
    }

    #[inline(always)]
    fn dot(acc: V128, x: V128, codes: V128) -> V128 {
        i32x4_add(acc, i32x4_dot_i16x8(x, codes))
    }
}

/// All rows of a block by one group of a panel; `PARTS` words of activations meet one word of codes.
#[inline(always)]
pub(super) fn accumulate<S: Step, const PARTS: usize>(
    group: &Group<'_>,
    rows: Rows<'_>,
    acc: &mut [i32],
    pitch: usize,
) {
    let fours = rows.count / 4 * 4;
    for first in (0..fours).step_by(4) {
        let acc = &mut acc[first * pitch..];
        tile::<S, PARTS, 4, 2>(group, rows, first, 0, acc, pitch);
        tile::<S, PARTS, 4, 2>(group, rows, first, 8, acc, pitch);
    }
    for first in fours..rows.count {
        tile::<S, PARTS, 1, 4>(group, rows, first, 0, &mut acc[first * pitch..], pitch);
    }
}

/// `MR` rows from `first` on by `4 * NV` columns from `column` on.
#[inline(always)]
fn tile<S: Step, const PARTS: usize, const MR: usize, const NV: usize>(
    group: &Group<'_>,
    rows: Rows<'_>,
    first: usize,
    column: usize,
    acc: &mut [i32],
    pitch: usize,
) {
    let (words, _) = group.words.as_chunks::<COLUMNS>();
    let x: [&[[i32; PARTS]]; MR] = core::array::from_fn(|r| {
        let row = &rows.values[(first + r) * rows.stride..];
        &row.as_chunks().0[..words.len()]
    });
    let mut sums = [[i32x4_splat(0); NV]; MR];
    if S::ZEROS {
        for (r, sums) in sums.iter_mut().enumerate() {
            let sum = i32x4_splat(rows.sums[(first + r) * rows.sum_stride]);
            for (v, start) in sums.iter_mut().enumerate() {
                let zeros = i32x4_mul(i32x4_load(&group.zeros[column + 4 * v..]), sum);
                *start = i32x4_sub(*start, i32x4_add(zeros, i32x4_load(&group.fixed[column + 4 * v..])));
            }
        }
    }
    for (at, words) in words.iter().enumerate() {
        let words: [V128; NV] = core::array::from_fn(|v| u32x4_load(&words[column + 4 * v..]));
        let x: [&[i32; PARTS]; MR] = core::array::from_fn(|r| &x[r][at]);
        for j in 0..PARTS {
            let x: [V128; MR] = core::array::from_fn(|r| i32x4_splat(x[r][j]));
            for (v, &words) in words.iter().enumerate() {
                let codes = S::codes(words, j);
                for (sums, &x) in sums.iter_mut().zip(&x) {
                    sums[v] = S::dot(sums[v], x, codes);
                }
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let acc = &mut acc[r * pitch + column..][..4 * NV];
        for (v, &sum) in sums.iter().enumerate() {
            i32x4_store(&mut acc[4 * v..], sum);
        }
    }
}
