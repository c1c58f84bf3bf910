//! Blocks of 256 weights in sub-blocks, whose scales (and minimums) are integers of a few bits by a number of f16; and `Q8_K`.
//!
//! | type | bytes of a block |
//! |---|---|
//! | `Q2_K` | 16 bytes: `s_j` in the low, `t_j` in the high half of byte j; 64 bytes of codes as those of `TQ2_0`; d f16, m f16 |
//! | `Q3_K` | 32 bytes: bit 4 h + q of byte l is the third of code 128 h + 32 q + l; 64 bytes: its two lower bits as in `TQ2_0`; 12 bytes of `s_j` + 32: four low bits of j and j + 8 in byte j, two high bits of j, j + 4, j + 8 and j + 12 in byte 8 + j; d f16 |
//! | `Q4_K` | d f16, m f16; 12 bytes of 6-bit integers `s_0` .. `s_7`, `t_0` .. `t_7`; 128 bytes: of each quarter of 64 weights, code j in the low, code j + 32 in the high half of byte j |
//! | `Q5_K` | d f16, m f16; 12 bytes likewise; 32 bytes: bit i of byte l is the fifth of code 32 i + l; 128 bytes likewise |
//! | `Q6_K` | 128 bytes: of each half of 128 weights, four low bits of code j in the low, of code j + 64 in the high half of byte j; 64 bytes: two high bits as in `TQ2_0`; 16 int8 `s_j`; d f16 |
//! | `Q8_K` | d f32; 256 int8, code - 128; 16 int16, the sums of 16 of them each |
//! | `IQ4_XS` | d f16; 2 bytes: two high bits of `s_j` + 32, j = 0 lowest; 4 bytes: four low bits of j and j + 1 in the halves of byte j / 2; 128 bytes of nibbles, of each 32 weights as in `Q4_0` |
//!
//! `w = d s_j (code - zero point)`, `w = d s_j code - m t_j`, `w = d s_j level[code]`.

use super::Kind;
use super::layout::{exact, from_nibbles, from_quarters, half, nibbles, quarters};

pub(super) fn read(kind: Kind, bytes: &[u8], codes: &mut [u8], scales: &mut [f32], offsets: &mut [f32]) {
    match kind {
        Kind::Q2K => {
            let (d, m) = (half(bytes, 80), half(bytes, 82));
            for ((byte, scale), offset) in bytes.iter().zip(scales).zip(offsets) {
                (*scale, *offset) = (d * f32::from(byte & 15), -(m * f32::from(byte >> 4)));
            }
            from_quarters(&bytes[16..80], codes);
        }
        Kind::Q3K => {
            let d = half(bytes, 108);
            for (j, scale) in scales.iter_mut().enumerate() {
                let low = bytes[96 + j % 8] >> (j / 8 * 4) & 15;
                let high = bytes[104 + j % 4] >> (j / 4 * 2) & 3;
                *scale = d * (f32::from(high << 4 | low) - 32.0);
            }
            from_quarters(&bytes[32..96], codes);
            for (i, code) in codes.iter_mut().enumerate() {
                *code |= (bytes[i % 32] >> (i / 32) & 1) << 2;
            }
        }
        Kind::Q4K | Kind::Q5K => {
            let (d, m) = (half(bytes, 0), half(bytes, 2));
            let (s, t) = from_six_bits(&bytes[4..16]);
            for (j, (scale, offset)) in scales.iter_mut().zip(offsets).enumerate() {
                (*scale, *offset) = (d * f32::from(s[j]), -(m * f32::from(t[j])));
            }
            let from = if kind == Kind::Q4K { 16 } else { 48 };
            for (codes, bytes) in codes.chunks_exact_mut(64).zip(bytes[from..].chunks_exact(32)) {
                from_nibbles(bytes, codes);
            }
            if kind == Kind::Q5K {
                for (i, code) in codes.iter_mut().enumerate() {
                    *code |= (bytes[16 + i % 32] >> (i / 32) & 1) << 4;
                }
            }
        }
        Kind::Q6K => {
            let d = half(bytes, 208);
            for (scale, byte) in scales.iter_mut().zip(&bytes[192..208]) {
                *scale = d * f32::from(*byte as i8);
            }
            from_quarters(&bytes[128..192], codes);
            for (codes, bytes) in codes.chunks_exact_mut(128).zip(bytes[..128].chunks_exact(64)) {
                for (i, code) in codes.iter_mut().enumerate() {
                    *code = *code << 4 | bytes[i % 64] >> (i / 64 * 4) & 15;
                }
            }
        }
        Kind::Iq4Xs => {
            let d = half(bytes, 0);
            let high = u16::from_le_bytes([bytes[2], bytes[3]]);
            for (j, scale) in scales.iter_mut().enumerate() {
                let low = bytes[4 + j / 2] >> (j % 2 * 4) & 15;
                let integer = (high >> (2 * j) & 3) as u8 * 16 + low;
                *scale = d * (f32::from(integer) - 32.0);
            }
            for (codes, bytes) in codes.chunks_exact_mut(32).zip(bytes[8..].chunks_exact(16)) {
                from_nibbles(bytes, codes);
            }
        }
        _ => {
            scales[0] = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            for (code, byte) in codes.iter_mut().zip(&bytes[4..260]) {
                *code = byte.wrapping_add(128);
            }
        }
    }
}

