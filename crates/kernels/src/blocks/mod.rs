//! The block types of GGUF files as llama.cpp's reference functions write them (ggml-quants.c, `quantize_row_*_ref`), bit for bit.
//!
//! Codes and scales are made in one pass ([`encode`]) and laid out as blocks in another ([`write()`], [`read`]), so that what is in between is an ordinary
//! quantized tensor: `w = (code - zero point) * scale`, with a minimum `w = code * scale + offset`, with a table `w = level[code] * scale`. Zero points and tables
//! are in packages/core/src/quantize/blocks/layout.ts.
//!
//! **Numbers.** Every step is rounded to f32 in the order of the C source, no fused operation. Scales are numbers of f16, rounded to nearest, ties to even.
//! Where C has no defined result (a float beyond the integer type) codes are clamped to their range; the scale of such a block rounds to 0 or to infinity.

mod encode;
mod layout;
mod q4_k;
mod super_blocks;
mod widen;

pub use encode::encode;
pub use layout::{read, write};
pub use widen::{Stored, widen};

use crate::error::{Op, Result, What, check_range};

const OP: Op = Op::Quantize;

/// A type of block; the numbers are those of the WASM border. [`encode`] makes the first five, [`read`] and [`write()`] take all.
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
    /// 4 bits with a minimum.
    Q4_1 = 5,
    /// 5 bits around 16.
    Q5_0 = 6,
    /// 5 bits with a minimum.
    Q5_1 = 7,
    /// 2 bits with a minimum, sub-blocks of 16 whose scales and minimums have 4 bits.
    Q2K = 8,
    /// 3 bits around 4, sub-blocks of 16 whose scales have 6 bits.
    Q3K = 9,
    /// 5 bits with a minimum, sub-blocks as those of `Q4_K`.
    Q5K = 10,
    /// 6 bits around 32, sub-blocks of 16 whose scales have 8 bits.
    Q6K = 11,
    /// 8 bits under a scale of f32.
    Q8K = 12,
    /// 4 bits, levels of a table.
    Iq4Nl = 13,
    /// The same in sub-blocks of 32 whose scales have 6 bits.
    Iq4Xs = 14,
    /// 4-bit floats under a power of two.
    Mxfp4 = 15,
}

impl Kind {
    /// By number.
    pub const ALL: [Self; 16] = [
        Self::Q4_0,
        Self::Q8_0,
        Self::Tq1_0,
        Self::Tq2_0,
        Self::Q4K,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q2K,
        Self::Q3K,
        Self::Q5K,
        Self::Q6K,
        Self::Q8K,
        Self::Iq4Nl,
        Self::Iq4Xs,
        Self::Mxfp4,
    ];

    /// # Errors
    /// `Range` for another number.
    pub fn of(number: i32) -> Result<Self> {
        check_range(OP, What::Kind, 0, Self::ALL.len() as i64 - 1, i64::from(number))?;
        Ok(Self::ALL[number as usize])
    }

    /// Weights of a block.
    pub const fn weights(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q8_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Iq4Nl | Self::Mxfp4 => 32,
            _ => 256,
        }
    }

    /// Weights that share a scale.
    pub const fn group(self) -> usize {
        match self {
            Self::Q2K | Self::Q3K | Self::Q6K => 16,
            Self::Q4K | Self::Q5K | Self::Iq4Xs => 32,
            _ => self.weights(),
        }
    }

    /// Bytes of a block.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Q4_0 | Self::Iq4Nl => 18,
            Self::Q8_0 => 34,
            Self::Tq1_0 => 54,
            Self::Tq2_0 => 66,
            Self::Q4K => 144,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q2K => 84,
            Self::Q3K => 110,
            Self::Q5K => 176,
            Self::Q6K => 210,
            Self::Q8K => 292,
            Self::Iq4Xs => 136,
            Self::Mxfp4 => 17,
        }
    }

    /// Whether weights are `code * scale + offset`.
    pub const fn has_offsets(self) -> bool {
        matches!(self, Self::Q4K | Self::Q4_1 | Self::Q5_1 | Self::Q2K | Self::Q5K)
    }

    /// Codes that the type has.
    pub const fn codes(self) -> u32 {
        match self {
            Self::Tq1_0 => 3,
            Self::Tq2_0 | Self::Q2K => 4,
            Self::Q3K => 8,
            Self::Q5_0 | Self::Q5_1 | Self::Q5K => 32,
            Self::Q6K => 64,
            Self::Q8_0 | Self::Q8K => 256,
            _ => 16,
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
        for &kind in &Kind::ALL[..5] {
            let x = bell(512);
            let groups = 512 / kind.group();
            let (mut codes, mut scales) = (vec![0; 512], vec![0.0; groups]);
            let mut offsets = vec![0.0; if kind.has_offsets() { groups } else { 0 }];
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
    fn any_bytes_come_back_as_floats() {
        let mut random = crate::quantize::Random::seeded(11);
        for kind in Kind::ALL {
            let mut bytes: Vec<u8> =
                (0..8 * kind.bytes()).map(|_| (random.uniform32() * 256.0) as u8).collect();
            let groups = 8 * kind.weights() / kind.group();
            let read_all = |bytes: &[u8]| {
                let (mut codes, mut scales) = (vec![0; 8 * kind.weights()], vec![0.0; groups]);
                let mut offsets = vec![0.0; if kind.has_offsets() { groups } else { 0 }];
                read(kind, bytes, &mut codes, &mut scales, &mut offsets).unwrap();
                (codes, scales, offsets)
            };
            // Halves of which the highest exponent bit is clear are finite.
            for block in bytes.chunks_exact_mut(kind.bytes()) {
                for (at, byte) in block.iter_mut().enumerate() {
                    *byte &= if at < 4 || at + 4 >= kind.bytes() { 0x3f } else { 0xff };
                }
            }
            let read_once = read_all(&bytes);
            assert!(read_once.0.iter().all(|&code| u32::from(code) < kind.codes()), "{kind:?}");
            let mut again = vec![0; bytes.len()];
            assert_eq!(
                write(kind, &read_once.0, &read_once.1, &read_once.2, &mut again),
                Ok(groups),
                "{kind:?}"
            );
            assert_eq!(read_all(&again), read_once, "{kind:?}");
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
        // 1 and 33 are within 8 bits, not within 6.
        let mut scales = [1.0; 16];
        scales[3] = 33.0;
        assert_eq!(write(Kind::Q6K, &[0; 256], &scales, &[], &mut [0; 210]), Ok(16));
        assert_eq!(write(Kind::Q3K, &[0; 256], &scales, &[], &mut [0; 110]), Ok(0));
        assert_eq!(write(Kind::Mxfp4, &[0; 32], &[0.75], &[], &mut [0; 17]), Ok(0));
        assert_eq!(write(Kind::Q5_0, &[32; 32], &[1.0], &[], &mut [0; 22]), Ok(0));
        let encoded = encode(Kind::Q5_0, 32, &[1.0; 32], &mut [0; 32], &mut [0.0], &mut []);
        assert_eq!(encoded.map_err(|error| error.what), Err(What::Kind));
        assert_eq!(Kind::of(16).map_err(|error| error.code), Err(ErrorCode::Range));
        let short = write(Kind::Q4_0, &codes, &scales, &[], &mut bytes);
        assert_eq!(short.map_err(|error| error.what), Err(What::Groups));
    }
}
