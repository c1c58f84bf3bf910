//! Instance and group normalization (Ulyanov et al. 2016; Wu and He 2018), channels first: every group of channels of an image by its own mean and variance.

use crate::error::{Op, Result, What, check_range, check_shape, checked_area};

const OP: Op = Op::Normalize;

/// Mean and variance (the mean of squared differences) of at least one value, each one chain in f64, rounded at its end.
pub fn statistics<'x>(values: impl Iterator<Item = &'x f32> + Clone) -> (f32, f32) {
    let (sum, count) = values.clone().fold((0.0_f64, 0_usize), |(sum, n), x| (sum + f64::from(*x), n + 1));
    let mean = sum / count as f64;
    let squares = values.fold(0.0_f64, |sum, x| {
        let difference = f64::from(*x) - mean;
        sum + difference * difference
    });
    (mean as f32, (squares / count as f64) as f32)
}

/// `y = (x - mean[g]) / sqrt(variance[g] + epsilon) * scale[c] + bias[c]` over `x [batch, groups, channels / groups, inner]`, f32 at every step behind the statistics.
#[derive(Clone, Copy, Debug)]
pub struct PlaneNorm {
    channels: usize,
    groups: usize,
    inner: usize,
    epsilon: f32,
}

impl PlaneNorm {
    /// # Errors
    /// `Range` where a size is 0, `Shape` where the groups do not divide the channels, `Memory` where an image does not fit memory.
    pub fn new(channels: usize, groups: usize, inner: usize, epsilon: f32) -> Result<Self> {
        check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
        check_range(OP, What::Groups, 1, channels as i64, groups as i64)?;
        check_range(OP, What::Length, 1, i64::from(u32::MAX), inner as i64)?;
        check_shape(OP, What::Groups, 0, channels % groups)?;
        checked_area(OP, channels, inner)?;
        Ok(Self { channels, groups, inner, epsilon })
    }

    /// C and elements of an image.
    pub fn lengths(&self) -> [usize; 2] {
        [self.channels, self.channels * self.inner]
    }

    /// In place, any number of images; `scale` and `bias` have a value per channel.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(&self, y: &mut [f32], scale: &[f32], bias: &[f32]) -> Result<()> {
        let [channels, image] = self.lengths();
        check_shape(OP, What::Length, 0, y.len() % image)?;
        check_shape(OP, What::Scale, channels, scale.len())?;
        check_shape(OP, What::Bias, channels, bias.len())?;
        let depth = channels / self.groups;
        for (group, y) in y.chunks_exact_mut(depth * self.inner).enumerate() {
            let (mean, variance) = statistics(y.iter());
            let deviation = libm::sqrtf(variance + self.epsilon);
            let first = group % self.groups * depth;
            for (c, y) in y.chunks_exact_mut(self.inner).enumerate() {
                let (scale, bias) = (scale[first + c], bias[first + c]);
                for y in y {
                    *y = (*y - mean) / deviation * scale + bias;
                }
            }
        }
        Ok(())
    }
}

/// Batch normalization whose scale, bias, mean and variance are values: `y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c]` over `x [batch, channels, inner]`, rounded at
/// every step.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn channel_norm(
    y: &mut [f32],
    inner: usize,
    [scale, bias, mean, variance]: [&[f32]; 4],
    epsilon: f32,
) -> Result<()> {
    let channels = scale.len();
    check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
    check_range(OP, What::Length, 1, i64::from(u32::MAX), inner as i64)?;
    for (what, values) in [(What::Bias, bias), (What::Channels, mean), (What::Channels, variance)] {
        check_shape(OP, what, channels, values.len())?;
    }
    check_shape(OP, What::Length, 0, y.len() % checked_area(OP, channels, inner)?)?;
    for (plane, y) in y.chunks_exact_mut(inner).enumerate() {
        let c = plane % channels;
        let deviation = libm::sqrtf(variance[c] + epsilon);
        for y in y {
            *y = (*y - mean[c]) / deviation * scale[c] + bias[c];
        }
    }
    Ok(())
}

/// Mean and variance of every channel of `x [batch, channels, inner]`, channels first ([`statistics`]).
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there is nothing.
pub fn channel_statistics(x: &[f32], inner: usize, mean: &mut [f32], variance: &mut [f32]) -> Result<()> {
    let channels = mean.len();
    check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
    check_shape(OP, What::Channels, channels, variance.len())?;
    let image = checked_area(OP, channels, inner)?;
    check_range(OP, What::Length, 1, i64::from(u32::MAX), image.min(x.len()) as i64)?;
    check_shape(OP, What::Length, 0, x.len() % image)?;
    for (c, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
        let planes = x.chunks_exact(image).flat_map(|x| &x[c * inner..][..inner]);
        (*mean, *variance) = statistics(planes);
    }
    Ok(())
}
