//! Numbers of every type one by one, and broadcasting by index arithmetic on every element.

use super::Function;
use crate::dtype::DType;

/// An element as a number, exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Of a float.
    Float(f64),
    /// Of an integer or a bool.
    Integer(i128),
}

/// Bits of the exponent and of the fraction, bias, the largest finite pattern, and whether that of the negative zero is the NaN.
fn format(dtype: DType) -> (u32, u32, i32, u32, bool) {
    match dtype {
        DType::F16 => (5, 10, 15, 0x7bff, false),
        DType::Bf16 => (8, 7, 127, 0x7f7f, false),
        DType::F8E4M3Fn => (4, 3, 7, 0x7e, false),
        DType::F8E4M3Fnuz => (4, 3, 8, 0x7f, true),
        DType::F8E5M2 => (5, 2, 15, 0x7b, false),
        DType::F8E5M2Fnuz => (5, 2, 16, 0x7f, true),
        _ => panic!("{dtype:?} is no float of 8 or 16 bits"),
    }
}

/// What a pattern without its sign stands for, were it finite.
fn magnitude(dtype: DType, pattern: u32) -> f64 {
    let (_, fraction_bits, bias, ..) = format(dtype);
    let (exponent, fraction) = ((pattern >> fraction_bits) as i32, f64::from(pattern % (1 << fraction_bits)));
    let whole = f64::from(1 << fraction_bits);
    if exponent == 0 {
        fraction / whole * 2_f64.powi(1 - bias)
    } else {
        (1.0 + fraction / whole) * 2_f64.powi(exponent - bias)
    }
}

/// The first element of `bytes`.
#[must_use]
pub fn read(dtype: DType, bytes: &[u8]) -> Number {
    let mut wide = [0; 8];
    wide[..dtype.size()].copy_from_slice(&bytes[..dtype.size()]);
    let bits = u64::from_le_bytes(wide);
    Number::Integer(match dtype {
        DType::F32 => return Number::Float(f64::from(f32::from_bits(bits as u32))),
        DType::F64 => return Number::Float(f64::from_bits(bits)),
        DType::Bool => i128::from(bits != 0),
        DType::Int4 | DType::Int8 => i128::from(bits as i8),
        DType::Int16 => i128::from(bits as i16),
        DType::Int32 => i128::from(bits as i32),
        DType::Int64 => i128::from(bits as i64),
        DType::Uint4 | DType::Uint8 | DType::Uint16 | DType::Uint32 | DType::Uint64 => i128::from(bits),
        _ => {
            let (exponent_bits, fraction_bits, _, max, one_nan) = format(dtype);
            let sign = 1_u32 << (exponent_bits + fraction_bits);
            let (pattern, negative) = (bits as u32 & (sign - 1), bits as u32 & sign != 0);
            let value = if pattern > max {
                if dtype != DType::F8E4M3Fn && pattern == max + 1 { f64::INFINITY } else { f64::NAN }
            } else if one_nan && bits as u32 == sign {
                f64::NAN
            } else {
                magnitude(dtype, pattern)
            };
            return Number::Float(if negative { -value } else { value });
        }
    })
}

/// The element nearest to a float, or as an integer is stored.
#[must_use]
pub fn write(dtype: DType, number: Number) -> Vec<u8> {
    let size = dtype.size();
    let bits = match (number, dtype) {
        (Number::Float(v), DType::F32) => u64::from((v as f32).to_bits()),
        (Number::Float(v), DType::F64) => v.to_bits(),
        (Number::Float(v), DType::Bool) => u64::from(v != 0.0),
        (Number::Float(v), DType::Int4) => v.round_ties_even().clamp(-8.0, 7.0) as i64 as u64,
        (Number::Float(v), DType::Uint4) => v.round_ties_even().clamp(0.0, 15.0) as u64,
        (Number::Float(v), DType::Int8) => v as i8 as u64,
        (Number::Float(v), DType::Uint8) => u64::from(v as u8),
        (Number::Float(v), DType::Int16) => v as i16 as u64,
        (Number::Float(v), DType::Uint16) => u64::from(v as u16),
        (Number::Float(v), DType::Int32) => v as i32 as u64,
        (Number::Float(v), DType::Uint32) => u64::from(v as u32),
        (Number::Float(v), DType::Int64) => v as i64 as u64,
        (Number::Float(v), DType::Uint64) => v as u64,
        (Number::Float(v), _) => u64::from(small(dtype, v)),
        (Number::Integer(v), DType::F32) => u64::from((v as f32).to_bits()),
        (Number::Integer(v), DType::F64) => (v as f64).to_bits(),
        (Number::Integer(v), DType::Bool) => u64::from(v != 0),
        (Number::Integer(v), DType::Int4) => ((v as i8) << 4 >> 4) as u64,
        (Number::Integer(v), DType::Uint4) => v as u64 % 16,
        // f32 holds what rounds to a finite one of these, but for bf16, whose ties are exact in f64.
        (
            Number::Integer(v),
            DType::F16
            | DType::Bf16
            | DType::F8E4M3Fn
            | DType::F8E4M3Fnuz
            | DType::F8E5M2
            | DType::F8E5M2Fnuz,
        ) => u64::from(small(dtype, v as f64)),
        (Number::Integer(v), _) => v as u64,
    };
    bits.to_le_bytes()[..size].to_vec()
}

