//! Channels side by side: floats sixteen, then four at a time, the rest as `scalar`; bytes four at a time, of two rows and two pixels.
//!
//! Bytes: the weights of a 3 × 3 window of four channels are six vectors, which stay in registers for a whole row of outputs, with what requantizes the sums. More at a time
//! (eight channels, or rows of outputs side by side) does not fit the 16 registers of x64.

use super::float::FloatPixel;
use super::pairs::{Row, UNIT};
use super::scalar::Scalar;
use super::walk::Taps;
use crate::output::Quantizer;
use crate::v128::{
    V128, f32x4_add, f32x4_load, f32x4_mul, f32x4_splat, f32x4_store, i8x16_shuffle, i16x8_load,
    i16x8_load_extend_i8x8, i16x8_load_extend_u8x8, i16x8_store, i32x4_add, i32x4_dot_i16x8, i32x4_load,
    i32x4_store, v128_store32_lane,
};

/// 128-bit vectors.
pub(super) struct Simd128;

impl FloatPixel for Simd128 {
    fn pixel(x: &[f32], w: &[f32], taps: &Taps<'_>, multiplier: usize, y: &mut [f32]) {
        if multiplier != 1 {
            return <Scalar as FloatPixel>::pixel(x, w, taps, multiplier, y);
        }
        let mut first = 0;
        while first + 16 <= y.len() {
            floats::<4>(x, w, taps, first, y);
            first += 16;
        }
        while first + 4 <= y.len() {
            floats::<1>(x, w, taps, first, y);
            first += 4;
        }
        for (o, y) in y.iter_mut().enumerate().skip(first) {
            *y = taps.iter().fold(0.0, |sum, (input, weights)| sum + x[input + o] * w[weights + o]);
        }
    }
}

/// `4 * NV` channels from `first` on.
#[inline(always)]
fn floats<const NV: usize>(x: &[f32], w: &[f32], taps: &Taps<'_>, first: usize, y: &mut [f32]) {
    let mut sums = [f32x4_splat(0.0); NV];
    for (input, weights) in taps.iter() {
        let (x, w) = (&x[input + first..][..4 * NV], &w[weights + first..][..4 * NV]);
        for (v, sum) in sums.iter_mut().enumerate() {
            *sum = f32x4_add(*sum, f32x4_mul(f32x4_load(&x[4 * v..]), f32x4_load(&w[4 * v..])));
        }
    }
    for (v, sum) in sums.into_iter().enumerate() {
        f32x4_store(&mut y[first + 4 * v..], sum);
    }
}

/// `n` columns of two rows of a unit: each row's bytes, and how far its columns lie apart.
pub(super) fn interleave(
    unsigned: bool,
    rows: [(&[i8], usize); 2],
    low: &mut [[i16; 8]],
    high: &mut [[i16; 8]],
) {
    if unsigned {
        interleave_with(i16x8_load_extend_u8x8, rows, low, high);
    } else {
        interleave_with(i16x8_load_extend_i8x8, rows, low, high);
    }
}

#[inline(always)]
fn interleave_with(
    wide: impl Fn(&[i8; UNIT]) -> V128,
    [(a, a_step), (b, b_step)]: [(&[i8], usize); 2],
    low: &mut [[i16; 8]],
    high: &mut [[i16; 8]],
) {
    let (mut at_a, mut at_b) = (0, 0);
    for (low, high) in low.iter_mut().zip(high) {
        let (Some(x), Some(y)) = (a[at_a..].first_chunk(), b[at_b..].first_chunk()) else {
            unreachable!("a unit lies inside its pixel")
        };
        let (x, y) = (wide(x), wide(y));
        i16x8_store(low, i8x16_shuffle::<0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23>(x, y));
        i16x8_store(
            high,
            i8x16_shuffle::<8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31>(x, y),
        );
        (at_a, at_b) = (at_a + a_step, at_b + b_step);
    }
}

/// A row of outputs to int8 or uint8; `at` is where a unit begins in `start`, `multiplier` and the pixels of `y`.
pub(super) fn requantized(
    row: &Row<'_>,
    at: impl Fn(usize) -> usize,
    start: &[i32],
    multiplier: &[f32],
    zero_point: i32,
    clamp: [i32; 2],
    y: &mut [i8],
) {
    if clamp[0] < 0 {
        requantized_by(&Quantizer::<false>::new(zero_point, clamp), row, at, start, multiplier, y);
    } else {
        requantized_by(&Quantizer::<true>::new(zero_point, clamp), row, at, start, multiplier, y);
    }
}

