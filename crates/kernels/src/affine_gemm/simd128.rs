//! i16 dots: four columns to a vector, two codes of each at a time, 8 products and 4 additions per `i32x4.dot_i16x8`.
//!
//! **Strips.** A tile is 4 rows by 8 columns: eight sums, two vectors of weights, a broadcast pair of activations and a product are live, which fits the 16
//! registers of x64, and a step is 2 + 4 loads for 8 dots. Weights are *opened* first, 8 columns by at most 1024 codes at a time, into the pairs that every strip
//! then reads: unpacking them again in every tile was a fifth slower, keeping them opened would be twice the memory. The body is not unrolled: with two steps
//! in sight the engine loads the second too early and spills.
//!
//! **Single rows** unpack in registers. A word vector holds `32 / width` codes of four columns; masking its 16-bit lanes leaves pairs of codes 16 bits apart.

use super::float_rows::{self, End, PanelSums};
use super::pack::{COLUMNS, Packed};
use super::strips::{Strips, TileSums};
use super::sums::{Group, OPEN_COLUMNS, OPEN_STEPS, Requantize, Rows, STRIP, Tile, pair_order};
use crate::v128::{
    V128, f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_store, i8x16_load, i8x16_lt,
    i8x16_splat, i8x16_swizzle, i16x8_extend_high_u8x16, i16x8_extend_low_u8x16, i16x8_shl, i16x8_shr,
    i16x8_splat, i16x8_sub, i32x4_add, i32x4_dot_i16x8, i32x4_load, i32x4_shuffle, i32x4_splat, i32x4_store,
    i32x4_sum, u8x16_load, u8x16_splat, u16x8_shr, u16x8_splat, u32x4_load, u32x4_store, v128_and,
    v128_bitselect, v128_xor,
};

