//! Casts between element types.
//!
//! Float to integer truncates towards 0, saturates, and makes 0 of a NaN; integer to a narrower integer wraps; anything to bool is `x != 0`
//! (a NaN is true); to a float rounds once, to nearest, ties to even. Each cast goes through f32 (from floats) or int64 (from the rest),
//! 64 elements at a time; both steps together still round once, since f16 → f32 and every integer → int64 are exact, and an
//! integer that f32 would round is beyond f16.

use super::OP;
use crate::error::{KernelError, Result, What, check_shape, checked_area};

/// An element type as it lies in memory, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    /// 4 bytes
    F32,
    /// 2 bytes
    F16,
    /// 1 byte
    Int8,
    /// 1 byte
    Uint8,
    /// 4 bytes
    Int32,
    /// 8 bytes
    Int64,
    /// 1 byte, 0 or 1; any other value reads as 1
    Bool,
}

impl DType {
    /// By the number it has across the border.
    ///
    /// # Errors
    /// `Range` where there is none.
    pub fn from_number(number: i32) -> Result<Self> {
        let all = [Self::F32, Self::F16, Self::Int8, Self::Uint8, Self::Int32, Self::Int64, Self::Bool];
        let found = usize::try_from(number).ok().and_then(|i| all.get(i));
        found.copied().ok_or(KernelError::range(OP, What::Kind, all.len() - 1, number as usize))
    }

    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::F32 | Self::Int32 => 4,
            Self::F16 => 2,
            Self::Int8 | Self::Uint8 | Self::Bool => 1,
            Self::Int64 => 8,
        }
    }
}

/// Elements between two types at a time.
const BLOCK: usize = 64;

/// Converts every element of `x` (bytes of type `from`) into `y` (bytes of type `to`).
///
/// # Errors
/// `Shape` where the number of elements differs.
pub fn cast(x: &[u8], from: DType, y: &mut [u8], to: DType) -> Result<()> {
    let count = x.len() / from.size();
    check_shape(OP, What::Length, checked_area(OP, count, from.size())?, x.len())?;
    check_shape(OP, What::Length, checked_area(OP, count, to.size())?, y.len())?;
    let blocks = x.chunks(BLOCK * from.size()).zip(y.chunks_mut(BLOCK * to.size()));
    match from {
        DType::F32 | DType::F16 => {
            let mut values = [0.0; BLOCK];
            for (x, y) in blocks {
                if from == DType::F32 {
                    read(x, &mut values, f32::from_le_bytes);
                } else {
                    read(x, &mut values, |b| f16_to_f32(u16::from_le_bytes(b)));
                }
                write_floats(&values, y, to);
            }
        }
        _ => {
            let mut values = [0; BLOCK];
            for (x, y) in blocks {
                match from {
                    DType::Int8 => read(x, &mut values, |[b]| i64::from(b as i8)),
                    DType::Uint8 => read(x, &mut values, |[b]| i64::from(b)),
                    DType::Bool => read(x, &mut values, |[b]| i64::from(b != 0)),
                    DType::Int32 => read(x, &mut values, |b| i64::from(i32::from_le_bytes(b))),
                    _ => read(x, &mut values, i64::from_le_bytes),
                }
                write_integers(&values, y, to);
            }
        }
    }
    Ok(())
}

fn read<T, const N: usize>(x: &[u8], values: &mut [T], of: impl Fn([u8; N]) -> T) {
    for (value, bytes) in values.iter_mut().zip(x.as_chunks::<N>().0) {
        *value = of(*bytes);
    }
}

fn write<T: Copy, const N: usize>(values: &[T], y: &mut [u8], of: impl Fn(T) -> [u8; N]) {
    for (bytes, &value) in y.as_chunks_mut::<N>().0.iter_mut().zip(values) {
        *bytes = of(value);
    }
}

