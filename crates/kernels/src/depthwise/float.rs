//! f32.

use super::OP;
use super::scalar::Scalar;
use super::walk::{Taps, Walk};
use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{Result, What, check_shape, checked_area};
use crate::gemm_f32::check_clamp;
use crate::geometry::Geometry;
use crate::tier::Tier;

/// One pixel of a tier.
pub(super) trait FloatPixel {
    /// `y[o] = Σ_tap x[input + o / multiplier] * w[weights + o]` from +0 on, all outputs of a pixel.
    fn pixel(x: &[f32], w: &[f32], taps: &Taps<'_>, multiplier: usize, y: &mut [f32]);
}

/// Weights, bias and clamp of one layer.
pub struct DepthwiseF32 {
    walk: Walk,
    /// `[tap][output]`
    weights: Buffer<f32>,
    bias: Buffer<f32>,
    clamp: (f32, f32),
    tier: Tier,
}

impl DepthwiseF32 {
    /// `weights` is `[outputs, kh, kw]`, outputs a multiple of `channels`; `bias` is `[outputs]` or empty for zeros.
    ///
    /// # Errors
    /// `Range` where a size or the clamp is out of range, `Shape` where a slice does not have its length, `Memory`.
    pub fn new(
        tier: Tier,
        geometry: Geometry,
        channels: usize,
        weights: &[f32],
        bias: &[f32],
        clamp: (f32, f32),
    ) -> Result<Self> {
        let taps = geometry.window.taps();
        check_shape(OP, What::Length, 0, weights.len() % taps)?;
        let outputs = weights.len() / taps;
        let walk = Walk::new(geometry, channels, outputs)?;
        check_clamp(OP, clamp)?;
        let mut kept = Buffer::zeroed(OP, weights.len())?;
        for (i, &weight) in weights.iter().enumerate() {
            kept[i % taps * outputs + i / taps] = weight;
        }
        let mut biases = Buffer::zeroed(OP, outputs)?;
        if !bias.is_empty() {
            check_shape(OP, What::Bias, outputs, bias.len())?;
            biases.copy_from_slice(bias);
        }
        Ok(Self { walk, weights: kept, bias: biases, clamp, tier })
    }

    /// Elements of an image of x, and of y.
    pub fn lengths(&self) -> (usize, usize) {
        (self.walk.input_len(), self.walk.output_pixels() * self.walk.outputs)
    }

    /// Lines of scratch that [`Self::run`] takes.
    pub fn scratch_lines(&self) -> usize {
        lines_for::<u32>(2 * self.walk.geometry.window.taps())
    }

    /// `x [batch, h, w, channels]` to `y [batch, h', w', outputs]`.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(&self, x: &[f32], batch: usize, y: &mut [f32], mut scratch: Arena<'_>) -> Result<()> {
        let (x_len, y_len) = self.lengths();
        check_shape(OP, What::Length, checked_area(OP, batch, x_len)?, x.len())?;
        check_shape(OP, What::Length, checked_area(OP, batch, y_len)?, y.len())?;
        let lists = scratch.take::<u32>(2 * self.walk.geometry.window.taps());
        for (x, y) in x.chunks_exact(x_len).zip(y.chunks_exact_mut(y_len)) {
            match self.tier.effective() {
                Tier::Scalar => self.image::<Scalar>(x, y, lists),
                #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
                _ => self.image::<super::simd128::Simd128>(x, y, lists),
                #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
                _ => unreachable!("a tier above the build's"),
            }
        }
        Ok(())
    }

    fn image<T: FloatPixel>(&self, x: &[f32], y: &mut [f32], lists: &mut [u32]) {
        let (outputs, (low, high)) = (self.walk.outputs, self.clamp);
        self.walk.pixels(lists, |at, taps| {
            let y = &mut y[at * outputs..][..outputs];
            T::pixel(x, &self.weights, &taps, outputs / self.walk.channels, y);
            for (y, &bias) in y.iter_mut().zip(&*self.bias) {
                let value = *y + bias;
                let value = if value < low { low } else { value };
                *y = if high < value { high } else { value };
            }
        });
    }
}