/// Whether codes of 4 and 2 bits come here. Where there are relaxed dots they are multiplied as bytes (`dispatch.rs`), and a shipped build can do without.
const NARROW: bool = cfg!(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")));

/// 128-bit vectors.
pub(super) struct Simd128;

impl Tile for Simd128 {
    const FROM: usize = STRIP;
    const HAS_TALL: bool = false;

    fn prepare<const R: usize>(packed: &Packed, x: [&[i8]; R], len: usize, values: &mut [i32]) -> [i32; R] {
        let order = u8x16_load(pair_order(packed.width));
        // int8 + 128 is a flip of the highest bit, after which both types are unsigned.
        let flip = if packed.input.unsigned { 0 } else { 128 };
        let (flips, zero) =
            (u8x16_splat(flip), i16x8_splat(packed.input.zero_point as i16 + i16::from(flip)));
        let ones = i16x8_splat(1);
        let mut sums = [i32x4_splat(0); R];
        let mut step = |rows: [V128; R], values: &mut [i32]| {
            let halves = rows.map(|x| {
                let x = i8x16_swizzle(v128_xor(x, flips), order);
                [i16x8_sub(i16x8_extend_low_u8x16(x), zero), i16x8_sub(i16x8_extend_high_u8x16(x), zero)]
            });
            if packed.has_zeros {
                for (sum, [low, high]) in sums.iter_mut().zip(halves) {
                    *sum =
                        i32x4_add(*sum, i32x4_add(i32x4_dot_i16x8(low, ones), i32x4_dot_i16x8(high, ones)));
                }
            }
            let (low, high) = values.split_at_mut(4 * R);
            store_steps(halves.map(|half| half[0]), low);
            store_steps(halves.map(|half| half[1]), high);
        };
        let (whole, rest) = values.split_at_mut(len / 16 * 8 * R);
        // Of one length, so that nothing is asked in the loop.
        let rows = x.map(|x| &x.as_chunks::<16>().0[..len / 16]);
        for (at, values) in (0..len / 16).zip(whole.chunks_exact_mut(8 * R)) {
            step(rows.map(|row| i8x16_load(&row[at])), values);
        }
        if !len.is_multiple_of(16) {
            // Positions behind the row count as the zero point, which becomes 0.
            let at = len / 16 * 16;
            let rows = core::array::from_fn(|r| load_part(&x[r][at..], len - at, packed.input.zero()));
            step(rows, &mut rest[..8 * R]);
        }
        sums.map(i32x4_sum)
    }

    fn strips<const R: usize>(
        group: &Group<'_>,
        rows: Rows<'_>,
        opened: &mut [u32],
        acc: &mut [i32],
        pitch: usize,
        end: Option<&mut Requantize<'_>>,
    ) {
        let strips = Strips::new(group, rows, acc, pitch, end);
        match group.width {
            4 if NARROW => open_strips::<PairDot, R, false>(strips, opened, open::<Pairs<4>, 4>, 4),
            2 if NARROW => open_strips::<PairDot, R, false>(strips, opened, open::<Pairs<2>, 8>, 8),
            _ => open_strips::<PairDot, R, true>(strips, opened, open::<Pairs<8>, 2>, 2),
        }
    }

    // Called from two places, and much code.
    #[inline(never)]
    fn rows(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize) {
        match group.width {
            4 if NARROW => single_rows::<PairDot, Pairs<4>, 4>(group, rows, acc, pitch),
            2 if NARROW => single_rows::<PairDot, Pairs<2>, 8>(group, rows, acc, pitch),
            _ => single_rows::<PairDot, Pairs<8>, 2>(group, rows, acc, pitch),
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

    fn encode(x: &[f32], inverse: f32, codes: &mut [i8]) {
        float_rows::vectors::encode(x, inverse, codes);
    }

    fn finish(sums: PanelSums<'_>, end: &End<'_>, y: &mut [f32], stride: usize) {
        float_rows::vectors::finish(sums, end, y, stride);
    }
}

/// The first 16 of `x`, those from `count` on (at most 16) replaced by `fill`. Not inlined: a loop with its call in it would keep its vectors in memory.
#[inline(never)]
pub(super) fn load_part(x: &[i8], count: usize, fill: i8) -> V128 {
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

/// Four steps of `R` rows (1, 4 or 6) as `values[step][R]`.
#[inline(always)]
pub(super) fn store_steps<const R: usize>(rows: [V128; R], values: &mut [i32]) {
    if R < STRIP {
        for (row, values) in rows.into_iter().zip(values.chunks_exact_mut(4)) {
            i32x4_store(values, row);
        }
        return;
    }
    // Transposed: rows of pairs, then columns of pairs.
    let (a, b) =
        (i32x4_shuffle::<0, 4, 1, 5>(rows[0], rows[1]), i32x4_shuffle::<2, 6, 3, 7>(rows[0], rows[1]));
    let (c, d) =
        (i32x4_shuffle::<0, 4, 1, 5>(rows[2], rows[3]), i32x4_shuffle::<2, 6, 3, 7>(rows[2], rows[3]));
    let steps = [
        i32x4_shuffle::<0, 1, 4, 5>(a, c),
        i32x4_shuffle::<2, 3, 6, 7>(a, c),
        i32x4_shuffle::<0, 1, 4, 5>(b, d),
        i32x4_shuffle::<2, 3, 6, 7>(b, d),
    ];
    if R == STRIP {
        for (values, step) in values.as_chunks_mut::<4>().0.iter_mut().zip(steps) {
            i32x4_store(values, step);
        }
        return;
    }
    let (e, f) =
        (i32x4_shuffle::<0, 4, 1, 5>(rows[4], rows[5]), i32x4_shuffle::<2, 6, 3, 7>(rows[4], rows[5]));
    i32x4_store(values, steps[0]);
    i32x4_store(&mut values[4..], i32x4_shuffle::<0, 1, 4, 5>(e, steps[1]));
    i32x4_store(&mut values[8..], i32x4_shuffle::<2, 3, 6, 7>(steps[1], e));
    i32x4_store(&mut values[12..], steps[2]);
    i32x4_store(&mut values[16..], i32x4_shuffle::<0, 1, 4, 5>(f, steps[3]));
    i32x4_store(&mut values[20..], i32x4_shuffle::<2, 3, 6, 7>(steps[3], f));
}

/// The weights of each step in a vector of words.
pub(super) trait Codes {
    /// Those of step `j` of the word.
    fn codes(words: V128, j: usize) -> V128;
}

/// How a step is multiplied and added up.
pub(super) trait Dot {
    /// Steps after which `dot` must start afresh, for codes of this width.
    fn steps(width: usize) -> usize;
    /// `part` + the products of the broadcast activations with the weights.
    fn dot(part: V128, x: V128, weights: V128) -> V128;
    /// int32 `sum` + what `dot` collected.
    fn add(sum: V128, part: V128) -> V128;
}

struct Pairs<const WIDTH: usize>;

impl<const WIDTH: usize> Codes for Pairs<WIDTH> {
    #[inline(always)]
    fn codes(words: V128, j: usize) -> V128 {
        if WIDTH == 8 {
            // Sign extension of the low or of the high byte of each 16-bit lane.
            return i16x8_shr(if j == 0 { i16x8_shl(words, 8) } else { words }, 8);
        }
        v128_and(u16x8_shr(words, (WIDTH * j) as u32), u16x8_splat((1 << WIDTH) - 1))
    }
}

pub(super) struct PairDot;

impl Dot for PairDot {
    #[inline(always)]
    fn steps(_: usize) -> usize {
        usize::MAX
    }

    #[inline(always)]
    fn dot(part: V128, x: V128, weights: V128) -> V128 {
        i32x4_add(part, i32x4_dot_i16x8(x, weights))
    }

    #[inline(always)]
    fn add(sum: V128, part: V128) -> V128 {
        i32x4_add(sum, part)
    }
}

/// Writes the steps of 8 columns, from the given one on, of some words.
type Open = fn(words: &[[u32; COLUMNS]], column: usize, opened: &mut [[u32; OPEN_COLUMNS]]);

/// [`Open`] where a word is `PARTS` steps.
pub(super) fn open<C: Codes, const PARTS: usize>(
    words: &[[u32; COLUMNS]],
    column: usize,
    opened: &mut [[u32; OPEN_COLUMNS]],
) {
    for (words, steps) in words.iter().zip(opened.chunks_exact_mut(PARTS)) {
        for at in (0..OPEN_COLUMNS).step_by(4) {
            let word = u32x4_load(&words[column + at..]);
            for (j, step) in steps.iter_mut().enumerate() {
                u32x4_store(&mut step[at..], C::codes(word, j));
            }
        }
    }
}

/// Strips by weights that are opened first; a word is `parts` steps. `BYTES`: usual strips have a loop of their own, which for all forms would be too much code.
#[inline(always)]
pub(super) fn open_strips<D: Dot, const R: usize, const BYTES: bool>(
    mut strips: Strips<'_, '_>,
    opened: &mut [u32],
    open: Open,
    parts: usize,
) {
    let (words, _) = strips.group.words.as_chunks::<COLUMNS>();
    let (rows, width) = (strips.rows, strips.group.width);
    for column in (0..strips.columns()).step_by(OPEN_COLUMNS) {
        for (block, words) in words.chunks(OPEN_STEPS / parts).enumerate() {
            let (opened, _) = opened.as_chunks_mut::<OPEN_COLUMNS>();
            let opened = &mut opened[..words.len() * parts];
            open(words, column, opened);
            let values = &rows.values[block * OPEN_STEPS * R..];
            let steps = |strip: usize| &values[strip * rows.stride..].as_chunks::<R>().0[..opened.len()];
            if BYTES
                && words.len() == strips.group.words.len() / COLUMNS
                && let Some(mut bytes) = strips.bytes(column)
            {
                for strip in 0..rows.count / R {
                    let mut sums = bytes.start();
                    tile::<D, R, OPEN_COLUMNS, 0>(opened, steps(strip), width, &mut sums);
                    // SAFETY: once for every strip.
                    unsafe { bytes.write(&sums) };
                }
                continue;
            }
            let is_last = (block + 1) * (OPEN_STEPS / parts) >= strips.group.words.len() / COLUMNS;
            for strip in 0..rows.count / R {
                let mut sums = strips.start(block == 0, strip, column);
                tile::<D, R, OPEN_COLUMNS, 0>(opened, steps(strip), width, &mut sums);
                strips.end(is_last, strip, column, &sums);
            }
        }
    }
}

/// A strip by 8 columns from `COLUMN` on: added to the sums.
#[inline(always)]
pub(super) fn tile<D: Dot, const R: usize, const PITCH: usize, const COLUMN: usize>(
    weights: &[[u32; PITCH]],
    x: &[[i32; R]],
    width: usize,
    sums: &mut TileSums<R>,
) {
    let steps = D::steps(width);
    if steps == usize::MAX {
        return dots::<D, R, PITCH, COLUMN>(weights, x, sums);
    }
    for (weights, x) in weights.chunks(steps).zip(x.chunks(steps)) {
        let mut parts = [[i32x4_splat(0); 2]; R];
        dots::<D, R, PITCH, COLUMN>(weights, x, &mut parts);
        for (sums, parts) in sums.iter_mut().zip(parts) {
            *sums = [D::add(sums[0], parts[0]), D::add(sums[1], parts[1])];
        }
    }
}

#[inline(always)]
fn dots<D: Dot, const R: usize, const PITCH: usize, const COLUMN: usize>(
    weights: &[[u32; PITCH]],
    x: &[[i32; R]],
    parts: &mut TileSums<R>,
) {
    assert_eq!(weights.len(), x.len());
    let mut sums = *parts;
    let mut weights = weights.iter();
    for x in x {
        // Two iterators, each with a pointer of its own, and not `zip`, which counts steps and computes both addresses from the count: a tenth of the time.
        // SAFETY: there are as many weights as steps.
        let weights = unsafe { weights.next().unwrap_unchecked() };
        let weights = [u32x4_load(&weights[COLUMN..]), u32x4_load(&weights[COLUMN + 4..])];
        for (sums, &x) in sums.iter_mut().zip(x) {
            let x = i32x4_splat(x);
            sums[0] = D::dot(sums[0], x, weights[0]);
            sums[1] = D::dot(sums[1], x, weights[1]);
        }
    }
    *parts = sums;
}

/// Row by row, all 16 columns; a word is `PARTS` steps.
#[inline(always)]
pub(super) fn single_rows<D: Dot, C: Codes, const PARTS: usize>(
    group: &Group<'_>,
    rows: Rows<'_>,
    acc: &mut [i32],
    pitch: usize,
) {
    let (words, _) = group.words.as_chunks::<COLUMNS>();
    for r in 0..rows.count {
        let x = &rows.values[r * rows.stride..].as_chunks::<PARTS>().0[..words.len()];
        let mut parts = [i32x4_splat(0); 4];
        for (words, x) in words.iter().zip(x) {
            let words: [V128; 4] = core::array::from_fn(|v| u32x4_load(&words[4 * v..]));
            for (j, &x) in x.iter().enumerate() {
                let x = i32x4_splat(x);
                for (part, &words) in parts.iter_mut().zip(&words) {
                    *part = D::dot(*part, x, C::codes(words, j));
                }
            }
        }
        let acc = &mut acc[r * pitch..][..COLUMNS];
        for (v, part) in parts.into_iter().enumerate() {
            let sum = D::add(i32x4_load(&acc[4 * v..]), part);
            i32x4_store(&mut acc[4 * v..], sum);
        }
    }
}
