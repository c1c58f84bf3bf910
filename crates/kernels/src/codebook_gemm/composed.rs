//! Weights that are more than one level by a scale: with an offset, sums of bases or of codebooks, values by a hash.
//!
//! They share the panels, so that the product has the bits of `gemm_f32` on the decoded weights; their decoding is plain code over 16 columns.

use super::OP;
use super::pack::{COLUMNS, Cells, Decoding, Packed};
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::quantize::{hash_index, hash_word};

/// What such a decoding keeps beside codes and scales.
pub(super) enum Composed {
    /// `[panel][group][16]`
    Offset(Buffer<f32>),
    /// Coefficient times scale, `[base]` of `[panel][group][16]`.
    Bases { parts: Buffer<f32>, count: usize },
    /// `[codebook][dimension][centroids]`
    Additive { codebooks: Buffer<f32>, count: usize, entries: usize },
    /// As in [`Decoding::Hashed`].
    Hashed { values: Buffer<f32>, seed: u32, first: usize },
}

impl Composed {
    /// None for the decodings that are one level by a scale.
    pub(super) fn new(
        decoding: &Decoding<'_>,
        bits: usize,
        scales: &[f32],
        cells: &Cells,
    ) -> Result<Option<Self>> {
        let sources = cells.sources();
        Ok(Some(match *decoding {
            Decoding::Offset { offsets } => {
                check_shape(OP, What::ZeroPoint, sources, offsets.len())?;
                Self::Offset(cells.spread(&|source| offsets[source])?)
            }
            Decoding::Bases { coefficients } => {
                check_shape(OP, What::Codebook, checked_area(OP, sources, bits)?, coefficients.len())?;
                let size = cells.padded();
                let mut parts = Buffer::zeroed(OP, checked_area(OP, size, bits)?)?;
                for (base, part) in parts.chunks_exact_mut(size).enumerate() {
                    let scaled = |source: usize| {
                        coefficients[source * bits + base] * scales.get(source).copied().unwrap_or(1.0)
                    };
                    part.copy_from_slice(&cells.spread(&scaled)?);
                }
                Self::Bases { parts, count: bits }
            }
            Decoding::Additive { codebooks, dimension, count } => {
                check_range(OP, What::Codebook, 1, 64, count as i64)?;
                let width = checked_area(OP, dimension, count)?;
                check_shape(OP, What::Codebook, 0, codebooks.len() % width)?;
                let entries = codebooks.len() / width;
                let mut transposed = Buffer::zeroed(OP, codebooks.len())?;
                for (i, &value) in codebooks.iter().enumerate() {
                    let (m, entry, j) = (i / (entries * dimension), i / dimension % entries, i % dimension);
                    transposed[(m * dimension + j) * entries + entry] = value;
                }
                Self::Additive { codebooks: transposed, count, entries }
            }
            Decoding::Hashed { values, seed, first } => {
                check_range(OP, What::Codebook, 1, 1 << 22, values.len() as i64)?;
                let mut own = Buffer::zeroed(OP, values.len())?;
                own.copy_from_slice(values);
                Self::Hashed { values: own, seed, first }
            }
            _ => return Ok(None),
        }))
    }

    /// The weights of the sub-vector that begins at position k of the rows: `out [dimension][16]`.
    pub(super) fn weights(&self, packed: &Packed, panel: usize, k: usize, out: &mut [f32]) {
        let cell = (panel * packed.groups() + k / packed.group_size) * COLUMNS;
        let scales = &packed.scales[cell..][..COLUMNS];
        match self {
            Self::Offset(offsets) => {
                let codes = packed.position(panel, k);
                for (column, ((out, scale), offset)) in
                    out.iter_mut().zip(scales).zip(&offsets[cell..]).enumerate()
                {
                    *out = codes.code(column) as f32 * scale + offset;
                }
            }
            Self::Bases { parts, count } => {
                let codes = packed.position(panel, k);
                let codes: [u32; COLUMNS] = core::array::from_fn(|column| codes.code(column) as u32);
                out.fill(0.0);
                for (base, parts) in parts.chunks_exact(parts.len() / count).enumerate() {
                    for ((out, part), code) in out.iter_mut().zip(&parts[cell..]).zip(codes) {
                        // Bit 1 is minus.
                        *out += f32::from_bits(part.to_bits() ^ (code >> base << 31));
                    }
                }
            }
            Self::Additive { codebooks, count, entries } => {
                out.fill(0.0);
                let first = k / packed.dimension * count;
                for (m, codebook) in codebooks.chunks_exact(packed.dimension * entries).enumerate() {
                    let codes = packed.position(panel, first + m);
                    for (out, entries) in out.chunks_exact_mut(COLUMNS).zip(codebook.chunks_exact(*entries)) {
                        for (column, out) in out.iter_mut().enumerate() {
                            *out += entries[codes.code(column)];
                        }
                    }
                }
                for out in out.chunks_exact_mut(COLUMNS) {
                    for (out, scale) in out.iter_mut().zip(scales) {
                        *out *= scale;
                    }
                }
            }
            Self::Hashed { values, seed, first } => {
                // Columns beyond the last belong to no weight; what they hash to is not looked at.
                for (column, (out, scale)) in out.iter_mut().zip(scales).enumerate() {
                    let row = panel * COLUMNS + column;
                    let word = hash_word(*seed, first + row * packed.depth + k);
                    let value = values[hash_index(word, values.len())];
                    *out = f32::from_bits(value.to_bits() ^ (word << 31)) * scale;
                }
            }
        }
    }

    pub(super) fn byte_len(&self) -> usize {
        match self {
            Self::Offset(values)
            | Self::Bases { parts: values, .. }
            | Self::Additive { codebooks: values, .. }
            | Self::Hashed { values, .. } => values.byte_len(),
        }
    }
}

/// Codes that have a meaning, of the decodings of this file.
pub(super) fn level_count(decoding: &Decoding<'_>, bits: usize) -> usize {
    match *decoding {
        Decoding::Additive { codebooks, dimension, count } => codebooks.len() / (dimension * count).max(1),
        _ => 1 << bits,
    }
}