/// By bisection of the patterns, which ascend with what they stand for; those of 8 bits saturate.
fn small(dtype: DType, value: f64) -> u32 {
    let (exponent_bits, fraction_bits, _, max, one_nan) = format(dtype);
    let sign = 1_u32 << (exponent_bits + fraction_bits);
    if value.is_nan() {
        return match dtype {
            DType::F16 => 0x7e00,
            DType::Bf16 => 0x7fc0,
            _ if one_nan => 0x80,
            _ => 0x7f,
        };
    }
    // The first pattern above the value: [low, high) is where it may be.
    let (mut low, mut high) = (0, max + 2);
    while low < high {
        let middle = u32::midpoint(low, high);
        if magnitude(dtype, middle) <= value.abs() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let nearest = if low > max + 1 {
        max + 1
    } else {
        let low = low - 1;
        let middle = f64::midpoint(magnitude(dtype, low), magnitude(dtype, low + 1));
        low + u32::from(value.abs() > middle || value.abs() == middle && low % 2 == 1)
    };
    let pattern = if nearest > max && dtype.size() == 1 { max } else { nearest };
    if value.is_sign_negative() && !(one_nan && pattern == 0) { pattern | sign } else { pattern }
}

/// Offsets of three operands at every element of what they broadcast to; shapes are of one rank.
#[must_use]
pub fn offsets(shapes: [&[usize]; 3]) -> Vec<[usize; 3]> {
    let rank = shapes[0].len();
    let axis = |i: usize| shapes.iter().map(|shape| shape[i]).find(|size| *size != 1).unwrap_or(1);
    let sizes: Vec<usize> = (0..rank).map(axis).collect();
    let at = |shape: &[usize], index: &[usize]| {
        shape.iter().zip(index).fold(0, |sum, (&size, &i)| sum * size + if size == 1 { 0 } else { i })
    };
    (0..sizes.iter().product())
        .map(|mut flat: usize| {
            let mut index = vec![0; rank];
            for (i, &size) in index.iter_mut().zip(&sizes).rev() {
                *i = flat % size;
                flat /= size;
            }
            shapes.map(|shape| at(shape, &index))
        })
        .collect()
}

/// A function by its formula; floats through the standard library. `None` where it is not defined for such numbers.
#[must_use]
pub fn apply(function: Function, numbers: [Number; 3]) -> Option<Number> {
    if let [Number::Integer(a), Number::Integer(b), Number::Integer(c)] = numbers {
        return integer(function, a, b, c).map(Number::Integer);
    }
    let [a, b, c] = numbers.map(|number| match number {
        Number::Float(v) => v,
        Number::Integer(v) => v as f64,
    });
    float(function, a, b, c).map(Number::Float)
}

fn integer(function: Function, a: i128, b: i128, c: i128) -> Option<i128> {
    Some(match function {
        Function::Identity => a,
        Function::Neg => -a,
        Function::Abs => a.abs(),
        Function::Sign => a.signum(),
        Function::Not => i128::from(a == 0),
        Function::BitwiseNot => !a,
        Function::Add => a + b,
        Function::Sub => a - b,
        Function::Mul => a.wrapping_mul(b),
        Function::Div => a.checked_div(b).unwrap_or(0),
        Function::Mod if b == 0 => 0,
        Function::Mod => (a % b + b) % b,
        Function::Fmod => a.checked_rem(b).unwrap_or(0),
        Function::Pow if b >= 0 => (0..b).fold(1, |product: i128, _| product.wrapping_mul(a)),
        Function::Pow if a == 0 => 0,
        Function::Pow => (a as f64).powi(b as i32) as i128,
        Function::Min => a.min(b),
        Function::Max => a.max(b),
        Function::Equal => i128::from(a == b),
        Function::Less => i128::from(a < b),
        Function::LessOrEqual => i128::from(a <= b),
        Function::BitwiseAnd => a & b,
        Function::BitwiseOr => a | b,
        Function::BitwiseXor => a ^ b,
        Function::ShiftLeft if (0..64).contains(&b) => i128::from((a as u64) << b),
        Function::ShiftRight if (0..64).contains(&b) => i128::from(a as u64 >> b),
        Function::ShiftLeft | Function::ShiftRight => 0,
        Function::Where => {
            if a == 0 {
                c
            } else {
                b
            }
        }
        Function::Clip => a.max(b).min(c),
        Function::LeakyRelu => {
            if a < 0 {
                a.wrapping_mul(b)
            } else {
                a
            }
        }
        _ => return None,
    })
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn float(function: Function, a: f64, b: f64, c: f64) -> Option<f64> {
    let sigmoid = |a: f64| 1.0 / (1.0 + (-a).exp());
    let softplus = |a: f64| if a > 700.0 { a } else { a.exp().ln_1p() };
    Some(match function {
        Function::Identity => a,
        Function::Neg => -a,
        Function::Abs => a.abs(),
        Function::Sign => {
            if a > 0.0 {
                1.0
            } else if a < 0.0 {
                -1.0
            } else {
                0.0
            }
        }
        Function::Add => a + b,
        Function::Sub => a - b,
        Function::Mul => a * b,
        Function::Div => a / b,
        Function::Mod if a % b != 0.0 && (a % b < 0.0) != (b < 0.0) => a % b + b,
        Function::Mod | Function::Fmod => a % b,
        Function::Pow => a.powf(b),
        Function::Min => {
            if a.is_nan() || b.is_nan() {
                f64::NAN
            } else {
                a.min(b)
            }
        }
        Function::Max => {
            if a.is_nan() || b.is_nan() {
                f64::NAN
            } else {
                a.max(b)
            }
        }
        Function::Equal => f64::from(a == b),
        Function::Less => f64::from(a < b),
        Function::LessOrEqual => f64::from(a <= b),
        Function::Where => {
            if a == 0.0 {
                c
            } else {
                b
            }
        }
        Function::Clip if a.is_nan() => a,
        Function::Clip => a.max(b).min(c),
        Function::LeakyRelu => {
            if a < 0.0 {
                a * b
            } else {
                a
            }
        }
        Function::ThresholdedRelu => {
            if a > b {
                a
            } else {
                0.0
            }
        }
        Function::Elu => {
            if a > 0.0 {
                a * c
            } else {
                a.exp_m1() * b * c
            }
        }
        Function::Celu => {
            if a > 0.0 {
                a
            } else {
                (a / b).exp_m1() * b
            }
        }
        Function::HardSigmoid => (a * b + c).clamp(0.0, 1.0),
        Function::HardSwish => a * (a / 6.0 + 0.5).clamp(0.0, 1.0),
        Function::Sigmoid => sigmoid(a),
        Function::Softplus => softplus(a),
        Function::Softsign => a / (1.0 + a.abs()),
        Function::Mish => a * softplus(a).tanh(),
        Function::Shrink => {
            if a < -b {
                a + c
            } else if a > b {
                a - c
            } else {
                0.0
            }
        }
        Function::Sqrt => a.sqrt(),
        Function::Reciprocal => 1.0 / a,
        Function::Exp => a.exp(),
        Function::Log => a.ln(),
        Function::Floor => a.floor(),
        Function::Ceil => a.ceil(),
        Function::Round => a.round_ties_even(),
        Function::Sin => a.sin(),
        Function::Cos => a.cos(),
        Function::Tan => a.tan(),
        Function::Asin => a.asin(),
        Function::Acos => a.acos(),
        Function::Atan => a.atan(),
        Function::Sinh => a.sinh(),
        Function::Cosh => a.cosh(),
        Function::Tanh => a.tanh(),
        Function::Asinh => a.asinh(),
        Function::Acosh => a.acosh(),
        Function::Atanh => a.atanh(),
        Function::IsNan => f64::from(a.is_nan()),
        Function::IsInf => f64::from(a == f64::INFINITY && c != 0.0 || a == f64::NEG_INFINITY && b != 0.0),
        // Of integers alone, or, as the error function and GELU, not in the standard library.
        _ => return None,
    })
}
