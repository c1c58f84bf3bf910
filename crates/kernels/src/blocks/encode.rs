//! Weights to codes and scales.

use super::{Kind, OP, q4_k};
use crate::error::{Result, What, check_range, check_shape};
use crate::transform::{f16_to_f32, f32_to_f16};

/// Codes `[rows, columns]`, one scale per group of a row and, with `Q4_K` alone, as many offsets. The last group of a row is shorter where it does not divide,
/// which [`super::write`] and llama.cpp do not have.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` for no columns and for a type that is only read and written.
pub fn encode(
    kind: Kind,
    columns: usize,
    x: &[f32],
    codes: &mut [u8],
    scales: &mut [f32],
    offsets: &mut [f32],
) -> Result<()> {
    check_range(OP, What::Kind, 0, 4, kind as i64)?;
    check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
    check_shape(OP, What::Length, 0, x.len() % columns)?;
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    let groups = x.len() / columns * columns.div_ceil(kind.group());
    check_shape(OP, What::Groups, groups, scales.len())?;
    check_shape(OP, What::Groups, if kind.has_offsets() { groups } else { 0 }, offsets.len())?;
    let mut at = 0;
    for (x, codes) in x.chunks_exact(columns).zip(codes.chunks_exact_mut(columns)) {
        for (x, codes) in x.chunks(kind.weights()).zip(codes.chunks_mut(kind.weights())) {
            let next = at + x.len().div_ceil(kind.group());
            match kind {
                Kind::Q4_0 => scales[at] = four(x, codes),
                Kind::Q8_0 => scales[at] = eight(x, codes),
                Kind::Tq1_0 | Kind::Tq2_0 => scales[at] = trits(x, codes),
                _ => q4_k::encode(x, codes, &mut scales[at..next], &mut offsets[at..next]),
            }
            at = next;
        }
    }
    Ok(())
}

/// d = m / -8 with m the weight of the largest magnitude (the first of equal ones); code = trunc(x / d + 8.5), at most 15.
fn four(x: &[f32], codes: &mut [u8]) -> f32 {
    let mut max = 0.0_f32;
    for x in x {
        if max.abs() < x.abs() {
            max = *x;
        }
    }
    let d = max / -8.0;
    let inverse = inverse(d);
    for (x, code) in x.iter().zip(codes) {
        *code = ((x * inverse + 8.5) as i32).clamp(0, 15) as u8;
    }
    half(d)
}

/// d = max |x| / 127; code = round(x / d) + 128, halves away from zero.
fn eight(x: &[f32], codes: &mut [u8]) -> f32 {
    let d = abs_max(x) / 127.0;
    let inverse = inverse(d);
    for (x, code) in x.iter().zip(codes) {
        *code = (((x * inverse).round() as i32).clamp(-128, 127) + 128) as u8;
    }
    half(d)
}

/// d = max |x|; code = round(x / d) + 1, halves away from zero.
fn trits(x: &[f32], codes: &mut [u8]) -> f32 {
    let d = abs_max(x);
    let inverse = inverse(d);
    for (x, code) in x.iter().zip(codes) {
        *code = (((x * inverse).round() as i32).clamp(-1, 1) + 1) as u8;
    }
    half(d)
}

fn abs_max(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |max, x| if max < x.abs() { x.abs() } else { max })
}

fn inverse(d: f32) -> f32 {
    if d == 0.0 { 0.0 } else { 1.0 / d }
}

/// The number of f16 nearest to `value`.
pub(super) fn half(value: f32) -> f32 {
    f16_to_f32(f32_to_f16(value))
}
