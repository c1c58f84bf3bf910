//! int8 and uint8 by affine codes.

use super::OP;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
use super::pairs::Pairs;
use super::scalar;
use super::walk::Walk;
use crate::affine_gemm::{AffineCodes, AffineInput};
use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::geometry::Geometry;
use crate::layout::{code_at, code_row_bytes};
use crate::output::{OutputMut, OutputTransform};
use crate::tier::Tier;

/// Weights and output transform of one layer.
pub struct DepthwiseAffine {
    walk: Walk,
    weights: Weights,
    input: AffineInput,
    output: OutputTransform,
    tier: Tier,
}

/// As the tier takes them, zero points taken out.
enum Weights {
    /// `[tap][output]`, for pixel after pixel.
    Taps(Buffer<i16>),
    #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
    Pairs(Pairs),
}

impl DepthwiseAffine {
    /// `weights` has one column per output, a multiple of `channels`, and the taps for its depth; one group.
    ///
    /// # Errors
    /// `Range` where a size, the bits, a zero point or a weight (outside int16) is out of range; `Shape` where a slice does not have its length;
    /// `Accumulator` where a sum could leave int32; what [`OutputTransform::check`] refuses; `Memory`.
    pub fn new(
        tier: Tier,
        geometry: Geometry,
        channels: usize,
        weights: &AffineCodes<'_>,
        input: AffineInput,
        output: OutputTransform,
    ) -> Result<Self> {
        let AffineCodes { columns, depth, bits, codes, zero_points, .. } = *weights;
        let walk = Walk::new(geometry, channels, columns)?;
        check_shape(OP, What::Taps, geometry.window.taps(), depth)?;
        check_range(OP, What::Bits, 1, 8, bits as i64)?;
        let row = code_row_bytes(depth, bits);
        check_shape(OP, What::Codes, checked_area(OP, columns, row)?, codes.len())?;
        if zero_points.len() != 1 {
            check_shape(OP, What::ZeroPoint, columns, zero_points.len())?;
        }
        let (low, high) = input.range();
        check_range(OP, What::ZeroPoint, i64::from(low), i64::from(high), i64::from(input.zero_point))?;
        let mut kept = Buffer::zeroed(OP, checked_area(OP, columns, depth)?)?;
        let mut largest = 0;
        for (n, codes) in codes.chunks_exact(row).enumerate() {
            let zero = i64::from(*zero_points.get(n).unwrap_or(&zero_points[0]));
            let mut magnitude = 0;
            for tap in 0..depth {
                let weight = i64::from(code_at(codes, bits, tap)) - zero;
                let out_of_range = KernelError::new(ErrorCode::Range, OP, What::Code, 32767, weight);
                kept[tap * columns + n] = i16::try_from(weight).map_err(|_| out_of_range)?;
                magnitude += weight.abs();
            }
            largest = largest.max(magnitude * input.reach());
        }
        output.check(OP, columns, largest)?;
        let weights = match tier.effective() {
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Tier::Simd128 | Tier::Relaxed if Pairs::takes(&walk) => {
                Weights::Pairs(Pairs::new(&walk, &kept, input, &output)?)
            }
            _ => Weights::Taps(kept),
        };
        Ok(Self { walk, weights, input, output, tier })
    }

    /// What becomes of the sums.
    pub fn output(&self) -> &OutputTransform {
        &self.output
    }

    /// Elements of an image of x, and of y (bits: words).
    pub fn lengths(&self) -> (usize, usize) {
        let row = self.output.kind().row_len(self.walk.outputs);
        (self.walk.input_len(), self.walk.output_pixels() * row)
    }

    /// Lines of scratch that [`Self::run`] takes.
    pub fn scratch_lines(&self) -> usize {
        match &self.weights {
            Weights::Taps(_) => {
                lines_for::<u32>(2 * self.walk.geometry.window.taps()) + lines_for::<i32>(self.walk.outputs)
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Weights::Pairs(pairs) => pairs.scratch_lines(),
        }
    }

    /// `x [batch, h, w, channels]` (uint8 as the int8 of the same bits) to `out [batch, h', w', outputs]` of the transform's kind.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length or `out` its kind.
    pub fn run(&self, x: &[i8], batch: usize, mut out: OutputMut<'_>, mut scratch: Arena<'_>) -> Result<()> {
        let (x_len, y_len) = self.lengths();
        check_shape(OP, What::Length, checked_area(OP, batch, x_len)?, x.len())?;
        check_shape(OP, What::OutputKind, self.output.kind() as usize, out.kind() as usize)?;
        check_shape(OP, What::Length, checked_area(OP, batch, y_len)?, out.len())?;
        for (image, x) in x.chunks_exact(x_len).enumerate() {
            let out = out.part(image * y_len, y_len);
            match &self.weights {
                Weights::Taps(weights) => self.by_pixels(weights, x, out, scratch.rest()),
                #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
                Weights::Pairs(pairs) => pairs.image(&self.walk, x, &self.output, out, scratch.rest()),
            }
        }
        Ok(())
    }

    fn by_pixels(&self, weights: &[i16], x: &[i8], mut out: OutputMut<'_>, mut scratch: Arena<'_>) {
        let Walk { outputs, channels, .. } = self.walk;
        let lists = scratch.take::<u32>(2 * self.walk.geometry.window.taps());
        let sums = scratch.take::<i32>(outputs);
        let row = self.output.kind().row_len(outputs);
        let AffineInput { unsigned, zero_point } = self.input;
        let wide = |x: i8| (if unsigned { i32::from(x as u8) } else { i32::from(x) }) - zero_point;
        self.walk.pixels(lists, |at, taps| {
            scalar::bytes(x, weights, &taps, outputs / channels, wide, sums);
            self.output.apply(self.tier, sums, out.from(at * row));
        });
    }
}
