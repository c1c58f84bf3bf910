//! Codes back to floats.

use super::OP;
use crate::codebook_gemm::{CodedWeights, Decoding};
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::layout::{code_at, code_row_bytes};

/// The weights that codes stand for, `w [N, K]`; [`Decoding`] says how, each step rounded to f32.
///
/// # Errors
/// `Range` where bits, dimension, group size or a code is out of range, `Shape` where a slice does not have its length.
pub fn decode(weights: &CodedWeights<'_>, w: &mut [f32]) -> Result<()> {
    let CodedWeights { columns, depth, bits, codes, decoding, scales, scale_rows, group_size } = *weights;
    let dimension = decoding.dimension();
    let least_bits = i64::from(!matches!(decoding, Decoding::Hashed { .. }));
    check_range(OP, What::Bits, least_bits, 8, bits as i64)?;
    check_range(OP, What::Depth, 1, i64::MAX, depth as i64)?;
    check_range(OP, What::Codebook, 1, depth as i64, dimension as i64)?;
    check_range(OP, What::GroupSize, 1, i64::MAX, group_size as i64)?;
    check_shape(OP, What::Depth, 0, depth % dimension)?;
    check_shape(OP, What::Length, checked_area(OP, columns, depth)?, w.len())?;
    let row = code_row_bytes(decoding.codes_of_row(depth), bits);
    check_shape(OP, What::Codes, checked_area(OP, columns, row)?, codes.len())?;
    let groups = depth.div_ceil(group_size);
    let cells = if scale_rows == 1 { groups } else { checked_area(OP, columns, groups)? };
    if !scales.is_empty() {
        check_shape(OP, What::Scale, cells, scales.len())?;
    }
    check_levels(&decoding, bits, cells)?;
    let count = level_count(&decoding, bits);
    let mut table = [0.0; 256];
    for (n, w) in w.chunks_exact_mut(depth).enumerate() {
        let row = Row { codes: &codes[n * row..][..row], bits, start: n * depth };
        if let (Decoding::Product { codebook, dimension }, []) = (decoding, scales) {
            for (i, w) in w.chunks_exact_mut(dimension).enumerate() {
                let entry = usize::from(code_at(row.codes, bits, i)) * dimension;
                check_range(OP, What::Code, 0, codebook.len() as i64 - 1, (entry + dimension) as i64 - 1)?;
                w.copy_from_slice(&codebook[entry..][..dimension]);
            }
            continue;
        }
        for (group, w) in w.chunks_mut(group_size).enumerate() {
            let cell = group + if scale_rows == 1 { 0 } else { n * groups };
            let scale = *scales.get(cell).unwrap_or(&1.0);
            // Each level once instead of once for each weight, where there are more weights.
            let levels = if count <= w.len() { &mut table[..count] } else { &mut [] };
            for (code, level) in (0..).zip(levels.iter_mut()) {
                *level = Row { codes: &[code], bits, start: 0 }.weight(&decoding, 0, cell, scale)?;
            }
            for (k, w) in (group * group_size..).zip(w) {
                *w = if levels.is_empty() {
                    row.weight(&decoding, k, cell, scale)?
                } else {
                    entry(levels, row.code(k))?
                };
            }
        }
    }
    Ok(())
}

/// Checks that a decoding has a level for each of `cells`, where it has one for each.
fn check_levels(decoding: &Decoding<'_>, bits: usize, cells: usize) -> Result<()> {
    match *decoding {
        Decoding::Affine { zero_points } if zero_points.len() != 1 => {
            check_shape(OP, What::ZeroPoint, cells, zero_points.len())
        }
        Decoding::Offset { offsets } => check_shape(OP, What::ZeroPoint, cells, offsets.len()),
        Decoding::Bases { coefficients } => {
            check_shape(OP, What::Codebook, checked_area(OP, cells, bits)?, coefficients.len())
        }
        Decoding::Additive { codebooks, dimension, count } => {
            check_range(OP, What::Codebook, 1, 64, count as i64)?;
            check_shape(OP, What::Codebook, 0, codebooks.len() % checked_area(OP, dimension, count)?)
        }
        Decoding::Hashed { values, .. } => check_range(OP, What::Codebook, 1, 1 << 22, values.len() as i64),
        _ => Ok(()),
    }
}

/// How many codes there may be, each of which is one weight; 0 where a weight is of more than its code.
fn level_count(decoding: &Decoding<'_>, bits: usize) -> usize {
    match *decoding {
        Decoding::Table { codebook } => codebook.len().min(1 << bits),
        Decoding::Product { .. } | Decoding::Additive { .. } | Decoding::Hashed { .. } => 0,
        _ => 1 << bits,
    }
}

/// Codes of a row, and the position of its first weight.
struct Row<'a> {
    codes: &'a [u8],
    bits: usize,
    start: usize,
}

impl Row<'_> {
    fn code(&self, index: usize) -> usize {
        usize::from(code_at(self.codes, self.bits, index))
    }

    /// Weight k of the row, whose scale, zero point and so on are those of `cell`.
    fn weight(&self, decoding: &Decoding<'_>, k: usize, cell: usize, scale: f32) -> Result<f32> {
        let code = |index: usize| self.code(index);
        Ok(match *decoding {
            Decoding::Sign => {
                if code(k) == 0 {
                    scale
                } else {
                    -scale
                }
            }
            Decoding::Affine { zero_points } => {
                let zero = zero_points.get(cell).unwrap_or(&zero_points[0]);
                (code(k) as i64 - i64::from(*zero)) as f32 * scale
            }
            Decoding::Offset { offsets } => code(k) as f32 * scale + offsets[cell],
            Decoding::Bases { coefficients } => {
                let code = code(k);
                let parts = coefficients[cell * self.bits..][..self.bits].iter().enumerate();
                parts.fold(0.0, |sum, (base, coefficient)| {
                    let part = coefficient * scale;
                    sum + if code >> base & 1 == 0 { part } else { -part }
                })
            }
            Decoding::Table { codebook } => entry(codebook, code(k))? * scale,
            Decoding::Product { codebook, dimension } => {
                entry(codebook, code(k / dimension) * dimension + k % dimension)? * scale
            }
            Decoding::Additive { codebooks, dimension, count } => {
                let size = codebooks.len() / count;
                let mut sum = 0.0;
                for (codebook, m) in codebooks.chunks_exact(size).zip(0..) {
                    sum += entry(codebook, code(k / dimension * count + m) * dimension + k % dimension)?;
                }
                sum * scale
            }
            Decoding::Hashed { values, seed, first } => {
                let word = hash_word(seed, first + self.start + k);
                let value = values[hash_index(word, values.len())];
                (if word & 1 == 0 { value } else { -value }) * scale
            }
        })
    }
}

fn entry(codebook: &[f32], at: usize) -> Result<f32> {
    let last = codebook.len() as i64 - 1;
    codebook.get(at).copied().ok_or(KernelError::new(ErrorCode::Range, OP, What::Code, last, at as i64))
}

/// 32 bits from a seed and a position: the finalizer of `MurmurHash3` over seed + 0x9e3779b9 * (position + 1).
pub(crate) fn hash_word(seed: u32, position: usize) -> u32 {
    let mut h = seed.wrapping_add(0x9e37_79b9_u32.wrapping_mul((position as u32).wrapping_add(1)));
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// The upper 31 bits of a word spread over `0..length`; the lowest bit is the sign.
pub(crate) fn hash_index(word: u32, length: usize) -> usize {
    ((u64::from(word >> 1) * length as u64) >> 31) as usize
}
