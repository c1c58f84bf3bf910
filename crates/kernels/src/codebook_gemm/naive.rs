//! Decoding by the definition.

use super::{CodedWeights, Decoding};
use crate::layout::code_at;

/// `w[n, k]` as [`Decoding`] says, every product and sum rounded once.
#[must_use]
pub fn decode(weights: &CodedWeights<'_>) -> Vec<f32> {
    let CodedWeights { columns, depth, bits, codes, decoding, scales, scale_rows, group_size } = *weights;
    let groups = depth.div_ceil(group_size);
    let row = (decoding.codes_of_row(depth) * bits).div_ceil(8);
    let weight = |n: usize, k: usize| {
        let cell = k / group_size + if scale_rows == 1 { 0 } else { n * groups };
        let scale = if scales.is_empty() { 1.0 } else { scales[cell] };
        let code = |i: usize| usize::from(code_at(&codes[n * row..][..row], bits, i));
        match decoding {
            Decoding::Sign => (1.0 - 2.0 * code(k) as f32) * scale,
            Decoding::Affine { zero_points } => {
                let zero = zero_points[if zero_points.len() == 1 { 0 } else { cell }];
                (code(k) as i32 - zero) as f32 * scale
            }
            Decoding::Table { codebook } => codebook[code(k)] * scale,
            Decoding::Product { codebook, dimension } => {
                codebook[code(k / dimension) * dimension + k % dimension] * scale
            }
            Decoding::Offset { offsets } => code(k) as f32 * scale + offsets[cell],
            Decoding::Bases { coefficients } => {
                let sign = |base: usize| 1.0 - 2.0 * (code(k) >> base & 1) as f32;
                let parts = (0..bits).map(|base| coefficients[cell * bits + base] * scale * sign(base));
                parts.fold(0.0, |sum, part| sum + part)
            }
            Decoding::Additive { codebooks, dimension, count } => {
                let entries = codebooks.len() / count / dimension;
                let entry = |m: usize| {
                    codebooks[(m * entries + code(k / dimension * count + m)) * dimension + k % dimension]
                };
                (0..count).fold(0.0, |sum, m| sum + entry(m)) * scale
            }
            Decoding::Hashed { values, seed, first } => {
                let position = (first + n * depth + k + 1) as u32;
                let mut h = seed.wrapping_add(0x9e37_79b9_u32.wrapping_mul(position));
                h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
                h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
                h ^= h >> 16;
                let index = u64::from(h / 2) * values.len() as u64 / (1 << 31);
                values[index as usize] * (1.0 - 2.0 * (h % 2) as f32) * scale
            }
        }
    };
    (0..columns * depth).map(|i| weight(i / depth, i % depth)).collect()
}
