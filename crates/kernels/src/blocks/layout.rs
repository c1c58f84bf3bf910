//! Codes and scales as blocks, and back.
//!
//! | type | bytes of a block |
//! |---|---|
//! | `Q4_0` | d f16; 16 bytes: code j in the low, code j + 16 in the high half of byte j |
//! | `Q8_0` | d f16; 32 int8, code - 128 |
//! | `TQ1_0` | 32 bytes: trits m, m + 32 ... m + 128 in byte m; 16 bytes: 160 + m, 160 + m + 16 ...; 4 bytes: 240 + m, 240 + m + 4 ... and a 0; d f16. Five trits t_0 .. t_4 are the number t_0 t_1 t_2 t_3 t_4 in base 3 by 256 / 243, rounded up, so that a product by 3^n and one more by 3 bring trit n out at the top |
//! | `TQ2_0` | 64 bytes: of each half of 128 weights, codes m, m + 32, m + 64, m + 96 in byte m, lowest bits first; d f16 |
//! | `Q4_K` | d f16, m f16; 12 bytes of 6-bit integers s_0 .. s_7, t_0 .. t_7; 128 bytes: of each quarter of 64 weights, code j in the low, code j + 32 in the high half of byte j |

use core::array;

use super::{Kind, OP};
use crate::error::{Result, What, check_shape};
use crate::transform::{f16_to_f32, f32_to_f16};

/// Codes and scales of whole blocks as those blocks. Returns the position of the first scale of the first block that the type cannot hold: one that is no
/// number of f16, for `Q4_K` none by integers of 6 bits, for `TQ1_0` also a code above 2. The number of scales where there is no such block.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn write(kind: Kind, codes: &[u8], scales: &[f32], offsets: &[f32], bytes: &mut [u8]) -> Result<usize> {
    check(kind, codes.len(), scales.len(), offsets.len(), bytes.len())?;
    let per_block = kind.weights() / kind.group();
    for (block, bytes) in bytes.chunks_exact_mut(kind.bytes()).enumerate() {
        let codes = &codes[block * kind.weights()..][..kind.weights()];
        let scales = &scales[block * per_block..][..per_block];
        let written = match kind {
            Kind::Q4_0 => exact(scales[0]).map(|d| {
                bytes[..2].copy_from_slice(&d);
                nibbles(codes, &mut bytes[2..]);
            }),
            Kind::Q8_0 => exact(scales[0]).map(|d| {
                bytes[..2].copy_from_slice(&d);
                for (byte, &code) in bytes[2..].iter_mut().zip(codes) {
                    *byte = code.wrapping_sub(128);
                }
            }),
            Kind::Tq1_0 if codes.iter().any(|&code| code > 2) => None,
            Kind::Tq1_0 => exact(scales[0]).map(|d| {
                for_trits(|byte, n, weight| {
                    // The last bytes have four trits; the fifth is 0.
                    let value = weight.map_or(0, |weight| u32::from(codes[weight]));
                    bytes[byte] =
                        if n == 0 { value as u8 } else { (u32::from(bytes[byte]) * 3 + value) as u8 };
                });
                for byte in &mut bytes[..52] {
                    *byte = (u32::from(*byte) * 256).div_ceil(243) as u8;
                }
                bytes[52..].copy_from_slice(&d);
            }),
            Kind::Tq2_0 => exact(scales[0]).map(|d| {
                for (byte, codes) in bytes[..64].chunks_exact_mut(32).zip(codes.chunks_exact(128)) {
                    for (m, byte) in byte.iter_mut().enumerate() {
                        *byte = (0..4).fold(0, |all, n| all | (codes[m + 32 * n] & 3) << (2 * n));
                    }
                }
                bytes[64..].copy_from_slice(&d);
            }),
            Kind::Q4K => {
                let offsets = &offsets[block * 8..][..8];
                factor(array::from_fn(|j| scales[j])).zip(factor(array::from_fn(|j| -offsets[j]))).map(
                    |((d, s), (m, t))| {
                        bytes[..2].copy_from_slice(&d);
                        bytes[2..4].copy_from_slice(&m);
                        six_bits(s, t, &mut bytes[4..16]);
                        for (codes, bytes) in codes.chunks_exact(64).zip(bytes[16..].chunks_exact_mut(32)) {
                            nibbles(codes, bytes);
                        }
                    },
                )
            }
        };
        if written.is_none() {
            return Ok(block * per_block);
        }
    }
    Ok(scales.len())
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
    for (block, bytes) in bytes.chunks_exact(kind.bytes()).enumerate() {
        let codes = &mut codes[block * kind.weights()..][..kind.weights()];
        let scales = &mut scales[block * per_block..][..per_block];
        let half = |at: usize| f16_to_f32(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        match kind {
            Kind::Q4_0 => {
                scales[0] = half(0);
                from_nibbles(&bytes[2..], codes);
            }
            Kind::Q8_0 => {
                scales[0] = half(0);
                for (code, byte) in codes.iter_mut().zip(&bytes[2..]) {
                    *code = byte.wrapping_add(128);
                }
            }
            Kind::Tq1_0 => {
                scales[0] = half(52);
                for_trits(|byte, n, weight| {
                    if let Some(weight) = weight {
                        let top = bytes[byte].wrapping_mul([1, 3, 9, 27, 81][n]);
                        codes[weight] = ((u32::from(top) * 3) >> 8) as u8;
                    }
                });
            }
            Kind::Tq2_0 => {
                scales[0] = half(64);
                for (bytes, codes) in bytes[..64].chunks_exact(32).zip(codes.chunks_exact_mut(128)) {
                    for (i, code) in codes.iter_mut().enumerate() {
                        *code = (bytes[i % 32] >> (i / 32 * 2)) & 3;
                    }
                }
            }
            Kind::Q4K => {
                let (d, m) = (half(0), half(2));
                let (s, t) = from_six_bits(&bytes[4..16]);
                for (j, (scale, offset)) in scales.iter_mut().zip(&mut offsets[block * 8..][..8]).enumerate()
                {
                    (*scale, *offset) = (d * f32::from(s[j]), -(m * f32::from(t[j])));
                }
                for (codes, bytes) in codes.chunks_exact_mut(64).zip(bytes[16..].chunks_exact(32)) {
                    from_nibbles(bytes, codes);
                }
            }
        }
    }
    Ok(())
}

