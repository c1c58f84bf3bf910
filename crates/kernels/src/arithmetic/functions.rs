//! The functions, of three numbers each: floats as f64, integers as int64 (uint64 as its bits), and those of f32 that are worth vectors as loops over blocks.

use core::f64::consts::FRAC_1_SQRT_2;
use libm::{erf, erfc, exp, expm1, log1p, tanh};

/// Of f64.
pub(super) type Float = fn(f64, f64, f64) -> f64;
/// Of int64.
pub(super) type Integer = fn(i64, i64, i64) -> i64;
/// Of blocks of f32.
pub(super) type Single = fn([&[f32]; 3], &mut [f32]);

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $float:expr, $integer:expr, $unsigned:expr;)*) => {
        /// A function of a, b and c. The order is the number across the border.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Function { $($(#[$doc])* $name),* }

        /// Every function, by its number.
        pub const FUNCTIONS: &[Function] = &[$(Function::$name),*];

        impl Function {
            /// Of floats; `None` where there is none.
            pub(super) fn float(self) -> Option<Float> {
                match self { $(Self::$name => $float),* }
            }

            /// Of integers that int64 holds.
            pub(super) fn integer(self) -> Option<Integer> {
                match self { $(Self::$name => $integer),* }
            }

            /// Of uint64; `None` where that of signed integers gives the same bits.
            pub(super) fn unsigned(self) -> Option<Integer> {
                match self { $(Self::$name => $unsigned),* }
            }
        }
    };
}

