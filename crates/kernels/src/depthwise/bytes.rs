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

/// Channels whose weights lie side by side.
pub(super) const BLOCK: usize = 16;

/// One pixel of a tier.
pub(super) trait BytePixel {
    /// `sums[o] = Σ_tap (x[tap + o / multiplier] - zero point) * w[tap][o]`, all outputs of a pixel; `sums` has room for whole blocks.
    fn pixel(layer: &DepthwiseAffine, x: &[i8], taps: &Taps<'_>, fill: &[i8; BLOCK], sums: &mut [i32]);
}

/// Weights and output transform of one layer.
pub struct DepthwiseAffine {
    pub(super) walk: Walk,
    /// `[block of 16 outputs][pair of taps][output][2]`, zero points taken out, 0 where there is no output or second tap.
    pub(super) weights: Buffer<i16>,
    pub(super) input: AffineInput,
    output: OutputTransform,
    tier: Tier,
}

/// Pairs that the taps make.
pub(super) const fn pairs(taps: usize) -> usize {
    taps.div_ceil(2)
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
        let size = checked_area(OP, columns.next_multiple_of(BLOCK), 2 * pairs(depth))?;
        let mut kept = Buffer::zeroed(OP, size)?;
        let mut largest = 0;
        for (n, codes) in codes.chunks_exact(row).enumerate() {
            let zero = i64::from(*zero_points.get(n).unwrap_or(&zero_points[0]));
            let mut magnitude = 0;
            for tap in 0..depth {
                let weight = i64::from(code_at(codes, bits, tap)) - zero;
                let out_of_range = KernelError::new(ErrorCode::Range, OP, What::Code, 32767, weight);
                let at = (n / BLOCK * pairs(depth) + tap / 2) * BLOCK + n % BLOCK;
                kept[2 * at + tap % 2] = i16::try_from(weight).map_err(|_| out_of_range)?;
                magnitude += weight.abs();
            }
            largest = largest.max(magnitude * input.reach());
        }
        output.check(OP, columns, largest)?;
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
        lines_for::<u32>(2 * self.walk.geometry.window.taps())
            + lines_for::<i32>(self.walk.outputs.next_multiple_of(BLOCK))
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
        let sums = scratch.take::<i32>(self.walk.outputs.next_multiple_of(BLOCK));
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
        let fill = [self.input.zero(); BLOCK];
        self.walk.pixels::<true>(lists, |at, taps| {
            T::pixel(self, x, &taps, &fill, sums);
            self.output.apply(self.tier, &sums[..self.walk.outputs], out.from(at * row));
        });
    }
}
