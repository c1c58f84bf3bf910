//! Floats of other widths to f32, as safetensors and GGUF files store them: little-endian, at any address.

use super::OP;
use crate::error::{Result, What, check_range, check_shape};
use crate::transform::f16_to_f32;

/// An element type; the numbers are those of the WASM border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Stored {
    /// IEEE half precision.
    F16 = 0,
    /// The upper half of an f32.
    Bf16 = 1,
    /// 4 bits of exponent (bias 7), 3 of fraction; no infinities, only all ones are NaN.
    E4m3 = 2,
    /// The upper half of an f16.
    E5m2 = 3,
    /// Double precision; rounded to nearest, ties to even.
    F64 = 4,
}

impl Stored {
    /// # Errors
    /// `Range` for another number.
    pub fn of(number: i32) -> Result<Self> {
        check_range(OP, What::Kind, 0, 4, i64::from(number))?;
        Ok([Self::F16, Self::Bf16, Self::E4m3, Self::E5m2, Self::F64][number as usize])
    }

    /// Bytes of an element.
    pub const fn bytes(self) -> usize {
        match self {
            Self::E4m3 | Self::E5m2 => 1,
            Self::F16 | Self::Bf16 => 2,
            Self::F64 => 8,
        }
    }
}

/// Each element as f32; exact but for `F64`.
///
/// # Errors
/// `Shape` where the bytes are not those of as many elements as `y` has.
pub fn widen(stored: Stored, bytes: &[u8], y: &mut [f32]) -> Result<()> {
    check_shape(OP, What::Bytes, y.len() * stored.bytes(), bytes.len())?;
    match stored {
        Stored::F16 => each(bytes, y, |b| f16_to_f32(u16::from_le_bytes(b))),
        Stored::Bf16 => each(bytes, y, |[low, high]| f32::from_le_bytes([0, 0, low, high])),
        Stored::E4m3 => each(bytes, y, |[b]| e4m3(b)),
        Stored::E5m2 => each(bytes, y, |[b]| f16_to_f32(u16::from_le_bytes([0, b]))),
        Stored::F64 => each(bytes, y, |b| f64::from_le_bytes(b) as f32),
    }
    Ok(())
}

fn each<const N: usize>(bytes: &[u8], y: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    for (bytes, y) in bytes.as_chunks::<N>().0.iter().zip(y) {
        *y = value(*bytes);
    }
}

fn e4m3(byte: u8) -> f32 {
    let (exponent, fraction) = (byte >> 3 & 15, byte & 7);
    let magnitude = match (exponent, fraction) {
        (15, 7) => f32::NAN,
        // 2^-9 is the step of the smallest.
        (0, _) => f32::from(fraction) / 512.0,
        _ => f32::from_bits((u32::from(exponent) + 120) << 23 | u32::from(fraction) << 20),
    };
    if byte > 127 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened(stored: Stored, bytes: &[u8]) -> Vec<f32> {
        let mut y = vec![0.0; bytes.len() / stored.bytes()];
        widen(stored, bytes, &mut y).unwrap();
        y
    }

    #[test]
    fn known_numbers() {
        assert_eq!(widened(Stored::F16, &[0x00, 0x3c, 0x01, 0x00]), [1.0, 2.0_f32.powi(-24)]);
        assert_eq!(widened(Stored::Bf16, &[0x80, 0x3f, 0x01, 0x80]), [1.0, -2.0_f32.powi(-133)]);
        assert_eq!(
            widened(Stored::E4m3, &[0x38, 0x01, 0x07, 0x08, 0x7e, 0xfe, 0x80]),
            [1.0, 2.0_f32.powi(-9), 7.0 / 512.0, 2.0_f32.powi(-6), 448.0, -448.0, 0.0]
        );
        assert!(widened(Stored::E4m3, &[0x7f, 0xff]).iter().all(|v| v.is_nan()));
        assert_eq!(
            widened(Stored::E5m2, &[0x3c, 0x01, 0x7b, 0xfc]),
            [1.0, 2.0_f32.powi(-16), 57344.0, f32::NEG_INFINITY]
        );
        assert_eq!(widened(Stored::F64, &0.1_f64.to_le_bytes()), [0.1]);
    }

    #[test]
    fn lengths_are_checked() {
        assert!(widen(Stored::F16, &[0; 3], &mut [0.0]).is_err());
        assert!(Stored::of(5).is_err());
        assert_eq!((0..5).map(|n| Stored::of(n).unwrap().bytes()).collect::<Vec<_>>(), [2, 2, 1, 1, 8]);
    }
}
