//! The arithmetic of quantized networks on hardware without floats (gemmlowp; Jacob et al. 2018, arXiv 1712.05877, section 2.2), as TensorFlow Lite's reference kernels do it. Elsewhere the library scales sums
//! by one f32 product and rounds once, which is nearer to the real number and faster; these kernels are for networks whose every code must be that of the source.
//!
//! A real factor is `multiplier * 2^(exponent - 31)`, multiplier 0 or 2^30..2^31-1. A product has two roundings, but for dense layers one:
//!
//! ```text
//! scaled(x) = shift(high(x << max(exponent, 0)), max(-exponent, 0))
//! high(x)   = round(x * multiplier / 2^31)       halves towards +inf
//! shift(x)  = round(x / 2^bits)                  halves away from 0
//! once(x)   = round(x * multiplier / 2^(31 - exponent))    halves towards +inf
//! ```
//!
//! - [`requantize`]: sums of a layer to bytes, `y = clamp(scaled(x + bias) + zero point)`;
//! - [`add`]: bytes of two scales, both scaled to a common one with 20 more bits, then to y's;
//! - [`average`]: the mean of the codes under a window, halves away from 0.
//!
//! Some 10 instructions of 64 bits for each number, in plain loops for every tier: with a layer's 100 products and more in front of each, no vectors were written.

mod average;
#[cfg(any(test, feature = "testing"))]
pub mod naive;

pub use average::average;

use crate::convert::Byte;
use crate::error::{Op, Result, What, check_range, check_shape};
use crate::matmul_integer::check_lengths;

const OP: Op = Op::FixedPoint;

/// Bits that operands of a sum gain before they are scaled.
const HEADROOM: u32 = 20;

/// A real factor of 0 to 2^30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    multiplier: i32,
    exponent: i32,
}

impl Factor {
    /// # Errors
    /// `Range` where the multiplier is negative or the exponent not in -31..=30.
    pub fn new(multiplier: i32, exponent: i32) -> Result<Self> {
        check_range(OP, What::Multiplier, 0, i64::from(i32::MAX), i64::from(multiplier))?;
        check_range(OP, What::Exponent, -31, 30, i64::from(exponent))?;
        Ok(Self { multiplier, exponent })
    }

    /// The scaled number; what would leave int32 on the way stays at its end.
    #[inline]
    #[must_use]
    pub fn scaled(self, x: i32) -> i32 {
        let x = (i64::from(x) << self.exponent.max(0)).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        // At most 2^62, so that neither the half nor the sign is in the way.
        let high = (x * i64::from(self.multiplier) + (1 << 30)) >> 31;
        let bits = (-self.exponent).max(0);
        let half = (1_i64 << bits) >> 1;
        // Halves of negative numbers go down: one less before the shift.
        ((high + half - i64::from(high < 0 && bits > 0)) >> bits) as i32
    }

    /// The number scaled with one rounding; what leaves int32 stays at its end.
    #[inline]
    #[must_use]
    pub fn scaled_once(self, x: i32) -> i32 {
        let bits = 31 - self.exponent;
        let scaled = (i64::from(x) * i64::from(self.multiplier) + (1 << (bits - 1))) >> bits;
        scaled.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }
}

/// How often a product is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// [`Factor::scaled`].
    Twice,
    /// [`Factor::scaled_once`].
    Once,
}

/// What codes of a result may be.
#[derive(Clone, Copy, Debug)]
pub struct Codes {
    /// Code of the real 0.
    pub zero_point: i32,
    /// The smallest and the largest, within the type.
    pub clamp: (i32, i32),
}

impl Codes {
    fn check<T: Byte>(self) -> Result<()> {
        let (low, high) = (i64::from(T::RANGE.0), i64::from(T::RANGE.1));
        check_range(OP, What::ZeroPoint, low, high, i64::from(self.zero_point))?;
        check_range(OP, What::Clamp, low, i64::from(self.clamp.1), i64::from(self.clamp.0))?;
        check_range(OP, What::Clamp, low, high, i64::from(self.clamp.1))
    }

    #[inline]
    fn of<T: Byte>(self, scaled: i32) -> T {
        T::from_i32(scaled.saturating_add(self.zero_point).clamp(self.clamp.0, self.clamp.1))
    }
}

/// `y[r, n] = clamp(scaled(x[r, n] + bias[n]) + zero point)`, the sum wrapping in int32. There is one factor, or one for each of the columns, as of `bias` where there is one.
///
/// # Errors
/// `Shape` where a slice does not have its length; `Range` where there is no column, or codes are not of y's type.
pub fn requantize<T: Byte>(
    x: &[i32],
    columns: usize,
    bias: Option<&[i32]>,
    factors: &[Factor],
    rounding: Rounding,
    codes: Codes,
    y: &mut [T],
) -> Result<()> {
    check_lengths(OP, [x.len(), y.len()], columns, bias, factors.len())?;
    codes.check::<T>()?;
    for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
        for (n, (x, y)) in x.iter().zip(y).enumerate() {
            let sum = x.wrapping_add(bias.map_or(0, |bias| bias[n]));
            let factor = factors[if factors.len() == 1 { 0 } else { n }];
            *y = codes.of(if rounding == Rounding::Twice {
                factor.scaled(sum)
            } else {
                factor.scaled_once(sum)
            });
        }
    }
    Ok(())
}

/// An operand of [`add`].
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// Code of the real 0.
    pub zero_point: i32,
    /// From codes with 20 more bits to the common scale.
    pub factor: Factor,
}

/// `y = clamp(factor(scaled a + scaled b) + zero point)`, element by element.
///
/// # Errors
/// `Shape` where lengths differ; `Range` where codes are not of the type.
pub fn add<T: Byte>(
    a: &[T],
    b: &[T],
    operands: [Operand; 2],
    factor: Factor,
    codes: Codes,
    y: &mut [T],
) -> Result<()> {
    check_shape(OP, What::Length, a.len(), b.len())?;
    check_shape(OP, What::Length, a.len(), y.len())?;
    codes.check::<T>()?;
    for Operand { zero_point, .. } in operands {
        check_range(
            OP,
            What::ZeroPoint,
            i64::from(T::RANGE.0),
            i64::from(T::RANGE.1),
            i64::from(zero_point),
        )?;
    }
    let [of_a, of_b] = operands;
    let common = |code: T, operand: Operand| {
        // 9 bits and 20 more.
        operand.factor.scaled((code.into() - operand.zero_point) << HEADROOM)
    };
    for ((a, b), y) in a.iter().zip(b).zip(y) {
        *y = codes.of(factor.scaled(common(*a, of_a).saturating_add(common(*b, of_b))));
    }
    Ok(())
}
