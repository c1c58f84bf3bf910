//! Normalization of each row by its own statistics.

use crate::buffer::Buffer;
use crate::error::{Op, Result, What, check_range, check_shape};
use crate::lanes::{sum, sum_of_squares};
use crate::tier::Tier;

const OP: Op = Op::Normalize;

/// Layer normalization (Ba, Kiros and Hinton 2016), or, without a mean, RMS normalization (Zhang and Sennrich 2019), over rows of C:
///
/// ```text
/// layer   mean = (Σ x) / C,  variance = (Σ (x - mean)²) / C,  y = (x - mean) * (1 / sqrt(variance + epsilon)) * scale[c] + bias[c]
/// RMS     y = x * (1 / sqrt((Σ x²) / C + epsilon)) * scale[c] + bias[c]
/// ```
///
/// Every step rounded, sums in the order of `lanes.rs`.
pub struct RowNorm {
    scale: Buffer<f32>,
    bias: Buffer<f32>,
    epsilon: f32,
    centered: bool,
}

impl RowNorm {
    /// `scale` is `[C]`, `bias` too, or empty for none; `centered` takes the mean out.
    ///
    /// # Errors
    /// `Shape` where the lengths differ, `Range` where there is no channel, `Memory`.
    pub fn new(scale: &[f32], bias: &[f32], epsilon: f32, centered: bool) -> Result<Self> {
        check_range(OP, What::Channels, 1, i64::from(u32::MAX), scale.len() as i64)?;
        let mut biases = Buffer::zeroed(OP, scale.len())?;
        if bias.is_empty() {
            // x + -0 is x for every x.
            biases.fill(-0.0);
        } else {
            check_shape(OP, What::Bias, scale.len(), bias.len())?;
            biases.copy_from_slice(bias);
        }
        Ok(Self { scale: Buffer::from_slice(OP, scale)?, bias: biases, epsilon, centered })
    }

    /// C
    pub fn channels(&self) -> usize {
        self.scale.len()
    }

    /// In place; the length is a multiple of C.
    ///
    /// # Errors
    /// `Shape` where it is not.
    pub fn run(&self, tier: Tier, y: &mut [f32]) -> Result<()> {
        let channels = self.channels();
        check_shape(OP, What::Channels, 0, y.len() % channels)?;
        let count = channels as f32;
        for y in y.chunks_exact_mut(channels) {
            let mean = if self.centered { sum(tier, y) / count } else { 0.0 };
            let variance = sum_of_squares(tier, y, mean) / count;
            let factor = 1.0 / libm::sqrtf(variance + self.epsilon);
            for ((y, scale), bias) in y.iter_mut().zip(&*self.scale).zip(&*self.bias) {
                *y = (*y - mean) * factor * scale + bias;
            }
        }
        Ok(())
    }
}
