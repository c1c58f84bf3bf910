//! Linear quantization with scales and zero points that are values of the network: one, one per entry of an axis, or one per block along it
//! (ONNX `QuantizeLinear`, `DequantizeLinear`, `DynamicQuantizeLinear`).

use crate::buffer::Element;
use crate::error::{Result, What, check_range, check_shape, checked_area};

use super::{OP, check_scale};

/// An integer type that codes are stored in; narrower codes lie in a byte each.
pub trait Code: Element + Into<i64> {
    /// Of a value in the type's range.
    fn from_i32(value: i32) -> Self;
}

macro_rules! codes { ($($t:ty),*) => { $(impl Code for $t {
    fn from_i32(value: i32) -> Self {
        value as Self
    }
})* } }
codes!(i8, u8, i16, u16, i32);

/// Which scale an element has. The tensor is `[outer, axis, inner]`; element (o, a, i) has scale `(o * ceil(axis / block) + a / block) * inner + i` where there are
/// blocks, scale `a` where there is one per entry of the axis, and scale 0 where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scales {
    /// `[outer, axis, inner]`
    pub shape: [usize; 3],
    /// How they are laid out.
    pub granularity: Granularity,
}

/// How many scales there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// One.
    Tensor,
    /// One per entry of the axis.
    Axis,
    /// One per so many entries of the axis, for each o and i.
    Blocks(usize),
}

impl Scales {
    /// Elements of the tensor and scales.
    ///
    /// # Errors
    /// `Memory` where a product leaves `usize`, `Range` where a block is 0.
    pub fn lengths(&self) -> Result<[usize; 2]> {
        let [outer, axis, inner] = self.shape;
        let elements = checked_area(OP, checked_area(OP, outer, axis)?, inner)?;
        let scales = match self.granularity {
            Granularity::Tensor => 1,
            Granularity::Axis => axis,
            Granularity::Blocks(block) => {
                check_range(OP, What::GroupSize, 1, i64::from(u32::MAX), block as i64)?;
                outer * axis.div_ceil(block) * inner
            }
        };
        Ok([elements, scales])
    }

    /// Calls `row(position, count, scale, step)` for runs of `count` elements from `position` on, the first of which has scale `scale`, each next one `step` further.
    fn rows(&self, mut row: impl FnMut(usize, usize, usize, usize)) {
        let [outer, axis, inner] = self.shape;
        if self.granularity == Granularity::Tensor {
            return row(0, outer * axis * inner, 0, 0);
        }
        for at in 0..outer * axis {
            let (o, a) = (at / axis, at % axis);
            match self.granularity {
                Granularity::Blocks(block) => {
                    row(at * inner, inner, (o * axis.div_ceil(block) + a / block) * inner, 1);
                }
                _ => row(at * inner, inner, a, 0),
            }
        }
    }

    fn check(&self, x: usize, scale: &[f32], zero_point: Option<usize>, y: usize) -> Result<()> {
        let [elements, scales] = self.lengths()?;
        check_shape(OP, What::Length, elements, x)?;
        check_shape(OP, What::Length, elements, y)?;
        check_shape(OP, What::Scale, scales, scale.len())?;
        check_shape(OP, What::ZeroPoint, scales, zero_point.unwrap_or(scales))
    }

    /// `q = clamp(round_ties_even(x / scale) + zero_point)` to `range`, which lies in T's; a NaN gives the zero point.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where a scale is not a positive finite number.
    pub fn quantize<T: Code>(
        &self,
        x: &[f32],
        scale: &[f32],
        zero_point: Option<&[T]>,
        range: (i32, i32),
        y: &mut [T],
    ) -> Result<()> {
        self.check(x.len(), scale, zero_point.map(<[T]>::len), y.len())?;
        scale.iter().try_for_each(|&scale| check_scale(OP, scale))?;
        self.rows(|at, count, first, step| {
            for (i, (y, x)) in y[at..][..count].iter_mut().zip(&x[at..]).enumerate() {
                let entry = first + i * step;
                let zero_point = zero_point.map_or(0, |zero_point| zero_point[entry].into());
                // `as` saturates and makes 0 of a NaN.
                let steps = (x / scale[entry]).round_ties_even() as i32;
                let code = (i64::from(steps) + zero_point).clamp(i64::from(range.0), i64::from(range.1));
                *y = T::from_i32(code as i32);
            }
        });
        Ok(())
    }

    /// `x = f32(q - zero_point) * scale`
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn dequantize<T: Code>(
        &self,
        x: &[T],
        scale: &[f32],
        zero_point: Option<&[T]>,
        y: &mut [f32],
    ) -> Result<()> {
        self.check(x.len(), scale, zero_point.map(<[T]>::len), y.len())?;
        self.rows(|at, count, first, step| {
            for (i, (y, x)) in y[at..][..count].iter_mut().zip(&x[at..]).enumerate() {
                let entry = first + i * step;
                let zero_point: i64 = zero_point.map_or(0, |zero_point| zero_point[entry].into());
                *y = ((*x).into() - zero_point) as f32 * scale[entry];
            }
        });
        Ok(())
    }
}

/// The scale and zero point of uint8 codes for values from the least to the largest of `x` and 0 (ONNX `DynamicQuantizeLinear`):
/// `scale = (max - min) / 255`, 1 where that is 0, and `zero_point = round_ties_even(clamp(-min / scale))`. NaNs are passed over.
///
/// # Errors
/// `Range` where x holds an infinity, or values further apart than f32 can say.
pub fn dynamic_range(x: &[f32]) -> Result<(f32, u8)> {
    let (low, high) = x.iter().fold((0.0_f32, 0.0_f32), |(low, high), &x| {
        (if x < low { x } else { low }, if x > high { x } else { high })
    });
    let scale = if low == high { 1.0 } else { (high - low) / 255.0 };
    check_scale(OP, scale)?;
    Ok((scale, (-low / scale).clamp(0.0, 255.0).round_ties_even() as u8))
}