functions! {
    /// a, which a conversion of types is.
    Identity: Some(|a, _, _| a), Some(|a, _, _| a), None;
    /// -a
    Neg: Some(|a, _, _| -a), Some(|a, _, _| a.wrapping_neg()), None;
    /// |a|
    Abs: Some(|a, _, _| a.abs()), Some(|a, _, _| a.wrapping_abs()), Some(|a, _, _| a);
    /// -1, 0 or 1; 0 for a NaN.
    Sign: Some(|a, _, _| truth(a > 0.0) - truth(a < 0.0)), Some(|a, _, _| a.signum()), Some(|a, _, _| i64::from(a != 0));
    /// a == 0
    Not: None, Some(|a, _, _| i64::from(a == 0)), None;
    /// Every bit of a.
    BitwiseNot: None, Some(|a, _, _| !a), None;
    /// a + b; integers wrap, also below.
    Add: Some(|a, b, _| a + b), Some(|a, b, _| a.wrapping_add(b)), None;
    /// a - b
    Sub: Some(|a, b, _| a - b), Some(|a, b, _| a.wrapping_sub(b)), None;
    /// a * b
    Mul: Some(|a, b, _| a * b), Some(|a, b, _| a.wrapping_mul(b)), None;
    /// a / b; integers towards 0, and 0 where b is 0.
    Div: Some(|a, b, _| a / b), Some(|a, b, _| if b == 0 { 0 } else { a.wrapping_div(b) }),
        Some(|a, b, _| (a as u64).checked_div(b as u64).unwrap_or(0) as i64);
    /// a - b * floor(a / b), of the sign of b; integers 0 where b is 0.
    Mod: Some(floored), Some(|a, b, _| if b == 0 { 0 } else { floored_integer(a, b) }), Some(remainder_unsigned);
    /// a - b * trunc(a / b), of the sign of a; integers 0 where b is 0.
    Fmod: Some(|a, b, _| libm::fmod(a, b)), Some(|a, b, _| if b == 0 { 0 } else { a.wrapping_rem(b) }), Some(remainder_unsigned);
    /// a to the b; integers wrap, and to a negative b are the quotient cut towards 0 (0 where a is 0).
    Pow: Some(|a, b, _| libm::pow(a, b)), Some(integer_power), Some(|a, b, _| power(a, b as u64));
    /// The smaller one; NaN where one is; of zeros b.
    Min: Some(|a, b, _| if a < b || a.is_nan() { a } else { b }), Some(|a, b, _| a.min(b)),
        Some(|a, b, _| (a as u64).min(b as u64) as i64);
    /// The larger one; NaN where one is; of zeros b.
    Max: Some(|a, b, _| if a > b || a.is_nan() { a } else { b }), Some(|a, b, _| a.max(b)),
        Some(|a, b, _| (a as u64).max(b as u64) as i64);
    /// a == b
    Equal: Some(|a, b, _| truth(a == b)), Some(|a, b, _| i64::from(a == b)), None;
    /// a < b
    Less: Some(|a, b, _| truth(a < b)), Some(|a, b, _| i64::from(a < b)), Some(|a, b, _| i64::from((a as u64) < b as u64));
    /// a <= b
    LessOrEqual: Some(|a, b, _| truth(a <= b)), Some(|a, b, _| i64::from(a <= b)),
        Some(|a, b, _| i64::from(a as u64 <= b as u64));
    /// The bits of both; of bools "and".
    BitwiseAnd: None, Some(|a, b, _| a & b), None;
    /// The bits of either.
    BitwiseOr: None, Some(|a, b, _| a | b), None;
    /// The bits in which they differ.
    BitwiseXor: None, Some(|a, b, _| a ^ b), None;
    /// a * 2^b of unsigned integers, 0 from the type's bits on.
    ShiftLeft: None, Some(|a, b, _| shift(b).map_or(0, |b| a << b)), None;
    /// a / 2^b of unsigned integers, cut.
    ShiftRight: None, Some(|a, b, _| shift(b).map_or(0, |b| (a as u64 >> b) as i64)), None;
    /// b where a is true, else c.
    Where: Some(|a, b, c| if a == 0.0 { c } else { b }), Some(|a, b, c| if a == 0 { c } else { b }), None;
    /// min(max(a, b), c): c where b is above it; a NaN stays, and -0 passes a bound of 0.
    Clip: Some(clip), Some(|a, b, c| a.max(b).min(c)), Some(|a, b, c| (a as u64).max(b as u64).min(c as u64) as i64);
    /// a < 0 ? a * b : a
    LeakyRelu: Some(leaky_relu), Some(|a, b, _| if a < 0 { a.wrapping_mul(b) } else { a }), Some(|a, _, _| a);
    /// a > b ? a : 0
    ThresholdedRelu: Some(|a, b, _| if a > b { a } else { 0.0 }), None, None;
    /// c * (a > 0 ? a : b * (exp(a) - 1)): ELU where c is 1, SELU else.
    Elu: Some(|a, b, c| c * if a > 0.0 { a } else { b * expm1(a) }), None, None;
    /// a > 0 ? a : b * (exp(a / b) - 1)
    Celu: Some(|a, b, _| if a > 0.0 { a } else { b * expm1(a / b) }), None, None;
    /// min(max(a * b + c, 0), 1)
    HardSigmoid: Some(|a, b, c| unit(a * b + c)), None, None;
    /// a * min(max(a / 6 + 1 / 2, 0), 1)
    HardSwish: Some(|a, _, _| hard_swish(a)), None, None;
    /// 1 / (1 + exp(-a))
    Sigmoid: Some(|a, _, _| 1.0 / (1.0 + exp(-a))), None, None;
    /// log(1 + exp(a))
    Softplus: Some(|a, _, _| softplus(a)), None, None;
    /// a / (1 + |a|)
    Softsign: Some(|a, _, _| a / (1.0 + a.abs())), None, None;
    /// a * tanh(log(1 + exp(a))) (Misra 2019)
    Mish: Some(|a, _, _| a * tanh(softplus(a))), None, None;
    /// a / 2 * (1 + erf(a / sqrt(2))) (Hendrycks and Gimpel 2016)
    Gelu: Some(|a, _, _| a * 0.5 * erfc(-a * FRAC_1_SQRT_2)), None, None;
    /// a / 2 * (1 + tanh(sqrt(2 / pi) * (a + 0.044715 * a^3))), which comes near it.
    GeluTanh: Some(|a, _, _| a * 0.5 * (1.0 + tanh(0.797_884_560_802_865_4 * (a + 0.044_715 * a * a * a)))), None, None;
    /// a < -b ? a + c : a > b ? a - c : 0
    Shrink: Some(|a, b, c| if a < -b { a + c } else if a > b { a - c } else { 0.0 }), None, None;
    /// sqrt(a)
    Sqrt: Some(|a, _, _| a.sqrt()), None, None;
    /// 1 / a
    Reciprocal: Some(|a, _, _| 1.0 / a), None, None;
    /// e to the a.
    Exp: Some(|a, _, _| exp(a)), None, None;
    /// The natural logarithm.
    Log: Some(|a, _, _| libm::log(a)), None, None;
    /// The error function.
    Erf: Some(|a, _, _| erf(a)), None, None;
    /// The next integer below.
    Floor: Some(|a, _, _| a.floor()), None, None;
    /// The next integer above.
    Ceil: Some(|a, _, _| a.ceil()), None, None;
    /// The nearest integer, ties to even.
    Round: Some(|a, _, _| a.round_ties_even()), None, None;
    /// Of radians, as the other two.
    Sin: Some(|a, _, _| libm::sin(a)), None, None;
    /// Cosine.
    Cos: Some(|a, _, _| libm::cos(a)), None, None;
    /// Tangent.
    Tan: Some(|a, _, _| libm::tan(a)), None, None;
    /// In radians, as the other two.
    Asin: Some(|a, _, _| libm::asin(a)), None, None;
    /// Inverse cosine.
    Acos: Some(|a, _, _| libm::acos(a)), None, None;
    /// Inverse tangent.
    Atan: Some(|a, _, _| libm::atan(a)), None, None;
    /// Hyperbolic sine.
    Sinh: Some(|a, _, _| libm::sinh(a)), None, None;
    /// Hyperbolic cosine.
    Cosh: Some(|a, _, _| libm::cosh(a)), None, None;
    /// Hyperbolic tangent.
    Tanh: Some(|a, _, _| tanh(a)), None, None;
    /// Inverse hyperbolic sine.
    Asinh: Some(|a, _, _| libm::asinh(a)), None, None;
    /// Inverse hyperbolic cosine.
    Acosh: Some(|a, _, _| if a < 1.0 { f64::NAN } else { libm::acosh(a) }), None, None;
    /// Inverse hyperbolic tangent.
    Atanh: Some(|a, _, _| libm::atanh(a)), None, None;
    /// Whether a is no number.
    IsNan: Some(|a, _, _| truth(a.is_nan())), None, None;
    /// Whether a is -infinity, where b is not 0, or infinity, where c is not 0.
    IsInf: Some(|a, b, c| truth(a.is_infinite() && if a < 0.0 { b != 0.0 } else { c != 0.0 })), None, None;
}

