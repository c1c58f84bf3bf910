//! Element types of the operators that take any, and blocks of them as the two types that they compute in.
//!
//! Floats are computed in f64 and integers in int64, and rounded or cut once, when they are stored. For f32, f16 and bf16 this gives of `+ - * /` and square roots what the type's
//! own arithmetic gives: 53 bits are at least twice its bits and two more (Figueroa 1995, "When is double rounding innocuous?").

use crate::error::{Op, Result, What, check_range};

/// Elements that are in working form at a time: what is called once a block is called, not copied to where it is called from.
pub(crate) const BLOCK: usize = 128;

macro_rules! dtypes {
    ($($(#[$doc:meta])* $name:ident $size:literal,)*) => {
        /// An element type as it lies in memory, little-endian. The order is the number across the border; the first seven are those of [`crate::transform::DType`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum DType { $($(#[$doc])* $name),* }

        /// Every type, by its number.
        pub const DTYPES: &[DType] = &[$(DType::$name),*];

        /// Bytes of one element, by the type's number.
        const SIZES: &[u8] = &[$($size),*];
    };
}
dtypes! {
    /// IEEE single precision.
    F32 4,
    /// IEEE half precision.
    F16 2,
    /// Two's complement, as all signed ones.
    Int8 1,
    /// As all unsigned ones.
    Uint8 1,
    /// 32 bits.
    Int32 4,
    /// 64 bits.
    Int64 8,
    /// A byte, 0 or 1; any other value reads as 1.
    Bool 1,
    /// IEEE double precision.
    F64 8,
    /// 16 bits.
    Int16 2,
    /// 16 bits.
    Uint16 2,
    /// 32 bits.
    Uint32 4,
    /// 64 bits.
    Uint64 8,
    /// The upper half of an f32.
    Bf16 2,
    /// -8..=7, a byte each.
    Int4 1,
    /// 0..=15, a byte each.
    Uint4 1,
    /// 4 bits of exponent, 3 of fraction, no infinity (OCP).
    F8E4M3Fn 1,
    /// The same without a negative zero, whose pattern is the one NaN.
    F8E4M3Fnuz 1,
    /// 5 bits of exponent, 2 of fraction, with infinity (OCP).
    F8E5M2 1,
    /// The same without infinity and negative zero, whose pattern is the one NaN.
    F8E5M2Fnuz 1,
}

impl DType {
    /// By the number it has across the border.
    ///
    /// # Errors
    /// `Range` where there is none.
    pub fn from_number(op: Op, number: i32) -> Result<Self> {
        check_range(op, What::Kind, 0, DTYPES.len() as i64 - 1, i64::from(number))?;
        Ok(DTYPES[number as usize])
    }

    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> usize {
        SIZES[self as usize] as usize
    }

    /// Whether it is computed in f64.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64) || self.minifloat().is_some()
    }

    /// The smallest and the largest value of an integer type; those of uint64 as the bits of an int64.
    pub(crate) const fn range(self) -> (i64, i64) {
        match self {
            Self::Int4 => (-8, 7),
            Self::Uint4 => (0, 15),
            Self::Int8 => (-128, 127),
            Self::Uint8 => (0, 255),
            Self::Int16 => (-0x8000, 0x7fff),
            Self::Uint16 => (0, 0xffff),
            Self::Int32 => (-0x8000_0000, 0x7fff_ffff),
            Self::Uint32 => (0, 0xffff_ffff),
            Self::Uint64 => (0, -1),
            Self::Bool => (0, 1),
            _ => (i64::MIN, i64::MAX),
        }
    }

    const fn minifloat(self) -> Option<Minifloat> {
        let (exponent, fraction, bias, max, over, nan) = match self {
            Self::F16 => (5, 10, 15, 0x7bff, 0x7c00, 0x7e00),
            Self::Bf16 => (8, 7, 127, 0x7f7f, 0x7f80, 0x7fc0),
            Self::F8E4M3Fn => (4, 3, 7, 0x7e, 0x7f, 0x7f),
            Self::F8E4M3Fnuz => (4, 3, 8, 0x7f, 0x80, 0x80),
            Self::F8E5M2 => (5, 2, 15, 0x7b, 0x7c, 0x7f),
            Self::F8E5M2Fnuz => (5, 2, 16, 0x7f, 0x80, 0x80),
            _ => return None,
        };
        Some(Minifloat { sign: 1 << (exponent + fraction), fraction, bias, max, over, nan })
    }
}

/// A float of 16 or 8 bits.
#[derive(Clone, Copy)]
struct Minifloat {
    /// The sign's bit.
    sign: i64,
    /// Bits of the fraction.
    fraction: i64,
    bias: i64,
    /// Pattern of the largest finite value.
    max: i64,
    /// Pattern of what is beyond it.
    over: i64,
    nan: i64,
}

/// 2^`exponent`, of -1022..=1023.
fn power(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

impl Minifloat {
    fn decode(self, bits: i64) -> f64 {
        let magnitude = bits & (self.sign - 1);
        if bits == self.nan || magnitude > self.max {
            let infinite = magnitude == self.over && self.over != self.nan;
            return if !infinite {
                f64::NAN
            } else if bits & self.sign != 0 {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            };
        }
        let fraction = magnitude & ((1 << self.fraction) - 1);
        let exponent = magnitude >> self.fraction;
        let steps = if exponent == 0 { fraction } else { fraction + (1 << self.fraction) };
        let value = steps as f64 * power(exponent.max(1) - self.bias - self.fraction);
        if bits & self.sign == 0 { value } else { -value }
    }

    /// To nearest, ties to even; beyond the largest to it where `saturate`, else to infinity, or NaN where there is none.
    fn encode(self, value: f64, saturate: bool) -> i64 {
        let magnitude = value.abs();
        // Of the value's last place here: that of a normal number, or of the subnormal ones.
        let exponent = ((magnitude.to_bits() >> 52) as i64 - 1023).max(1 - self.bias);
        let steps = (magnitude * power(self.fraction - exponent)).round_ties_even() as i64;
        // A carry out of the fraction is one into the exponent.
        let pattern = steps.saturating_add((exponent + self.bias - 1) << self.fraction);
        let pattern = match (value.is_nan(), pattern > self.max) {
            (true, _) => self.nan,
            (_, true) if saturate => self.max,
            (_, true) => self.over,
            _ => pattern,
        };
        let sign = if value.is_sign_negative() { self.sign } else { 0 };
        // What has no negative zero has one NaN.
        if self.nan == self.sign && pattern & (self.sign - 1) == 0 { pattern } else { pattern | sign }
    }
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

/// f32, or bool as 0 and 1.
#[inline(never)]
pub(crate) fn load_singles(x: &[u8], dtype: DType, values: &mut [f32]) {
    if dtype == DType::F32 {
        read(x, values, f32::from_le_bytes);
    } else {
        read(x, values, |[byte]| f32::from(byte != 0));
    }
}

/// f32, or bool as 0 and 1.
#[inline(never)]
pub(crate) fn store_singles(values: &[f32], dtype: DType, y: &mut [u8]) {
    if dtype == DType::F32 {
        write(values, y, f32::to_le_bytes);
    } else {
        write(values, y, |value| [u8::from(value != 0.0)]);
    }
}

/// Integers as they are, uint64 and floats by their bits.
#[inline(never)]
pub(crate) fn load_integers(x: &[u8], dtype: DType, values: &mut [i64]) {
    match (dtype.size(), dtype) {
        (_, DType::Int8 | DType::Int4) => read(x, values, |b| i64::from(i8::from_le_bytes(b))),
        (_, DType::Bool) => read(x, values, |[b]| i64::from(b != 0)),
        (1, _) => read(x, values, |[b]| i64::from(b)),
        (_, DType::Int16) => read(x, values, |b| i64::from(i16::from_le_bytes(b))),
        (2, _) => read(x, values, |b| i64::from(u16::from_le_bytes(b))),
        (_, DType::Int32) => read(x, values, |b| i64::from(i32::from_le_bytes(b))),
        (4, _) => read(x, values, |b| i64::from(u32::from_le_bytes(b))),
        _ => read(x, values, i64::from_le_bytes),
    }
}

/// Of any type; integers are rounded to nearest where they are beyond 2^53.
#[inline(never)]
pub(crate) fn load_floats(x: &[u8], dtype: DType, values: &mut [f64]) {
    match dtype {
        DType::F32 => read(x, values, |b| f64::from(f32::from_le_bytes(b))),
        DType::F64 => read(x, values, f64::from_le_bytes),
        _ => {
            let mut bits = [0; BLOCK];
            load_integers(x, dtype, &mut bits);
            let format = dtype.minifloat();
            for (value, bits) in values.iter_mut().zip(bits) {
                *value = match format {
                    Some(format) => format.decode(bits),
                    None if dtype == DType::Uint64 => bits as u64 as f64,
                    None => bits as f64,
                };
            }
        }
    }
}

/// Into any type. Integers narrower than the value keep its low bits, bool is `value != 0`, floats round once.
#[inline(never)]
pub(crate) fn store_integers(values: &[i64], unsigned: bool, dtype: DType, y: &mut [u8]) {
    match (dtype.size(), dtype) {
        _ if dtype.is_float() => {
            let mut floats = [0.0; BLOCK];
            for (float, &value) in floats.iter_mut().zip(values) {
                *float = to_float(value, unsigned, dtype == DType::F64);
            }
            store_floats(&floats[..values.len()], dtype, true, y);
        }
        (_, DType::Bool) => write(values, y, |value| [u8::from(value != 0)]),
        (_, DType::Int4) => write(values, y, |value| [((value << 4) as i8 >> 4) as u8]),
        (_, DType::Uint4) => write(values, y, |value| [value as u8 & 15]),
        (1, _) => write(values, y, |value| [value as u8]),
        (2, _) => write(values, y, |value| (value as u16).to_le_bytes()),
        (4, _) => write(values, y, |value| (value as u32).to_le_bytes()),
        _ => write(values, y, i64::to_le_bytes),
    }
}

/// The nearest f64, or, of which a narrower float is made, that of the 53 bits whose last one says whether more were set ("round to odd"): rounding it again gives what one rounding gives.
fn to_float(value: i64, unsigned: bool, nearest: bool) -> f64 {
    let (negative, magnitude) =
        if unsigned { (false, value as u64) } else { (value < 0, value.unsigned_abs()) };
    let cut = if nearest || magnitude < 1 << 53 {
        magnitude
    } else {
        magnitude & !0x7ff | u64::from(magnitude & 0x7ff != 0) << 11
    };
    if negative { -(cut as f64) } else { cut as f64 }
}

/// Into any type. Integers are cut towards 0 (4-bit ones rounded to nearest, ties to even), saturate, and are 0 for a NaN; bool is `value != 0`; floats round once, those of 8 bits saturating where
/// `saturate`.
#[inline(never)]
pub(crate) fn store_floats(values: &[f64], dtype: DType, saturate: bool, y: &mut [u8]) {
    match dtype {
        DType::F32 => write(values, y, |value| (value as f32).to_le_bytes()),
        DType::F64 => write(values, y, f64::to_le_bytes),
        _ => {
            let mut bits = [0; BLOCK];
            let (low, high) = dtype.range();
            let format = dtype.minifloat();
            for (bits, &value) in bits.iter_mut().zip(values) {
                *bits = match (format, dtype) {
                    (Some(format), _) => format.encode(value, saturate && dtype.size() == 1),
                    (_, DType::Bool) => i64::from(value != 0.0),
                    (_, DType::Uint64) => value as u64 as i64,
                    (_, DType::Int4 | DType::Uint4) => (value.round_ties_even() as i64).clamp(low, high),
                    _ => (value as i64).clamp(low, high),
                };
            }
            let bits = &bits[..values.len()];
            // The patterns of floats are stored as the integers they are.
            let stored = match dtype.size() {
                _ if format.is_none() => dtype,
                1 => DType::Uint8,
                _ => DType::Uint16,
            };
            store_integers(bits, false, stored, y);
        }
    }
}

/// Integers in the order of the values: NaN above all, -0 equal to 0.
#[inline(never)]
pub(crate) fn load_keys(x: &[u8], dtype: DType, keys: &mut [i64]) {
    if dtype.is_float() {
        let mut values = [0.0; BLOCK];
        load_floats(x, dtype, &mut values[..keys.len()]);
        for (key, value) in keys.iter_mut().zip(values) {
            let bits = (value + 0.0).to_bits() as i64;
            *key = if value.is_nan() { i64::MAX } else { bits ^ (bits >> 63) & i64::MAX };
        }
    } else {
        load_integers(x, dtype, keys);
        if dtype == DType::Uint64 {
            for key in keys {
                *key ^= i64::MIN;
            }
        }
    }
}