#[inline(always)]
fn requantized_by<const UNSIGNED: bool>(
    quantizer: &Quantizer<UNSIGNED>,
    row: &Row<'_>,
    at: impl Fn(usize) -> usize,
    start: &[i32],
    multiplier: &[f32],
    y: &mut [i8],
) {
    assert!(y.len() >= (row.outputs - 1) * row.channels + UNIT, "pixels that hold a unit");
    blocks(
        row,
        at,
        |channel, at, pixels: [V128; 2]| {
            let multiplier = f32x4_load(&multiplier[channel..]);
            let [a, b] = pixels.map(|sums| quantizer.lanes(sums, multiplier));
            let bytes = quantizer.bytes([a, b, a, b]);
            let [first, second] = at.map(|at| at * row.channels + channel);
            // SAFETY: two pixels of the row, which hold the unit, as asserted.
            unsafe {
                v128_store32_lane::<0>(&mut *y.as_mut_ptr().add(first).cast(), bytes);
                v128_store32_lane::<1>(&mut *y.as_mut_ptr().add(second).cast(), bytes);
            }
        },
        start,
    );
}

/// A row of sums, `[output][channel]`.
pub(super) fn sums(row: &Row<'_>, at: impl Fn(usize) -> usize, start: &[i32], sums: &mut [i32]) {
    blocks(
        row,
        at,
        |channel, at, pixels: [V128; 2]| {
            for (at, pixel) in at.into_iter().zip(pixels) {
                i32x4_store(&mut sums[at * row.channels + channel..], pixel);
            }
        },
        start,
    );
}

/// Calls `end` with the channel, the two pixels and their sums, for every block of channels and every two pixels; the last pixel of an odd row comes twice.
#[inline(always)]
fn blocks(
    row: &Row<'_>,
    at: impl Fn(usize) -> usize,
    mut end: impl FnMut(usize, [usize; 2], [V128; 2]),
    start: &[i32],
) {
    match (row.pairs, row.kernel_width, row.dilation) {
        (2, 3, 1) => blocks_of(row, 2, 3, 1, at, &mut end, start),
        (3, 5, 1) => blocks_of(row, 3, 5, 1, at, &mut end, start),
        (pairs, width, dilation) => blocks_of(row, pairs, width, dilation, at, &mut end, start),
    }
}

/// [`blocks`], inlined with constants where the window is a usual one.
#[inline(always)]
fn blocks_of(
    row: &Row<'_>,
    pairs: usize,
    width: usize,
    dilation: usize,
    channel_of: impl Fn(usize) -> usize,
    end: &mut impl FnMut(usize, [usize; 2], [V128; 2]),
    start: &[i32],
) {
    let (weights, rows) = (row.weights.as_chunks::<8>().0, row.rows.as_chunks::<8>().0);
    let slot_len = rows.len() / pairs;
    assert!((row.outputs - 1) * row.stride + (width - 1) * dilation < row.span, "windows inside the row");
    for (block, weights) in weights.chunks_exact(pairs * width).enumerate() {
        let channel = channel_of(block / 2) + block % 2 * 4;
        let start = i32x4_load(&start[channel..]);
        let row_of = |pair: usize| {
            let slot = row.first_slot + pair;
            let slot = if slot < pairs { slot } else { slot - pairs };
            &rows[slot * slot_len + block * row.span..][..row.span]
        };
        let sums = |from: usize| {
            let mut sum = start;
            for pair in 0..pairs {
                let columns = row_of(pair);
                for kx in 0..width {
                    // SAFETY: `from` is where a window begins, and windows lie inside the row, as asserted.
                    let x = unsafe { columns.get_unchecked(from + kx * dilation) };
                    let dot = i32x4_dot_i16x8(i16x8_load(x), i16x8_load(&weights[pair * width + kx]));
                    sum = i32x4_add(sum, dot);
                }
            }
            sum
        };
        let mut output = 0;
        let mut from = 0;
        while output < row.outputs {
            let odd = output + 1 == row.outputs;
            let (next, next_from) = if odd { (output, from) } else { (output + 1, from + row.stride) };
            end(channel, [output, next], [sums(from), sums(next_from)]);
            (output, from) = (output + 2, from + 2 * row.stride);
        }
    }
}