/// None where scales or offsets are no multiples of a number of f16 by the type's integers.
pub(super) fn write(
    kind: Kind,
    codes: &[u8],
    scales: &[f32],
    offsets: &[f32],
    bytes: &mut [u8],
) -> Option<()> {
    match kind {
        Kind::Q2K => {
            let (d, s) = factor::<16>(scales, 0, 15)?;
            let (m, t) = factor::<16>(&negated::<16>(offsets), 0, 15)?;
            for (j, byte) in bytes[..16].iter_mut().enumerate() {
                *byte = s[j] as u8 | (t[j] as u8) << 4;
            }
            quarters(codes, &mut bytes[16..80]);
            bytes[80..82].copy_from_slice(&d);
            bytes[82..].copy_from_slice(&m);
        }
        Kind::Q3K => {
            let (d, s) = factor::<16>(scales, -32, 31)?;
            bytes.fill(0);
            for (j, s) in s.iter().enumerate() {
                let integer = (s + 32) as u8;
                bytes[96 + j % 8] |= (integer & 15) << (j / 8 * 4);
                bytes[104 + j % 4] |= (integer >> 4) << (j / 4 * 2);
            }
            quarters(codes, &mut bytes[32..96]);
            for (i, code) in codes.iter().enumerate() {
                bytes[i % 32] |= (code >> 2 & 1) << (i / 32);
            }
            bytes[108..].copy_from_slice(&d);
        }
        Kind::Q4K | Kind::Q5K => {
            let (d, s) = factor::<8>(scales, 0, 63)?;
            let (m, t) = factor::<8>(&negated::<8>(offsets), 0, 63)?;
            bytes[..2].copy_from_slice(&d);
            bytes[2..4].copy_from_slice(&m);
            six_bits(s.map(|s| s as u8), t.map(|t| t as u8), &mut bytes[4..16]);
            let from = if kind == Kind::Q4K { 16 } else { 48 };
            bytes[16..from].fill(0);
            for (codes, bytes) in codes.chunks_exact(64).zip(bytes[from..].chunks_exact_mut(32)) {
                nibbles(codes, bytes);
            }
            if kind == Kind::Q5K {
                for (i, code) in codes.iter().enumerate() {
                    bytes[16 + i % 32] |= (code >> 4 & 1) << (i / 32);
                }
            }
        }
        Kind::Q6K => {
            let (d, s) = factor::<16>(scales, -128, 127)?;
            let mut high = [0; 256];
            for (high, code) in high.iter_mut().zip(codes) {
                *high = code >> 4;
            }
            for (codes, bytes) in codes.chunks_exact(128).zip(bytes[..128].chunks_exact_mut(64)) {
                nibbles(codes, bytes);
            }
            quarters(&high, &mut bytes[128..192]);
            for (byte, s) in bytes[192..208].iter_mut().zip(s) {
                *byte = s as u8;
            }
            bytes[208..].copy_from_slice(&d);
        }
        Kind::Iq4Xs => {
            let (d, s) = factor::<8>(scales, -32, 31)?;
            let integers = s.map(|s| (s + 32) as u8);
            let high = (0..8).fold(0, |bits, j| bits | u16::from(integers[j] >> 4) << (2 * j));
            bytes[..2].copy_from_slice(&d);
            bytes[2..4].copy_from_slice(&high.to_le_bytes());
            for (byte, pair) in bytes[4..8].iter_mut().zip(integers.chunks_exact(2)) {
                *byte = pair[0] & 15 | (pair[1] & 15) << 4;
            }
            for (codes, bytes) in codes.chunks_exact(32).zip(bytes[8..].chunks_exact_mut(16)) {
                nibbles(codes, bytes);
            }
        }
        _ => {
            bytes[..4].copy_from_slice(&scales[0].to_le_bytes());
            for (byte, &code) in bytes[4..260].iter_mut().zip(codes) {
                *byte = code.wrapping_sub(128);
            }
            for (sum, codes) in bytes[260..].chunks_exact_mut(2).zip(codes.chunks_exact(16)) {
                let total: i16 = codes.iter().map(|&code| i16::from(code) - 128).sum();
                sum.copy_from_slice(&total.to_le_bytes());
            }
        }
    }
    Some(())
}

fn negated<const N: usize>(values: &[f32]) -> [f32; N] {
    core::array::from_fn(|j| -values[j])
}

/// `values` as a number of f16 by integers `least..=most`. That of the largest value is as large as it can be, at the negative end where there is one: where
/// the reference has it, so that its bytes come back.
fn factor<const N: usize>(values: &[f32], least: i32, most: i32) -> Option<([u8; 2], [i32; N])> {
    let largest =
        values.iter().fold(0.0_f32, |largest, &v| if largest.abs() < v.abs() { v } else { largest });
    if largest == 0.0 {
        return Some(([0; 2], [0; N]));
    }
    let by_magnitude = (1..=most.max(-least)).rev().flat_map(|steps| [-steps, steps]);
    by_magnitude.filter(|steps| (least..=most).contains(steps)).find_map(|steps| {
        let d = largest / steps as f32;
        let half = exact(d)?;
        let mut integers = [0; N];
        for (integer, &value) in integers.iter_mut().zip(values) {
            // Saturates; what is no integer of the range fails the comparison.
            *integer = ((value / d) as i32).clamp(least, most);
            if *integer as f32 * d != value {
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