fn check(kind: Kind, codes: usize, scales: usize, offsets: usize, bytes: usize) -> Result<()> {
    check_shape(OP, What::Codes, 0, codes % kind.weights())?;
    check_shape(OP, What::Bytes, codes / kind.weights() * kind.bytes(), bytes)?;
    check_shape(OP, What::Groups, codes / kind.group(), scales)?;
    check_shape(OP, What::Groups, if kind == Kind::Q4K { scales } else { 0 }, offsets)
}

/// The f16 that is `value`, where there is one.
fn exact(value: f32) -> Option<[u8; 2]> {
    let half = f32_to_f16(value);
    (f16_to_f32(half).to_bits() == value.to_bits()).then(|| half.to_le_bytes())
}

/// `values` as a number of f16 by integers 0..=63, the largest of which is as large as it can be: 63 where the reference wrote them.
fn factor(values: [f32; 8]) -> Option<([u8; 2], [u8; 8])> {
    let largest = values.iter().fold(0.0_f32, |most, &v| if most.abs() < v.abs() { v } else { most });
    if largest == 0.0 {
        return Some(([0; 2], [0; 8]));
    }
    (1..=63).rev().find_map(|steps: u8| {
        let d = largest / f32::from(steps);
        let half = exact(d)?;
        let mut integers = [0; 8];
        for (integer, value) in integers.iter_mut().zip(values) {
            let steps = value / d;
            *integer = steps as u8;
            if f32::from(*integer) != steps || *integer > 63 || f32::from(*integer) * d != value {
                return None;
            }
        }
        Some((half, integers))
    })
}

/// `s_j` and `t_j` of j < 4 in the low bits of bytes j and j + 4; those of j >= 4 by their low halves in byte j + 4, high bits on top of bytes j - 4 and j.
fn six_bits(s: [u8; 8], t: [u8; 8], bytes: &mut [u8]) {
    for j in 0..4 {
        bytes[j] = s[j] | (s[j + 4] >> 4) << 6;
        bytes[j + 4] = t[j] | (t[j + 4] >> 4) << 6;
        bytes[j + 8] = s[j + 4] & 15 | (t[j + 4] & 15) << 4;
    }
}

fn from_six_bits(bytes: &[u8]) -> ([u8; 8], [u8; 8]) {
    let (mut s, mut t) = ([0; 8], [0; 8]);
    for j in 0..4 {
        (s[j], t[j]) = (bytes[j] & 63, bytes[j + 4] & 63);
        s[j + 4] = bytes[j + 8] & 15 | (bytes[j] >> 6) << 4;
        t[j + 4] = bytes[j + 8] >> 4 | (bytes[j + 4] >> 6) << 4;
    }
    (s, t)
}

/// Code j in the low, code j + half in the high half of byte j.
fn nibbles(codes: &[u8], bytes: &mut [u8]) {
    let (low, high) = codes.split_at(bytes.len());
    for ((byte, low), high) in bytes.iter_mut().zip(low).zip(high) {
        *byte = low & 15 | high << 4;
    }
}

fn from_nibbles(bytes: &[u8], codes: &mut [u8]) {
    let (low, high) = codes.split_at_mut(bytes.len());
    for ((byte, low), high) in bytes.iter().zip(low).zip(high) {
        (*low, *high) = (byte & 15, byte >> 4);
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
