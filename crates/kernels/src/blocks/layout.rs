//! Codes and scales as blocks, and back.
//!
//! | type | bytes of a block |
//! |---|---|
//! | `Q4_0`, `IQ4_NL` | d f16; 16 bytes: code j in the low, code j + 16 in the high half of byte j |
//! | `Q4_1` | d f16, m f16; 16 bytes likewise |
//! | `Q5_0` | d f16; 4 bytes: bit j is the fifth of code j; 16 bytes likewise |
//! | `Q5_1` | d f16, m f16; 4 bytes; 16 bytes likewise |
//! | `MXFP4` | e, for 2^(e - 128); 16 bytes likewise |
//! | `Q8_0` | d f16; 32 int8, code - 128 |
//! | `TQ1_0` | 32 bytes: trits m, m + 32 ... m + 128 in byte m; 16 bytes: 160 + m, 160 + m + 16 ...; 4 bytes: 240 + m, 240 + m + 4 ... and a 0; d f16. Five trits t_0 .. t_4 are the number t_0 t_1 t_2 t_3 t_4 in base 3 by 256 / 243, rounded up, so that a product by 3^n and one more by 3 bring trit n out at the top |
//! | `TQ2_0` | 64 bytes: of each half of 128 weights, codes m, m + 32, m + 64, m + 96 in byte m, lowest bits first; d f16 |
//! | others | `super_blocks.rs` |

use super::{Kind, OP, super_blocks};
use crate::error::{Result, What, check_shape};
use crate::transform::{f16_to_f32, f32_to_f16};

/// Codes and scales of whole blocks as those blocks. Returns the position of the first scale of the first block that the type cannot hold: one that is no
/// number of f16 (for `MXFP4` no power of two, for sub-blocks none by integers of their bits), or a code beyond the type's. The number of scales where there is no
/// such block.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn write(kind: Kind, codes: &[u8], scales: &[f32], offsets: &[f32], bytes: &mut [u8]) -> Result<usize> {
    check(kind, codes.len(), scales.len(), offsets.len(), bytes.len())?;
    let per_block = kind.weights() / kind.group();
    let mut offsets = offsets.chunks_exact(per_block);
    for (block, bytes) in bytes.chunks_exact_mut(kind.bytes()).enumerate() {
        let codes = &codes[block * kind.weights()..][..kind.weights()];
        let scales = &scales[block * per_block..][..per_block];
        let offsets = offsets.next().unwrap_or_default();
        let fits = codes.iter().all(|&code| u32::from(code) < kind.codes());
        if !fits || write_block(kind, codes, scales, offsets, bytes).is_none() {
            return Ok(block * per_block);
        }
    }
    Ok(scales.len())
}

fn write_block(kind: Kind, codes: &[u8], scales: &[f32], offsets: &[f32], bytes: &mut [u8]) -> Option<()> {
    match kind {
        Kind::Q4_0 | Kind::Iq4Nl => {
            bytes[..2].copy_from_slice(&exact(scales[0])?);
            nibbles(codes, &mut bytes[2..]);
        }
        Kind::Q4_1 => {
            bytes[..2].copy_from_slice(&exact(scales[0])?);
            bytes[2..4].copy_from_slice(&exact(offsets[0])?);
            nibbles(codes, &mut bytes[4..]);
        }
        Kind::Q5_0 => {
            bytes[..2].copy_from_slice(&exact(scales[0])?);
            five_bits(codes, &mut bytes[2..]);
        }
        Kind::Q5_1 => {
            bytes[..2].copy_from_slice(&exact(scales[0])?);
            bytes[2..4].copy_from_slice(&exact(offsets[0])?);
            five_bits(codes, &mut bytes[4..]);
        }
        Kind::Mxfp4 => {
            bytes[0] = (0..=u8::MAX).find(|&e| half_power(e).to_bits() == scales[0].to_bits())?;
            nibbles(codes, &mut bytes[1..]);
        }
        Kind::Q8_0 => {
            bytes[..2].copy_from_slice(&exact(scales[0])?);
            for (byte, &code) in bytes[2..].iter_mut().zip(codes) {
                *byte = code.wrapping_sub(128);
            }
        }
        Kind::Tq1_0 => {
            bytes[52..].copy_from_slice(&exact(scales[0])?);
            for_trits(|byte, n, weight| {
                // The last bytes have four trits; the fifth is 0.
                let value = weight.map_or(0, |weight| u32::from(codes[weight]));
                bytes[byte] = if n == 0 { value as u8 } else { (u32::from(bytes[byte]) * 3 + value) as u8 };
            });
            for byte in &mut bytes[..52] {
                *byte = (u32::from(*byte) * 256).div_ceil(243) as u8;
            }
        }
        Kind::Tq2_0 => {
            bytes[64..].copy_from_slice(&exact(scales[0])?);
            quarters(codes, &mut bytes[..64]);
        }
        _ => super_blocks::write(kind, codes, scales, offsets, bytes)?,
    }
    Some(())
}

/// Codes, scales and offsets of whole blocks; a scale may be infinite or NaN where its f16 is.
///
/// # Errors
/// As [`write()`].
pub fn read(
    kind: Kind,
    bytes: &[u8],
    codes: &mut [u8],
    scales: &mut [f32],
    offsets: &mut [f32],
) -> Result<()> {
    check(kind, codes.len(), scales.len(), offsets.len(), bytes.len())?;
    let per_block = kind.weights() / kind.group();
    let mut offsets = offsets.chunks_exact_mut(per_block);
    for (block, bytes) in bytes.chunks_exact(kind.bytes()).enumerate() {
        let codes = &mut codes[block * kind.weights()..][..kind.weights()];
        let scales = &mut scales[block * per_block..][..per_block];
        read_block(kind, bytes, codes, scales, offsets.next().unwrap_or_default());
    }
    Ok(())
}

