//! Per-channel scale and bias, and batch normalization by its own formula.

use crate::buffer::Buffer;
use crate::error::{Op, Result, What, check_range, check_shape};
use crate::gemm_f32::check_clamp;

const OP: Op = Op::Normalize;

/// `y = clamp(x * scale[c] + bias[c])`, the product rounded before the sum.
pub struct ChannelAffine {
    scale: Buffer<f32>,
    bias: Buffer<f32>,
    clamp: (f32, f32),
}

impl ChannelAffine {
    /// `scale` and `bias` have one value per channel, at least one.
    ///
    /// # Errors
    /// `Shape` where the lengths differ, `Range` where there is no channel or the clamp is empty or NaN, `Memory`.
    pub fn new(scale: &[f32], bias: &[f32], clamp: (f32, f32)) -> Result<Self> {
        check_range(OP, What::Channels, 1, i64::from(u32::MAX), scale.len() as i64)?;
        check_shape(OP, What::Bias, scale.len(), bias.len())?;
        check_clamp(OP, clamp)?;
        Ok(Self { scale: Buffer::from_slice(OP, scale)?, bias: Buffer::from_slice(OP, bias)?, clamp })
    }

    /// C
    pub fn channels(&self) -> usize {
        self.scale.len()
    }

    /// f32 to f32, in place; the length is a multiple of C.
    ///
    /// # Errors
    /// `Shape` where it is not.
    pub fn run_f32(&self, y: &mut [f32]) -> Result<()> {
        check_shape(OP, What::Channels, 0, y.len() % self.channels())?;
        for y in y.chunks_exact_mut(self.channels()) {
            for ((y, &scale), &bias) in y.iter_mut().zip(&*self.scale).zip(&*self.bias) {
                *y = self.value(*y, scale, bias);
            }
        }
        Ok(())
    }

    /// int32 (rounded to f32 first) to f32.
    ///
    /// # Errors
    /// `Shape` where the lengths differ or are not a multiple of C.
    pub fn run_i32(&self, x: &[i32], y: &mut [f32]) -> Result<()> {
        check_shape(OP, What::Length, x.len(), y.len())?;
        check_shape(OP, What::Channels, 0, y.len() % self.channels())?;
        for (x, y) in x.chunks_exact(self.channels()).zip(y.chunks_exact_mut(self.channels())) {
            for (((y, &x), &scale), &bias) in y.iter_mut().zip(x).zip(&*self.scale).zip(&*self.bias) {
                *y = self.value(x as f32, scale, bias);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn value(&self, x: f32, scale: f32, bias: f32) -> f32 {
        let y = x * scale + bias;
        let y = if y < self.clamp.0 { self.clamp.0 } else { y };
        if self.clamp.1 < y { self.clamp.1 } else { y }
    }
}

/// `y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c]`, rounded at every step, in this order (Ioffe and Szegedy 2015, at
/// inference).
pub struct BatchNorm {
    scale: Buffer<f32>,
    bias: Buffer<f32>,
    mean: Buffer<f32>,
    /// sqrt(variance + epsilon)
    deviation: Buffer<f32>,
}

impl BatchNorm {
    /// Four arrays with one value per channel.
    ///
    /// # Errors
    /// `Shape` where the lengths differ, `Range` where there is no channel, `Memory`.
    pub fn new(scale: &[f32], bias: &[f32], mean: &[f32], variance: &[f32], epsilon: f32) -> Result<Self> {
        check_range(OP, What::Channels, 1, i64::from(u32::MAX), scale.len() as i64)?;
        for values in [bias, mean, variance] {
            check_shape(OP, What::Channels, scale.len(), values.len())?;
        }
        let mut deviation = Buffer::zeroed(OP, variance.len())?;
        for (deviation, &variance) in deviation.iter_mut().zip(variance) {
            *deviation = libm::sqrtf(variance + epsilon);
        }
        let copy = |values| Buffer::from_slice(OP, values);
        Ok(Self { scale: copy(scale)?, bias: copy(bias)?, mean: copy(mean)?, deviation })
    }

    /// C
    pub fn channels(&self) -> usize {
        self.scale.len()
    }

    /// In place; the length is a multiple of C.
    ///
    /// # Errors
    /// `Shape` where it is not.
    pub fn run(&self, y: &mut [f32]) -> Result<()> {
        check_shape(OP, What::Channels, 0, y.len() % self.channels())?;
        for y in y.chunks_exact_mut(self.channels()) {
            let shift = self.mean.iter().zip(&*self.deviation);
            let scale = self.scale.iter().zip(&*self.bias);
            for ((y, (mean, deviation)), (scale, bias)) in y.iter_mut().zip(shift).zip(scale) {
                *y = (*y - mean) / deviation * scale + bias;
            }
        }
        Ok(())
    }
}
