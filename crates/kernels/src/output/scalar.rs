//! The specification of the output transforms.

use super::Rows;
use crate::layout::WORD_BITS;

pub(super) struct Scalar;

impl Rows for Scalar {
    fn f32(acc: &[i32], scale: &[f32], bias: &[f32], [low, high]: [f32; 2], y: &mut [f32]) {
        for (((y, &acc), &scale), &bias) in y.iter_mut().zip(acc).zip(scale).zip(bias) {
            let mut v = acc as f32 * scale + bias;
            if v < low {
                v = low;
            }
            if high < v {
                v = high;
            }
            *y = v;
        }
    }

    fn int8(
        acc: &[i32],
        multiplier: &[f32],
        bias: &[i32],
        zero_point: i32,
        [low, high]: [i32; 2],
        y: &mut [i8],
    ) {
        // Clamped before the zero point is added, on integers that a float holds exactly: nothing can overflow.
        let (low, high) = ((low - zero_point) as f32, (high - zero_point) as f32);
        for (((y, &acc), &multiplier), &bias) in y.iter_mut().zip(acc).zip(multiplier).zip(bias) {
            let mut v = ((acc + bias) as f32 * multiplier).round_ties_even();
            if v < low {
                v = low;
            }
            if high < v {
                v = high;
            }
            *y = (v as i32 + zero_point) as i8;
        }
    }

    fn bits(acc: &[i32], thresholds: &[i32], y: &mut [u32]) {
        for ((y, acc), thresholds) in
            y.iter_mut().zip(acc.chunks(WORD_BITS)).zip(thresholds.chunks(WORD_BITS))
        {
            *y = 0;
            for (bit, (acc, threshold)) in acc.iter().zip(thresholds).enumerate() {
                *y |= u32::from(acc < threshold) << bit;
            }
        }
    }
}
