//! What rows of floats go through on either side of the dots of `dynamic.rs`, of every tier: floats to codes, sums to floats.
//!
//! With vectors a code costs 1.7 instructions and an output 2.5. Plain loops over the 16 columns of a panel are unrolled before LLVM makes vectors of loops, and then stay scalar: they took
//! 25 ns a row of a panel, a fifth of the layers of a sentence encoder.

use super::pack::COLUMNS;

/// The magnitude that the largest of a row becomes.
pub(super) const LARGEST: i32 = 127;

/// The sums of the rows of one panel.
#[derive(Clone, Copy)]
pub(super) enum PanelSums<'a> {
    /// Of all of K, not scaled yet.
    Whole(&'a [i32]),
    /// Of groups, scaled by theirs.
    Scaled(&'a [f32]),
}

/// How the sums of one panel become outputs.
pub(super) struct End<'a> {
    /// Of the panel's columns, for [`PanelSums::Whole`].
    pub(super) scales: &'a [f32; COLUMNS],
    pub(super) bias: &'a [f32; COLUMNS],
    pub(super) row_scales: &'a [f32],
    pub(super) clamp: (f32, f32),
    /// Columns of the panel that there are.
    pub(super) columns: usize,
}

/// The largest magnitude of a row; a NaN where it holds one. Magnitudes compare as the integers of their bits, NaNs above all of them.
pub(super) fn magnitude(x: &[f32]) -> f32 {
    let largest = x.iter().fold(0, |largest: i32, x| largest.max((x.to_bits() & 0x7fff_ffff) as i32));
    f32::from_bits(largest as u32)
}

/// `codes = round_ties_even(x * inverse)`, which are inside int8.
pub(super) fn encode(x: &[f32], inverse: f32, codes: &mut [i8]) {
    for (code, x) in codes.iter_mut().zip(x) {
        *code = (x * inverse).round_ties_even() as i8;
    }
}

/// `y[row * stride + column] = clamp(sum * scale of the row + bias)`, every step rounded; y is from the panel's first column of the first row on.
pub(super) fn finish(sums: PanelSums<'_>, end: &End<'_>, y: &mut [f32], stride: usize) {
    let (low, high) = end.clamp;
    for ((r, &scale), y) in end.row_scales.iter().enumerate().zip(y.chunks_mut(stride)) {
        for (column, y) in y[..end.columns].iter_mut().enumerate() {
            let sum = match sums {
                PanelSums::Whole(sums) => sums[r * COLUMNS + column] as f32 * end.scales[column],
                PanelSums::Scaled(sums) => sums[r * COLUMNS + column],
            };
            let value = sum * scale + end.bias[column];
            let value = if value < low { low } else { value };
            *y = if high < value { high } else { value };
        }
    }
}

/// The same with vectors.
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub(super) mod vectors {
    use super::super::pack::COLUMNS;
    use super::{End, LARGEST, PanelSums};
    use crate::output::Quantizer;
    use crate::v128::{
        V128, f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat,
        f32x4_store, i8x16_store, i32x4_load,
    };

    /// As [`super::encode`], whose codes are inside what the quantizer clamps to.
    pub(in super::super) fn encode(x: &[f32], inverse: f32, codes: &mut [i8]) {
        let ((whole, rest), (whole_codes, rest_codes)) = (x.as_chunks::<16>(), codes.as_chunks_mut::<16>());
        let (quantizer, factor) = (Quantizer::new(0, [-LARGEST, LARGEST]), f32x4_splat(inverse));
        for (x, codes) in whole.iter().zip(whole_codes) {
            let four = |at: usize| quantizer.rounded(f32x4_mul(f32x4_load(&x[at..]), factor));
            i8x16_store(codes, quantizer.bytes([four(0), four(4), four(8), four(12)]));
        }
        super::encode(rest, inverse, rest_codes);
    }

    /// As [`super::finish`].
    pub(in super::super) fn finish(sums: PanelSums<'_>, end: &End<'_>, y: &mut [f32], stride: usize) {
        match sums {
            PanelSums::Whole(sums) => rows(sums, end, y, stride, |sums, at| {
                f32x4_mul(f32x4_convert_i32x4(i32x4_load(&sums[at..])), f32x4_load(&end.scales[at..]))
            }),
            PanelSums::Scaled(sums) => rows(sums, end, y, stride, |sums, at| f32x4_load(&sums[at..])),
        }
    }

    #[inline(always)]
    fn rows<T>(
        sums: &[T],
        end: &End<'_>,
        y: &mut [f32],
        stride: usize,
        scaled: impl Fn(&[T; COLUMNS], usize) -> V128,
    ) {
        let (low, high) = (f32x4_splat(end.clamp.0), f32x4_splat(end.clamp.1));
        let rows = sums.as_chunks::<COLUMNS>().0.iter().zip(end.row_scales);
        for ((sums, &scale), y) in rows.zip(y.chunks_mut(stride)) {
            let scale = f32x4_splat(scale);
            let four = |at: usize| {
                let value = f32x4_add(f32x4_mul(scaled(sums, at), scale), f32x4_load(&end.bias[at..]));
                f32x4_pmin(f32x4_pmax(value, low), high)
            };
            if end.columns == COLUMNS {
                let y: &mut [f32; COLUMNS] = y.first_chunk_mut().expect("the columns of a panel");
                for at in [0, 4, 8, 12] {
                    f32x4_store(&mut y[at..], four(at));
                }
                continue;
            }
            let mut floats = [0.0; COLUMNS];
            for at in [0, 4, 8, 12] {
                f32x4_store(&mut floats[at..], four(at));
            }
            y[..end.columns].copy_from_slice(&floats[..end.columns]);
        }
    }
}
