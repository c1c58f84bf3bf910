//! Channels side by side: floats sixteen, then four at a time, the rest as `scalar`; bytes four at a time, of two rows and two pixels.
//!
//! Bytes: the weights of a 3 × 3 window of four channels are six vectors, which stay in registers for a whole row of outputs, with what requantizes the sums. More at a time
//! (eight channels, or rows of outputs side by side) does not fit the 16 registers of x64.

use core::array::from_fn;

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
    let last = low.len().saturating_sub(1);
    assert!(a.len() >= last * a_step + UNIT && b.len() >= last * b_step + UNIT, "a unit of every column");
    let (mut at_a, mut at_b) = (0, 0);
    for (low, high) in low.iter_mut().zip(high) {
        // SAFETY: a unit of a column, as asserted.
        let (x, y) = unsafe { (&*a.as_ptr().add(at_a).cast(), &*b.as_ptr().add(at_b).cast()) };
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
    let quantizer = Quantizer::new(zero_point, clamp);
    let units = row.weights.len() / (16 * row.pairs * row.kernel_width);
    let last = (row.outputs - 1) * row.channels + at(units - 1) + UNIT;
    assert!(y.len() >= last, "pixels that hold all units");
    blocks::<true>(row, at, start, |channel, at, sums| {
        let multiplier = f32x4_load(&multiplier[channel..]);
        let [a, b] = sums.map(|sums| quantizer.lanes(sums, multiplier));
        let bytes = quantizer.bytes([a, b, a, b]);
        // SAFETY: two pixels of the row, which hold the unit, as asserted.
        unsafe {
            v128_store32_lane::<0>(&mut *y.as_mut_ptr().add(at[0]).cast(), bytes);
            v128_store32_lane::<1>(&mut *y.as_mut_ptr().add(at[1]).cast(), bytes);
        }
    });
}

/// A row of sums, `[output][channel]`.
pub(super) fn sums(row: &Row<'_>, at: impl Fn(usize) -> usize, start: &[i32], sums: &mut [i32]) {
    blocks::<false>(row, at, start, |_, at, pixels| {
        for (at, pixel) in at.into_iter().zip(pixels) {
            i32x4_store(&mut sums[at..], pixel);
        }
    });
}

/// Calls `end` with the channel, where it lies in two pixels, and their sums, for every block of channels and every two pixels; the last pixel of an odd row comes twice.
/// `UNROLL`: usual windows have loops of their own.
#[inline(always)]
fn blocks<const UNROLL: bool>(
    row: &Row<'_>,
    channel_of: impl Fn(usize) -> usize,
    start: &[i32],
    mut end: impl FnMut(usize, [usize; 2], [V128; 2]),
) {
    let (weights, rows) = (row.weights.as_chunks::<8>().0, row.rows.as_chunks::<8>().0);
    let (pairs, width) = (row.pairs, row.kernel_width);
    let slot_len = rows.len() / pairs;
    let reach = (row.outputs - 1) * row.stride + (width - 1) * row.dilation + 1;
    for (block, weights) in weights.chunks_exact(pairs * width).enumerate() {
        let channel = channel_of(block / 2) + block % 2 * 4;
        let row_of = |pair: usize| {
            let slot = row.first_slot + pair;
            let slot = if slot < pairs { slot } else { slot - pairs };
            &rows[slot * slot_len + block * row.span..][..reach]
        };
        let start = i32x4_load(&start[channel..]);
        let end = |at, sums| end(channel, at, sums);
        match (pairs, width, row.dilation) {
            // SAFETY: rows hold all columns that these windows reach.
            (2, 3, 1) if UNROLL => unsafe { block_of::<2, 3>(row, row_of, weights, start, channel, end) },
            // SAFETY: as before.
            (3, 5, 1) if UNROLL => unsafe { block_of::<3, 5>(row, row_of, weights, start, channel, end) },
            _ => block_of_any(row, row_of, weights, start, channel, end),
        }
    }
}

/// A block of a usual window, its weights in registers.
///
/// # Safety
/// Rows hold all columns that windows of `WIDTH` reach.
#[inline(always)]
unsafe fn block_of<'r, const PAIRS: usize, const WIDTH: usize>(
    row: &Row<'_>,
    row_of: impl Fn(usize) -> &'r [[i16; 8]],
    weights: &[[i16; 8]],
    start: V128,
    channel: usize,
    mut end: impl FnMut([usize; 2], [V128; 2]),
) {
    let weights: [[V128; WIDTH]; PAIRS] =
        from_fn(|pair| from_fn(|kx| i16x8_load(&weights[pair * WIDTH + kx])));
    let sums = |at: [*const [i16; 8]; PAIRS]| {
        let mut sum = start;
        for (at, weights) in at.into_iter().zip(weights) {
            for (kx, weights) in weights.into_iter().enumerate() {
                // SAFETY: `at` is where a window begins.
                let x = i16x8_load(unsafe { &*at.add(kx) });
                sum = i32x4_add(sum, i32x4_dot_i16x8(x, weights));
            }
        }
        sum
    };
    // Pointers that go along, one for every pair of rows: the columns of a window are constants behind them.
    let mut at: [*const [i16; 8]; PAIRS] = from_fn(|pair| row_of(pair).as_ptr());
    let (mut to, mut left) = (channel, row.outputs);
    loop {
        let (step, to_step) = if left == 1 { (0, 0) } else { (row.stride, row.channels) };
        let next = at.map(|at| at.wrapping_add(step));
        end([to, to + to_step], [sums(at), sums(next)]);
        if left <= 2 {
            return;
        }
        left -= 2;
        to += 2 * row.channels;
        at = at.map(|at| at.wrapping_add(2 * row.stride));
    }
}

/// A block of any window.
#[inline(always)]
fn block_of_any<'r>(
    row: &Row<'_>,
    row_of: impl Fn(usize) -> &'r [[i16; 8]],
    weights: &[[i16; 8]],
    start: V128,
    channel: usize,
    mut end: impl FnMut([usize; 2], [V128; 2]),
) {
    for output in 0..row.outputs {
        let mut sum = start;
        for (pair, weights) in weights.chunks_exact(row.kernel_width).enumerate() {
            let columns = row_of(pair)[output * row.stride..].iter().step_by(row.dilation);
            for (x, weights) in columns.zip(weights) {
                sum = i32x4_add(sum, i32x4_dot_i16x8(i16x8_load(x), i16x8_load(weights)));
            }
        }
        let to = output * row.channels + channel;
        end([to; 2], [sum; 2]);
    }
}