/// 1 for true.
fn truth(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn floored(a: f64, b: f64, _: f64) -> f64 {
    let rest = libm::fmod(a, b);
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

fn floored_integer(a: i64, b: i64) -> i64 {
    let rest = a.wrapping_rem(b);
    if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
}

fn remainder_unsigned(a: i64, b: i64, _: i64) -> i64 {
    (a as u64).checked_rem(b as u64).unwrap_or(0) as i64
}

/// By squaring.
fn power(mut base: i64, mut exponent: u64) -> i64 {
    let mut product = 1_i64;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product = product.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    product
}

fn integer_power(a: i64, b: i64, _: i64) -> i64 {
    match (a, b) {
        (-1 | 1, _) => power(a, b as u64),
        (_, ..0) => 0,
        _ => power(a, b as u64),
    }
}

/// Within 64 bits.
fn shift(b: i64) -> Option<u32> {
    u32::try_from(b).ok().filter(|b| *b < 64)
}

fn clip(a: f64, low: f64, high: f64) -> f64 {
    let above = if a < low { low } else { a };
    if high < above { high } else { above }
}

fn leaky_relu(a: f64, b: f64, _: f64) -> f64 {
    if a < 0.0 { a * b } else { a }
}

/// Into 0..=1.
fn unit(a: f64) -> f64 {
    clip(a, 0.0, 1.0)
}

fn hard_swish(a: f64) -> f64 {
    a * unit(a / 6.0 + 0.5)
}

/// log(1 + exp(a)), of which the part that could overflow is taken out.
fn softplus(a: f64) -> f64 {
    log1p(exp(-a.abs())) + if a < 0.0 { 0.0 } else { a }
}

/// A loop that the compiler turns into vectors.
fn each(x: [&[f32]; 3], y: &mut [f32], of: impl Fn(f32, f32, f32) -> f32) {
    let [a, b, c] = x.map(|x| &x[..y.len()]);
    for (i, y) in y.iter_mut().enumerate() {
        *y = of(a[i], b[i], c[i]);
    }
}

impl Function {
    /// Loops of f32 (of the first operand also bool, as 0 and 1): the same results, in vectors.
    pub(super) fn single(self) -> Option<Single> {
        Some(match self {
            Self::Neg => |x, y| each(x, y, |a, _, _| -a),
            Self::Abs => |x, y| each(x, y, |a, _, _| a.abs()),
            Self::Add => |x, y| each(x, y, |a, b, _| a + b),
            Self::Sub => |x, y| each(x, y, |a, b, _| a - b),
            Self::Mul => |x, y| each(x, y, |a, b, _| a * b),
            Self::Div => |x, y| each(x, y, |a, b, _| a / b),
            Self::Min => |x, y| each(x, y, |a, b, _| if a < b || a.is_nan() { a } else { b }),
            Self::Max => |x, y| each(x, y, |a, b, _| if a > b || a.is_nan() { a } else { b }),
            Self::Equal => |x, y| each(x, y, |a, b, _| f32::from(a == b)),
            Self::Less => |x, y| each(x, y, |a, b, _| f32::from(a < b)),
            Self::LessOrEqual => |x, y| each(x, y, |a, b, _| f32::from(a <= b)),
            Self::Where => |x, y| each(x, y, |a, b, c| if a == 0.0 { c } else { b }),
            Self::Clip => |x, y| {
                each(x, y, |a, low, high| {
                    let above = if a < low { low } else { a };
                    if high < above { high } else { above }
                });
            },
            Self::LeakyRelu => |x, y| each(x, y, |a, b, _| if a < 0.0 { a * b } else { a }),
            Self::HardSigmoid => {
                |x, y| each(x, y, |a, b, c| unit(f64::from(a) * f64::from(b) + f64::from(c)) as f32)
            }
            Self::HardSwish => |x, y| each(x, y, |a, _, _| hard_swish(f64::from(a)) as f32),
            Self::Sqrt => |x, y| each(x, y, |a, _, _| a.sqrt()),
            Self::Reciprocal => |x, y| each(x, y, |a, _, _| 1.0 / a),
            Self::Floor => |x, y| each(x, y, |a, _, _| a.floor()),
            Self::Ceil => |x, y| each(x, y, |a, _, _| a.ceil()),
            Self::Round => |x, y| each(x, y, |a, _, _| a.round_ties_even()),
            _ => return None,
        })
    }
}
