//! Stochastic rounding to a grid, which ternary, uniform and twice sampled numbers share, and trits.

use super::OP;
use crate::error::{Result, What, check_range, check_shape};
use crate::quantize::Grouping;
use crate::quantize::Random;

/// `code = clamp(floor(x / scale[g] + zero + u), 0, max_code)` with u uniform in [0, 1) and the sum in f64: of expectation `x / scale + zero` where that is in
/// range. A scale of
/// 0 stands for a group of zeros.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where the highest code is beyond a byte.
pub fn random_codes(
    grouping: &Grouping,
    x: &[f32],
    scale: &[f32],
    zero: f32,
    max_code: i32,
    seed: u32,
    codes: &mut [u8],
) -> Result<()> {
    grouping.check(x.len(), &[scale.len()])?;
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    check_range(OP, What::Code, 0, 255, i64::from(max_code))?;
    let (mut random, zero) = (Random::seeded(seed), f64::from(zero));
    for ((x, codes), &scale) in grouping.split(x).zip(grouping.split_mut(codes)).zip(scale) {
        let scale = if scale == 0.0 { f64::INFINITY } else { f64::from(scale) };
        for (&x, code) in x.iter().zip(codes) {
            let drawn = (f64::from(x) / scale + zero + random.uniform32()).floor();
            *code = (drawn as i32).clamp(0, max_code) as u8;
        }
    }
    Ok(())
}

/// Trits 0..=2, five to a byte, the first one the lowest digit; the last byte is filled with zeros.
///
/// # Errors
/// `Shape` where the bytes are not a fifth of the trits, rounded up.
pub fn pack_trits(trits: &[u8], bytes: &mut [u8]) -> Result<()> {
    check_shape(OP, What::Bytes, trits.len().div_ceil(5), bytes.len())?;
    for (byte, trits) in bytes.iter_mut().zip(trits.chunks(5)) {
        *byte = trits.iter().rev().fold(0, |all, trit| all * 3 + trit);
    }
    Ok(())
}

/// Back to trits. Returns the position of the first byte that is none of [`pack_trits`]': their number where all are.
///
/// # Errors
/// As [`pack_trits`].
pub fn unpack_trits(bytes: &[u8], trits: &mut [u8]) -> Result<usize> {
    check_shape(OP, What::Bytes, trits.len().div_ceil(5), bytes.len())?;
    for (position, (&byte, trits)) in bytes.iter().zip(trits.chunks_mut(5)).enumerate() {
        let mut rest = byte;
        for trit in trits {
            (*trit, rest) = (rest % 3, rest / 3);
        }
        if rest != 0 {
            return Ok(position);
        }
    }
    Ok(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_a_neighbour_and_right_on_average() {
        let x = vec![0.3_f32; 40_000];
        let mut codes = vec![0; 40_000];
        let grouping = Grouping::new(1, x.len(), x.len()).unwrap();
        random_codes(&grouping, &x, &[0.5], 1.0, 2, 3, &mut codes).unwrap();
        assert!(codes.iter().all(|code| (1..=2).contains(code)));
        let mean = codes.iter().map(|&code| f64::from(code)).sum::<f64>() / 40_000.0;
        // Six standard errors of a coin of 0.6.
        assert!((mean - 1.6).abs() < 6.0 * (0.24_f64 / 40_000.0).sqrt(), "{mean}");
    }

    #[test]
    fn trits_come_back_and_bad_bytes_are_found() {
        let trits: Vec<u8> = (0..13).map(|i| (i * 7 % 5 % 3) as u8).collect();
        let (mut bytes, mut back) = ([0; 3], [9; 13]);
        pack_trits(&trits, &mut bytes).unwrap();
        assert_eq!(unpack_trits(&bytes, &mut back), Ok(3));
        assert_eq!(trits, back);
        bytes[1] = 243;
        assert_eq!(unpack_trits(&bytes, &mut back), Ok(1));
        // Three trits leave no room for 27.
        bytes = [0, 0, 27];
        assert_eq!(unpack_trits(&bytes, &mut back), Ok(2));
    }
}
