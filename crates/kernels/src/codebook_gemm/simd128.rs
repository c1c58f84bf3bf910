//! Levels by byte swizzles: 16 of them are four tables of 16 bytes, so that four lookups and eight interleavings decode 16 columns. Further tables are looked
//! up alike, where codes of the others find 0.

use super::Decode;
use super::pack::{COLUMNS, Levels, Position, Run, Way};
use crate::gemm_f32::simd128::Simd128;
use crate::v128::{
    V128, f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_splat, f32x4_store, f32x4_sub,
    i8x16_sub, i8x16_swizzle, i16x8_extend_high_u8x16, i16x8_extend_low_u8x16, i32x4_extend_high_u16x8,
    i32x4_extend_low_u16x8, interleave_bytes, interleave_pairs, u8x16_load, u8x16_splat, u16x8_shr, v128_and,
    v128_or,
};

impl Decode for Simd128 {
    fn weights(codes: &Run<'_>, levels: &Levels, zeros: &[f32], scales: &[f32], out: &mut [f32]) {
        match &levels.way {
            Way::Swizzle(tables) => match tables.as_chunks().0 {
                [table] => {
                    let table = vectors(table);
                    each(codes, zeros, scales, out, |codes| in_lanes(look_up(&table, unpacked(codes))));
                }
                [first, others @ ..] => {
                    let first = vectors(first);
                    each(codes, zeros, scales, out, |codes| {
                        let mut codes = unpacked(codes);
                        let mut found = look_up(&first, codes);
                        for table in others {
                            codes = i8x16_sub(codes, u8x16_splat(16));
                            let more = look_up(&vectors(table), codes);
                            found = core::array::from_fn(|byte| v128_or(found[byte], more[byte]));
                        }
                        in_lanes(found)
                    });
                }
                [] => unreachable!("there is a level"),
            },
            &Way::Convert(zero) => {
                let zero = f32x4_splat(zero);
                each(codes, zeros, scales, out, |codes| converted(codes).map(|code| f32x4_sub(code, zero)));
            }
            Way::Load => each(codes, zeros, scales, out, |codes| by_load(codes, levels)),
        }
    }

    fn partial_dots(x: &[f32], codebook: &[f32], lut: &mut [f32]) {
        let entries = lut.len();
        for (at, lut) in lut.chunks_exact_mut(4).enumerate() {
            let mut sum = f32x4_splat(0.0);
            for (&x, centroids) in x.iter().zip(codebook.chunks_exact(entries)) {
                sum = f32x4_add(sum, f32x4_mul(f32x4_splat(x), f32x4_load(&centroids[4 * at..])));
            }
            f32x4_store(lut, sum);
        }
    }
}

/// Takes zeros out of levels and scales them, position by position.
#[inline(always)]
fn each(
    codes: &Run<'_>,
    zeros: &[f32],
    scales: &[f32],
    out: &mut [f32],
    levels: impl Fn(&Position<'_>) -> [V128; 4],
) {
    let four = |numbers: &[f32]| core::array::from_fn::<_, 4, _>(|v| f32x4_load(&numbers[4 * v..]));
    let scales = four(scales);
    let zeros = (!zeros.is_empty()).then(|| four(zeros));
    for (codes, out) in codes.positions().zip(out.as_chunks_mut::<COLUMNS>().0) {
        let mut levels = levels(&codes);
        if let Some(zeros) = zeros {
            levels = core::array::from_fn(|v| f32x4_sub(levels[v], zeros[v]));
        }
        for (v, (level, scale)) in levels.into_iter().zip(scales).enumerate() {
            f32x4_store(&mut out[4 * v..], f32x4_mul(level, scale));
        }
    }
}

#[inline(always)]
fn vectors(table: &[[u8; 16]; 4]) -> [V128; 4] {
    table.each_ref().map(|bytes| u8x16_load(bytes))
}

/// The codes of 16 columns, a byte each.
#[inline(always)]
fn unpacked(codes: &Position<'_>) -> V128 {
    let mask = u8x16_splat((((1 << codes.width) - 1) & 0xff) as u8);
    v128_and(u16x8_shr(u8x16_load(codes.bytes), codes.shift), mask)
}

/// Byte b of every column's level; 0 for a code that the table does not have.
#[inline(always)]
fn look_up(table: &[V128; 4], codes: V128) -> [V128; 4] {
    table.map(|bytes| i8x16_swizzle(bytes, codes))
}

/// Four vectors of bytes to the floats that they make up, four columns to a vector.
#[inline(always)]
fn in_lanes([b0, b1, b2, b3]: [V128; 4]) -> [V128; 4] {
    let (low0, low1) = interleave_bytes(b0, b1);
    let (high0, high1) = interleave_bytes(b2, b3);
    let (v0, v1) = interleave_pairs(low0, high0);
    let (v2, v3) = interleave_pairs(low1, high1);
    [v0, v1, v2, v3]
}

/// Codes of 8 bits as floats.
#[inline(always)]
fn converted(codes: &Position<'_>) -> [V128; 4] {
    let bytes = u8x16_load(codes.bytes);
    let (low, high) = (i16x8_extend_low_u8x16(bytes), i16x8_extend_high_u8x16(bytes));
    [
        f32x4_convert_i32x4(i32x4_extend_low_u16x8(low)),
        f32x4_convert_i32x4(i32x4_extend_high_u16x8(low)),
        f32x4_convert_i32x4(i32x4_extend_low_u16x8(high)),
        f32x4_convert_i32x4(i32x4_extend_high_u16x8(high)),
    ]
}

fn by_load(codes: &Position<'_>, levels: &Levels) -> [V128; 4] {
    core::array::from_fn(|v| {
        let lanes: [f32; 4] = core::array::from_fn(|lane| levels.values[codes.code(4 * v + lane)]);
        f32x4_load(&lanes)
    })
}
