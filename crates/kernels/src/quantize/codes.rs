//! Codes themselves: signs, bounds, bits.

use super::OP;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::layout::{code_at, code_row_bytes};

/// 1 where x < 0, else 0: -0 counts as positive.
///
/// # Errors
/// `Shape` where the lengths differ.
pub fn signs(x: &[f32], codes: &mut [u8]) -> Result<()> {
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    for (x, code) in x.iter().zip(codes) {
        *code = u8::from(*x < 0.0);
    }
    Ok(())
}

/// Position of the first NaN or infinity; the length where there is none.
#[must_use]
pub fn first_not_finite(x: &[f32]) -> usize {
    x.iter().position(|x| !x.is_finite()).unwrap_or(x.len())
}

/// Position of the first code that is not below `levels`; the length where there is none.
#[must_use]
pub fn first_beyond(codes: &[u8], levels: usize) -> usize {
    codes.iter().position(|&code| usize::from(code) >= levels).unwrap_or(codes.len())
}

/// `codes [count, n]` to `y [n, count]`: codes of several codebooks side by side.
///
/// # Errors
/// `Shape` where the lengths differ or `count` does not divide them.
pub fn interleave(codes: &[u8], count: usize, y: &mut [u8]) -> Result<()> {
    check_range(OP, What::Codebook, 1, i64::MAX, count as i64)?;
    check_shape(OP, What::Codes, codes.len(), y.len())?;
    check_shape(OP, What::Codes, 0, codes.len() % count)?;
    for (i, y) in y.chunks_exact_mut(count).enumerate() {
        for (y, &code) in y.iter_mut().zip(codes[i..].iter().step_by(codes.len() / count)) {
            *y = code;
        }
    }
    Ok(())
}

/// `codes [rows, per_row]` to `packed [rows, ceil(per_row * bits / 8)]`, least significant bit first, spare bits 0; only the lowest `bits` of a code are kept.
///
/// # Errors
/// `Range` where bits is not 1..=8, `Shape` where a slice does not have its length.
pub fn pack(codes: &[u8], rows: usize, per_row: usize, bits: usize, packed: &mut [u8]) -> Result<()> {
    let bytes = check(codes.len(), rows, per_row, bits, packed.len())?;
    if bytes == 0 {
        return Ok(());
    }
    let mask = u8::MAX >> (8 - bits);
    for (codes, packed) in codes.chunks_exact(per_row).zip(packed.chunks_exact_mut(bytes)) {
        // Bits that no byte has yet, and their number.
        let (mut pending, mut held) = (0_u32, 0);
        let mut packed = packed.iter_mut();
        for code in codes {
            pending |= u32::from(code & mask) << held;
            held += bits;
            if held >= 8 {
                if let Some(byte) = packed.next() {
                    *byte = pending as u8;
                }
                pending >>= 8;
                held -= 8;
            }
        }
        if let Some(byte) = packed.next() {
            *byte = pending as u8;
        }
    }
    Ok(())
}

/// The way back.
///
/// # Errors
/// As [`pack`].
pub fn unpack(packed: &[u8], rows: usize, per_row: usize, bits: usize, codes: &mut [u8]) -> Result<()> {
    let bytes = check(codes.len(), rows, per_row, bits, packed.len())?;
    if bytes == 0 {
        return Ok(());
    }
    for (packed, codes) in packed.chunks_exact(bytes).zip(codes.chunks_exact_mut(per_row)) {
        for (k, code) in codes.iter_mut().enumerate() {
            *code = code_at(packed, bits, k);
        }
    }
    Ok(())
}

/// Bytes of a row of codes.
fn check(codes: usize, rows: usize, per_row: usize, bits: usize, packed: usize) -> Result<usize> {
    check_range(OP, What::Bits, 1, 8, bits as i64)?;
    checked_area(OP, per_row, bits)?;
    let bytes = code_row_bytes(per_row, bits);
    check_shape(OP, What::Codes, checked_area(OP, rows, per_row)?, codes)?;
    check_shape(OP, What::Bytes, checked_area(OP, rows, bytes)?, packed)?;
    Ok(bytes)
}
