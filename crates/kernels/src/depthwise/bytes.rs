//! int8 and uint8 by affine codes.

use super::OP;
use super::scalar::Scalar;
use super::walk::{Taps, Walk};
use crate::affine_gemm::{AffineCodes, AffineInput};
use crate::buffer::{Arena, Buffer, lines_for};
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::geometry::Geometry;
use crate::layout::{code_at, code_row_bytes};
use crate::output::{OutputMut, OutputTransform};
use crate::tier::Tier;

/// One pixel of a tier.
pub(super) trait BytePixel {
    /// `sums[o] = Σ_tap (x[input + o / multiplier] - zero point) * w[weights + o]`, all outputs of a pixel.
    fn pixel(x: &[i8], input: AffineInput, w: &[i8], taps: &Taps<'_>, multiplier: usize, sums: &mut [i32]);
}

/// Weights and output transform of one layer.
pub struct DepthwiseAffine {
    walk: Walk,
    /// `[tap][output]`, zero points taken out.
    weights: Buffer<i8>,
    input: AffineInput,
    output: OutputTransform,
    tier: Tier,
}

impl DepthwiseAffine {
    /// `weights` has one column per output, a multiple of `channels`, and the taps for its depth; one group.
    ///
    /// # Errors
    /// `Range` where a size, the bits, a zero point or a weight (outside -128..=127) is out of range; `Shape` where a slice does not have its length;
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
        let (low, high) = if input.unsigned { (0, 255) } else { (-128, 127) };
        check_range(OP, What::ZeroPoint, low, high, i64::from(input.zero_point))?;
        let mut kept = Buffer::zeroed(OP, checked_area(OP, columns, depth)?)?;
        for (n, codes) in codes.chunks_exact(row).enumerate() {
            let zero = i64::from(*zero_points.get(n).unwrap_or(&zero_points[0]));
            for tap in 0..depth {
                let weight = i64::from(code_at(codes, bits, tap)) - zero;
                let out_of_range = KernelError::new(ErrorCode::Range, OP, What::Code, 127, weight);
                kept[tap * columns + n] = i8::try_from(weight).map_err(|_| out_of_range)?;
            }
        }
        // |x - zero point| is at most 255 and |weight| at most 128.
        output.check(OP, columns, depth as i64 * 255 * 128)?;
        Ok(Self { walk, weights: kept, input, output, tier })
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
        lines_for::<u32>(2 * self.walk.geometry.window.taps()) + lines_for::<i32>(self.walk.outputs)
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
        let lists = scratch.take::<u32>(2 * self.walk.geometry.window.taps());
        let sums = scratch.take::<i32>(self.walk.outputs);
        for (image, x) in x.chunks_exact(x_len).enumerate() {
            let out = out.from(image * y_len);
            match self.tier.effective() {
                Tier::Scalar => self.image::<Scalar>(x, out, lists, sums),
                #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
                _ => self.image::<super::simd128::Simd128>(x, out, lists, sums),
                #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
                _ => unreachable!("a tier above the build's"),
            }
        }
        Ok(())
    }

    fn image<T: BytePixel>(&self, x: &[i8], mut out: OutputMut<'_>, lists: &mut [u32], sums: &mut [i32]) {
        let row = self.output.kind().row_len(self.walk.outputs);
        self.walk.pixels(lists, |at, taps| {
            T::pixel(x, self.input, &self.weights, &taps, self.walk.outputs / self.walk.channels, sums);
            self.output.apply(self.tier, sums, out.from(at * row));
        });
    }
}