fn read_block(kind: Kind, bytes: &[u8], codes: &mut [u8], scales: &mut [f32], offsets: &mut [f32]) {
    match kind {
        Kind::Q4_0 | Kind::Iq4Nl => {
            scales[0] = half(bytes, 0);
            from_nibbles(&bytes[2..], codes);
        }
        Kind::Q4_1 => {
            (scales[0], offsets[0]) = (half(bytes, 0), half(bytes, 2));
            from_nibbles(&bytes[4..], codes);
        }
        Kind::Q5_0 => {
            scales[0] = half(bytes, 0);
            from_five_bits(&bytes[2..], codes);
        }
        Kind::Q5_1 => {
            (scales[0], offsets[0]) = (half(bytes, 0), half(bytes, 2));
            from_five_bits(&bytes[4..], codes);
        }
        Kind::Mxfp4 => {
            scales[0] = half_power(bytes[0]);
            from_nibbles(&bytes[1..], codes);
        }
        Kind::Q8_0 => {
            scales[0] = half(bytes, 0);
            for (code, byte) in codes.iter_mut().zip(&bytes[2..]) {
                *code = byte.wrapping_add(128);
            }
        }
        Kind::Tq1_0 => {
            scales[0] = half(bytes, 52);
            for_trits(|byte, n, weight| {
                if let Some(weight) = weight {
                    let top = bytes[byte].wrapping_mul([1, 3, 9, 27, 81][n]);
                    codes[weight] = ((u32::from(top) * 3) >> 8) as u8;
                }
            });
        }
        Kind::Tq2_0 => {
            scales[0] = half(bytes, 64);
            from_quarters(&bytes[..64], codes);
        }
        _ => super_blocks::read(kind, bytes, codes, scales, offsets),
    }
}

fn check(kind: Kind, codes: usize, scales: usize, offsets: usize, bytes: usize) -> Result<()> {
    check_shape(OP, What::Codes, 0, codes % kind.weights())?;
    check_shape(OP, What::Bytes, codes / kind.weights() * kind.bytes(), bytes)?;
    check_shape(OP, What::Groups, codes / kind.group(), scales)?;
    check_shape(OP, What::Groups, if kind.has_offsets() { scales } else { 0 }, offsets)
}

/// The f16 that is `value`, where there is one.
pub(super) fn exact(value: f32) -> Option<[u8; 2]> {
    let half = f32_to_f16(value);
    (f16_to_f32(half).to_bits() == value.to_bits()).then(|| half.to_le_bytes())
}

/// The f16 at a byte.
pub(super) fn half(bytes: &[u8], at: usize) -> f32 {
    f16_to_f32(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

/// 2^(e - 128): ggml has the levels of MXFP4 twice as large, as integers.
fn half_power(e: u8) -> f32 {
    f32::from_bits(if e < 2 { 0x0020_0000 << e } else { (u32::from(e) - 1) << 23 })
}

/// Code j in the low, code j + half in the high half of byte j.
pub(super) fn nibbles(codes: &[u8], bytes: &mut [u8]) {
    let (low, high) = codes.split_at(bytes.len());
    for ((byte, low), high) in bytes.iter_mut().zip(low).zip(high) {
        *byte = low & 15 | high << 4;
    }
}

pub(super) fn from_nibbles(bytes: &[u8], codes: &mut [u8]) {
    let (low, high) = codes.split_at_mut(bytes.len());
    for ((byte, low), high) in bytes.iter().zip(low).zip(high) {
        (*low, *high) = (byte & 15, byte >> 4);
    }
}

/// Four bytes of fifth bits in front of the nibbles of 32 codes.
fn five_bits(codes: &[u8], bytes: &mut [u8]) {
    let fifth = (0..32).fold(0_u32, |bits, j| bits | u32::from(codes[j] >> 4) << j);
    bytes[..4].copy_from_slice(&fifth.to_le_bytes());
    nibbles(codes, &mut bytes[4..]);
}

fn from_five_bits(bytes: &[u8], codes: &mut [u8]) {
    let fifth = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    from_nibbles(&bytes[4..], codes);
    for (j, code) in codes.iter_mut().enumerate() {
        *code |= ((fifth >> j & 1) as u8) << 4;
    }
}

/// Two bits each: of every 128 codes, m, m + 32, m + 64 and m + 96 in byte m, lowest bits first.
pub(super) fn quarters(codes: &[u8], bytes: &mut [u8]) {
    for (bytes, codes) in bytes.chunks_exact_mut(32).zip(codes.chunks_exact(128)) {
        for (m, byte) in bytes.iter_mut().enumerate() {
            *byte = (0..4).fold(0, |all, n| all | (codes[m + 32 * n] & 3) << (2 * n));
        }
    }
}

pub(super) fn from_quarters(bytes: &[u8], codes: &mut [u8]) {
    for (bytes, codes) in bytes.chunks_exact(32).zip(codes.chunks_exact_mut(128)) {
        for (i, code) in codes.iter_mut().enumerate() {
            *code = (bytes[i % 32] >> (i / 32 * 2)) & 3;
        }
    }
}

/// Visits the trits of a `TQ1_0` block, byte after byte: byte, place of the trit in it and the weight that it is of.
fn for_trits(mut visit: impl FnMut(usize, usize, Option<usize>)) {
    for (first_byte, first_weight, width) in [(0, 0, 32), (32, 160, 16), (48, 240, 4)] {
        for m in 0..width {
            for n in 0..5 {
                let weight = first_weight + m + n * width;
                visit(first_byte + m, n, (weight < 256).then_some(weight));
            }
        }
    }
}
