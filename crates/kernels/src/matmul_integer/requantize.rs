//! Sums to 8 bits.

use crate::convert::{Byte, quantized};
use crate::error::{ErrorCode, KernelError, Op, Result, What, check_range, check_shape};

use super::OP;

/// `y = clamp(round_ties_even(f32(x + bias[n]) * multiplier[n]) + zero_point)`, the sum wrapping in int32. `multiplier` has one element or as many as the rows of x,
/// whose length `bias` has, where there is one.
///
/// # Errors
/// `Shape` where a slice does not have its length; `Range` where there is no column, a multiplier is not positive and finite, or the zero point not of y's type.
pub fn requantize<T: Byte>(
    x: &[i32],
    columns: usize,
    bias: Option<&[i32]>,
    multiplier: &[f32],
    zero_point: i32,
    y: &mut [T],
) -> Result<()> {
    check_lengths(OP, [x.len(), y.len()], columns, bias, multiplier.len())?;
    if let Some(bad) = multiplier.iter().find(|m| !(m.is_finite() && **m > 0.0)) {
        return Err(KernelError::new(ErrorCode::Range, OP, What::Multiplier, 0, *bad as i64));
    }
    check_range(OP, What::ZeroPoint, i64::from(T::RANGE.0), i64::from(T::RANGE.1), i64::from(zero_point))?;
    for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
        for (n, (x, y)) in x.iter().zip(y).enumerate() {
            let sum = x.wrapping_add(bias.map_or(0, |bias| bias[n]));
            let scaled = sum as f32 * multiplier[n % multiplier.len()];
            *y = quantized(scaled, 1.0, zero_point, T::RANGE);
        }
    }
    Ok(())
}

/// Whole rows of sums, as many codes, a bias for each column where there is one, and one multiplier or as many as columns.
pub(crate) fn check_lengths(
    op: Op,
    [x, y]: [usize; 2],
    columns: usize,
    bias: Option<&[i32]>,
    multipliers: usize,
) -> Result<()> {
    check_range(op, What::Columns, 1, 1 << 24, columns as i64)?;
    check_shape(op, What::Columns, 0, x % columns)?;
    check_shape(op, What::Length, x, y)?;
    check_shape(op, What::Bias, columns, bias.map_or(columns, <[i32]>::len))?;
    if multipliers != 1 {
        check_shape(op, What::Multiplier, columns, multipliers)?;
    }
    Ok(())
}
