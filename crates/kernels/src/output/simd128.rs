//! Four columns to a vector; what is left of a row goes through the scalar form, which rounds alike.

use super::Rows;
use super::scalar::Scalar;
use crate::layout::WORD_BITS;
use crate::v128::{
    f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_nearest, f32x4_pmax, f32x4_pmin,
    f32x4_splat, f32x4_store, i8x16_bitmask, i8x16_narrow_i16x8, i16x8_narrow_i32x4, i32x4_add, i32x4_load,
    i32x4_lt, i32x4_splat, i32x4_store, i32x4_trunc_sat_f32x4,
};

pub(super) struct Simd128;

impl Rows for Simd128 {
    fn f32(acc: &[i32], scale: &[f32], bias: &[f32], clamp: [f32; 2], y: &mut [f32]) {
        let (low, high) = (f32x4_splat(clamp[0]), f32x4_splat(clamp[1]));
        let whole = y.len() / 4 * 4;
        for at in (0..whole).step_by(4) {
            let v = f32x4_mul(f32x4_convert_i32x4(i32x4_load(&acc[at..])), f32x4_load(&scale[at..]));
            let v = f32x4_add(v, f32x4_load(&bias[at..]));
            f32x4_store(&mut y[at..], f32x4_pmin(f32x4_pmax(v, low), high));
        }
        Scalar::f32(&acc[whole..], &scale[whole..], &bias[whole..], clamp, &mut y[whole..]);
    }

    fn int8(acc: &[i32], multiplier: &[f32], bias: &[i32], zero_point: i32, clamp: [i32; 2], y: &mut [i8]) {
        let low = f32x4_splat((clamp[0] - zero_point) as f32);
        let high = f32x4_splat((clamp[1] - zero_point) as f32);
        let zero = i32x4_splat(zero_point);
        let whole = y.len() / 4 * 4;
        for at in (0..whole).step_by(4) {
            let sum = i32x4_add(i32x4_load(&acc[at..]), i32x4_load(&bias[at..]));
            let v = f32x4_nearest(f32x4_mul(f32x4_convert_i32x4(sum), f32x4_load(&multiplier[at..])));
            let q = i32x4_add(i32x4_trunc_sat_f32x4(f32x4_pmin(f32x4_pmax(v, low), high)), zero);
            let mut four = [0; 4];
            i32x4_store(&mut four, q);
            // The low byte is right for int8 and for uint8.
            y[at..at + 4].copy_from_slice(&four.map(|q| q as i8));
        }
        let y = &mut y[whole..];
        Scalar::int8(&acc[whole..], &multiplier[whole..], &bias[whole..], zero_point, clamp, y);
    }

    fn bits(acc: &[i32], thresholds: &[i32], y: &mut [u32]) {
        let whole = acc.len() / WORD_BITS;
        for ((y, acc), thresholds) in
            y.iter_mut().zip(acc.chunks_exact(WORD_BITS)).zip(thresholds.chunks_exact(WORD_BITS))
        {
            let below = |at: usize| i32x4_lt(i32x4_load(&acc[at..]), i32x4_load(&thresholds[at..]));
            let half = |at: usize| {
                let low = i16x8_narrow_i32x4(below(at), below(at + 4));
                let high = i16x8_narrow_i32x4(below(at + 8), below(at + 12));
                u32::from(i8x16_bitmask(i8x16_narrow_i16x8(low, high)))
            };
            *y = half(0) | half(16) << 16;
        }
        let from = whole * WORD_BITS;
        Scalar::bits(&acc[from..], &thresholds[from..], &mut y[whole..]);
    }
}
