//! The block types of GGUF files as llama.cpp's reference functions write them (ggml-quants.c, `quantize_row_*_ref`), bit for bit.
//!
//! Codes and scales are made in one pass ([`encode`]) and laid out as blocks in another ([`write()`], [`read`]), so that what is in between is an ordinary
//! quantized tensor: `w = (code - zero point) * scale`, for `Q4_K` `w = code * scale + offset`.
//!
//! **Numbers.** Every step is rounded to f32 in the order of the C source, no fused operation. Scales are numbers of f16, rounded to nearest, ties to even.
//! Where C has no defined result (a float beyond the integer type) codes are clamped to their range; the scale of such a block rounds to 0 or to infinity.

mod encode;
mod layout;
mod q4_k;

pub use encode::encode;
pub use layout::{read, write};

use crate::error::{Op, Result, What, check_range};

const OP: Op = Op::Quantize;

/// A type of block; the numbers are those of the WASM border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Kind {
    /// 4 bits, the weight of the largest magnitude at code 0.
    Q4_0 = 0,
    /// 8 bits, symmetric.
    Q8_0 = 1,
    /// Trits, five to a byte.
    Tq1_0 = 2,
    /// Trits, four to a byte.
    Tq2_0 = 3,
    /// 4 bits with a minimum, sub-blocks of 32 whose scales and minimums have 6 bits.
    Q4K = 4,
}

impl Kind {
    /// # Errors
    /// `Range` for another number.
    pub fn of(number: i32) -> Result<Self> {
        check_range(OP, What::Kind, 0, 4, i64::from(number))?;
        Ok([Self::Q4_0, Self::Q8_0, Self::Tq1_0, Self::Tq2_0, Self::Q4K][number as usize])
    }

    /// Weights of a block.
    pub const fn weights(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q8_0 => 32,
            Self::Tq1_0 | Self::Tq2_0 | Self::Q4K => 256,
        }
    }

    /// Weights that share a scale.
    pub const fn group(self) -> usize {
        match self {
            Self::Q4K => 32,
            _ => self.weights(),
        }
    }

    /// Bytes of a block.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Q4_0 => 18,
            Self::Q8_0 => 34,
            Self::Tq1_0 => 54,
            Self::Tq2_0 => 66,
            Self::Q4K => 144,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn bell(n: usize) -> Vec<f32> {
        let mut random = crate::quantize::Random::seeded(7);
        (0..n).map(|_| (0..12).map(|_| random.uniform32()).sum::<f64>() as f32 - 6.0).collect()
    }

    #[test]
    fn blocks_come_back() {
        for kind in (0..5).map(|number| Kind::of(number).unwrap()) {
            let x = bell(512);
            let groups = 512 / kind.group();
            let (mut codes, mut scales) = (vec![0; 512], vec![0.0; groups]);
            let mut offsets = vec![0.0; if kind == Kind::Q4K { groups } else { 0 }];
            encode(kind, 256, &x, &mut codes, &mut scales, &mut offsets).unwrap();
            let mut bytes = vec![0; 512 / kind.weights() * kind.bytes()];
            assert_eq!(write(kind, &codes, &scales, &offsets, &mut bytes), Ok(groups));
            let (mut read_codes, mut read_scales) = (vec![0; 512], vec![0.0; groups]);
            let mut read_offsets = vec![0.0; offsets.len()];
            read(kind, &bytes, &mut read_codes, &mut read_scales, &mut read_offsets).unwrap();
            assert_eq!((&codes, &scales, &offsets), (&read_codes, &read_scales, &read_offsets), "{kind:?}");
        }
    }

    #[test]
    fn scales_that_f16_does_not_hold_are_found() {
        let mut bytes = [0; 36];
        let (codes, scales) = ([8; 64], [0.5, 0.1]);
        assert_eq!(write(Kind::Q4_0, &codes, &scales, &[], &mut bytes), Ok(1));
        // 3/2 and 1 are no multiples of one number of f16 by integers up to 63, 1/3 being none.
        let mut scales = [1.0; 8];
        scales[5] = 1.0 / 3.0;
        assert_eq!(write(Kind::Q4K, &[0; 256], &scales, &[0.0; 8], &mut [0; 144]), Ok(0));
        assert_eq!(Kind::of(5).map_err(|error| error.code), Err(ErrorCode::Range));
        let short = write(Kind::Q4_0, &codes, &scales, &[], &mut bytes);
        assert_eq!(short.map_err(|error| error.what), Err(What::Groups));
    }
}