fn write_floats(values: &[f32], y: &mut [u8], to: DType) {
    match to {
        DType::F32 => write(values, y, f32::to_le_bytes),
        DType::F16 => write(values, y, |v| f32_to_f16(v).to_le_bytes()),
        DType::Int8 => write(values, y, |v| (v as i8).to_le_bytes()),
        DType::Uint8 => write(values, y, |v| [v as u8]),
        DType::Int32 => write(values, y, |v| (v as i32).to_le_bytes()),
        DType::Int64 => write(values, y, |v| (v as i64).to_le_bytes()),
        DType::Bool => write(values, y, |v| [u8::from(v != 0.0)]),
    }
}

fn write_integers(values: &[i64], y: &mut [u8], to: DType) {
    match to {
        DType::F32 => write(values, y, |v| (v as f32).to_le_bytes()),
        DType::F16 => write(values, y, |v| f32_to_f16(v as f32).to_le_bytes()),
        DType::Int8 | DType::Uint8 => write(values, y, |v| [v as u8]),
        DType::Int32 => write(values, y, |v| (v as i32).to_le_bytes()),
        DType::Int64 => write(values, y, i64::to_le_bytes),
        DType::Bool => write(values, y, |v| [u8::from(v != 0)]),
    }
}

/// Exact; a NaN becomes the canonical NaN of its sign.
pub(crate) fn f16_to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let (exponent, mantissa) = (u32::from(half >> 10 & 0x1f), u32::from(half & 0x3ff));
    match exponent {
        // Subnormal: mantissa * 2^-24, exact in f32.
        0 => f32::from_bits(sign | (mantissa as f32 * f32::from_bits(0x3380_0000)).to_bits()),
        0x1f if mantissa == 0 => f32::from_bits(sign | 0x7f80_0000),
        0x1f => f32::from_bits(sign | 0x7fc0_0000),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | mantissa << 13),
    }
}

/// To nearest, ties to even; beyond 65504 + half a step to infinity; a NaN becomes the canonical NaN of its sign.
pub(crate) fn f32_to_f16(value: f32) -> u16 {
    let bits = value.to_bits();
    let (sign, magnitude) = ((bits >> 16 & 0x8000) as u16, bits & 0x7fff_ffff);
    if magnitude > 0x7f80_0000 {
        return sign | 0x7e00;
    }
    // 65520 = 65504 + 16 and everything above.
    if magnitude >= 0x477f_f000 {
        return sign | 0x7c00;
    }
    // Below 2^-14: adding 0.5 leaves round_ties_even(value / 2^-24) in the low bits of the sum's mantissa.
    if magnitude < 0x3880_0000 {
        let sum = f32::from_bits(magnitude) + 0.5;
        return sign | (sum.to_bits() - 0x3f00_0000) as u16;
    }
    // Rebias the exponent and round the 13 bits that go: 0xfff + the lowest bit that stays carries exactly where it must.
    let rounded = magnitude - (112 << 23) + 0xfff + (magnitude >> 13 & 1);
    sign | (rounded >> 13) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_the_way_there_and_back() {
        for half in 0..=u16::MAX {
            let value = f16_to_f32(half);
            if value.is_nan() {
                assert!(f16_to_f32(f32_to_f16(value)).is_nan());
            } else {
                assert_eq!(f32_to_f16(value), half, "{value}");
            }
        }
    }

    /// Between two neighbouring halves the midpoint goes to the even one, and its neighbours to the nearer one.
    #[test]
    fn ties_go_to_even() {
        for half in 0..0x7bff_u16 {
            let (low, high) = (f16_to_f32(half), f16_to_f32(half + 1));
            let middle = f32::midpoint(low, high);
            assert_eq!(f32_to_f16(middle), half + (half & 1), "{middle}");
            assert_eq!(f32_to_f16(middle.next_down()), half);
            assert_eq!(f32_to_f16(middle.next_up()), half + 1);
        }
        assert_eq!(f32_to_f16(65519.99), 0x7bff);
        assert_eq!(f32_to_f16(65520.0), 0x7c00);
    }
}
