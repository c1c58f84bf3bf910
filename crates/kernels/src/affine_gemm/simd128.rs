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
    V128, f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_store, i8x16_load, i8x16_swizzle,
    i16x8_extend_high_i8x16, i16x8_extend_high_u8x16, i16x8_extend_low_i8x16, i16x8_extend_low_u8x16,
    i16x8_shl, i16x8_shr, i16x8_splat, i16x8_sub, i32x4_add, i32x4_dot_i16x8, i32x4_load, i32x4_mul,
    i32x4_splat, i32x4_store, i32x4_sub, i32x4_sum, u8x16_load, u16x8_shr, u16x8_splat, u32x4_load, v128_and,
};

/// 128-bit vectors.
pub(super) struct Simd128;

impl Tile for Simd128 {
    fn prepare(packed: &Packed, x: &[i8], values: &mut [i32]) -> i32 {
        let order = u8x16_load(&pair_order(packed.width));
        let zero = i16x8_splat(packed.input.zero_point as i16);
        let ones = i16x8_splat(1);
        let mut sums = i32x4_splat(0);
        for (x, values) in x.chunks(16).zip(values.chunks_exact_mut(8)) {
            // Positions behind the row count as the zero point, which becomes 0.
            let mut padded = [packed.input.zero(); 16];
            let x = if let Some(whole) = x.first_chunk() {
                whole
            } else {
                padded[..x.len()].copy_from_slice(x);
                &padded
            };
            let x = i8x16_swizzle(i8x16_load(x), order);
            let (low, high) = if packed.input.unsigned {
                (i16x8_extend_low_u8x16(x), i16x8_extend_high_u8x16(x))
            } else {
                (i16x8_extend_low_i8x16(x), i16x8_extend_high_i8x16(x))
            };
            let (low, high) = (i16x8_sub(low, zero), i16x8_sub(high, zero));
            sums = i32x4_add(sums, i32x4_add(i32x4_dot_i16x8(low, ones), i32x4_dot_i16x8(high, ones)));
            i32x4_store(values, low);
            i32x4_store(&mut values[4..], high);
        }
        i32x4_sum(sums)
    }

    fn accumulate(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32]) {
        match group.width {
            8 => accumulate::<Pairs<8>>(group, rows, acc),
            4 => accumulate::<Pairs<4>>(group, rows, acc),
            _ => accumulate::<Pairs<2>>(group, rows, acc),
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

/// How a vector of words is multiplied with the activations of its block.
pub(super) trait Step {
    /// 32-bit words of activations that a word of codes meets.
    const PARTS: usize;
    /// The codes that part `j` meets.
    fn codes(words: V128, j: usize) -> V128;
    /// `acc` + the products with the broadcast part.
    fn dot(acc: V128, x: V128, codes: V128) -> V128;
}

struct Pairs<const WIDTH: usize>;

impl<const WIDTH: usize> Step for Pairs<WIDTH> {
    const PARTS: usize = 16 / WIDTH;

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

/// All rows of a block by one group of a panel.
#[inline(always)]
pub(super) fn accumulate<S: Step>(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32]) {
    let (fours, ones) = acc.as_chunks_mut::<{ 4 * COLUMNS }>();
    let mut at = 0;
    for acc in fours {
        tile::<S, 4, 2>(group, rows, at, 0, acc);
        tile::<S, 4, 2>(group, rows, at, 8, acc);
        at += 4;
    }
    for acc in ones.chunks_exact_mut(COLUMNS) {
        tile::<S, 1, 4>(group, rows, at, 0, acc);
        at += 1;
    }
}

/// `MR` rows from `first` on by `4 * NV` columns from `column` on; `acc` is `[MR][16]`.
#[inline(always)]
fn tile<S: Step, const MR: usize, const NV: usize>(
    group: &Group<'_>,
    rows: Rows<'_>,
    first: usize,
    column: usize,
    acc: &mut [i32],
) {
    let length = group.words.len() / COLUMNS * S::PARTS;
    let x: [&[i32]; MR] = core::array::from_fn(|r| &rows.values[(first + r) * rows.stride..][..length]);
    let mut sums: [[V128; NV]; MR] = core::array::from_fn(|r| {
        let sum = i32x4_splat(rows.sums[(first + r) * rows.sum_stride]);
        core::array::from_fn(|v| {
            let zeros = i32x4_mul(i32x4_load(&group.zeros[column + 4 * v..]), sum);
            i32x4_sub(i32x4_splat(0), i32x4_add(zeros, i32x4_load(&group.fixed[column + 4 * v..])))
        })
    });
    for (at, words) in group.words.chunks_exact(COLUMNS).enumerate() {
        let words: [V128; NV] = core::array::from_fn(|v| u32x4_load(&words[column + 4 * v..]));
        for j in 0..S::PARTS {
            let x: [V128; MR] = core::array::from_fn(|r| i32x4_splat(x[r][at * S::PARTS + j]));
            for (v, &words) in words.iter().enumerate() {
                let codes = S::codes(words, j);
                for (sums, &x) in sums.iter_mut().zip(&x) {
                    sums[v] = S::dot(sums[v], x, codes);
                }
            }
        }
    }
    for (acc, sums) in acc.chunks_exact_mut(COLUMNS).zip(&sums) {
        for (v, &sum) in sums.iter().enumerate() {
            i32x4_store(&mut acc[column + 4 * v..], sum);
        }
    }
}
