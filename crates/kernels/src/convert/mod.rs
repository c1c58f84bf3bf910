//! Activations between f32 and 8 bits: `real = (q - zero_point) * scale`; NaNs.

mod linear;
mod nan;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

pub use linear::{Code, Granularity, Scales, dynamic_range};
pub use nan::{canonicalize_nans, count_nans};

use crate::buffer::Element;
use crate::error::{ErrorCode, KernelError, Op, Result, What, check_range, check_shape};
use crate::tier::Tier;

const OP: Op = Op::Convert;

/// int8 or uint8.
pub trait Byte: Element + Into<i32> {
    /// The type's range.
    const RANGE: (i32, i32);
    /// Of a value in the range.
    fn from_i32(value: i32) -> Self;
    /// The same bytes.
    fn as_int8(values: &mut [Self]) -> &mut [i8];
}

impl Byte for i8 {
    const RANGE: (i32, i32) = (-128, 127);
    fn from_i32(value: i32) -> Self {
        value as Self
    }
    fn as_int8(values: &mut [Self]) -> &mut [i8] {
        values
    }
}

impl Byte for u8 {
    const RANGE: (i32, i32) = (0, 255);
    fn from_i32(value: i32) -> Self {
        value as Self
    }
    fn as_int8(values: &mut [Self]) -> &mut [i8] {
        // SAFETY: of the same size and alignment, and any bits are values of both.
        unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
    }
}

/// `q = clamp(round_ties_even(x / scale) + zero_point)` to the type's range; infinities saturate and a NaN gives the zero point.
///
/// # Errors
/// `Range` where the scale is not a positive finite number or the zero point not of the type; `Shape` where the lengths differ.
pub fn quantize<T: Byte>(tier: Tier, x: &[f32], scale: f32, zero_point: i32, y: &mut [T]) -> Result<()> {
    check::<T>(scale, zero_point)?;
    check_shape(OP, What::Length, x.len(), y.len())?;
    let done = match tier.effective() {
        Tier::Scalar => 0,
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        _ => simd128::quantize(x, scale, zero_point, T::RANGE, T::as_int8(y)),
        #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
        _ => unreachable!("a tier above the build's"),
    };
    for (y, &x) in y[done..].iter_mut().zip(&x[done..]) {
        *y = quantized(x, scale, zero_point, T::RANGE);
    }
    Ok(())
}

/// One value; `range` lies inside the type's.
#[inline(always)]
pub(crate) fn quantized<T: Byte>(x: f32, scale: f32, zero_point: i32, range: (i32, i32)) -> T {
    // `as` saturates and makes 0 of a NaN; the sum cannot wrap after the cut to 2^24, far outside every type's range.
    let steps = (x / scale).round_ties_even() as i32;
    T::from_i32((steps.clamp(-(1 << 24), 1 << 24) + zero_point).clamp(range.0, range.1))
}

/// `x = f32(q - zero_point) * scale`
///
/// # Errors
/// As [`quantize`].
pub fn dequantize<T: Byte>(x: &[T], scale: f32, zero_point: i32, y: &mut [f32]) -> Result<()> {
    check::<T>(scale, zero_point)?;
    check_shape(OP, What::Length, x.len(), y.len())?;
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (x.into() - zero_point) as f32 * scale;
    }
    Ok(())
}

fn check<T: Byte>(scale: f32, zero_point: i32) -> Result<()> {
    check_scale(OP, scale)?;
    check_range(OP, What::ZeroPoint, i64::from(T::RANGE.0), i64::from(T::RANGE.1), i64::from(zero_point))
}

/// Refuses a scale that is not a positive finite number.
pub(crate) fn check_scale(op: Op, scale: f32) -> Result<()> {
    if scale > 0.0 && scale.is_finite() {
        return Ok(());
    }
    Err(KernelError::new(ErrorCode::Range, op, What::Scale, 0, scale as i64))
}
