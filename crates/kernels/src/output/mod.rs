//! The end of every integer matrix product: int32 accumulators become what the next layer reads.
//!
//! | transform | y |
//! |---|---|
//! | [`I32`](OutputTransform::I32) | `acc` |
//! | [`F32`](OutputTransform::F32) | `clamp(f32(acc) * scale[n] + bias[n])`, each step rounded once, no fused multiply-add |
//! | [`Int8`](OutputTransform::Int8) | `clamp(round_ties_even(f32(acc + bias[n]) * multiplier[n]) + zero_point)` |
//! | [`Bits`](OutputTransform::Bits) | bit `acc < threshold[n]`, packed 32 to a word, spare bits 0 |
//!
//! `acc` already holds every integer correction (zero points, padding). The steps are IEEE operations that every tier and
//! engine rounds alike, so all of them give the same bytes.

use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Op, Result, What, check_finite, check_range, check_shape};
use crate::layout::words_per_row;
use crate::tier::Tier;

mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub(crate) use simd128::Quantizer;

/// How accumulators become outputs. Per-column arrays have N elements.
pub enum OutputTransform {
    /// The sums themselves.
    I32,
    /// Dequantized, with bias and activation clamp.
    F32 {
        /// Finite.
        scale: Buffer<f32>,
        /// Finite.
        bias: Buffer<f32>,
        /// `[low, high]`, infinities allowed, `low <= high`.
        clamp: [f32; 2],
    },
    /// Requantized to bytes: int8, or uint8 where the clamp lies in 0..=255.
    Int8 {
        /// Finite.
        multiplier: Buffer<f32>,
        /// Added to the sum; a sum that could leave int32 is refused when the transform is bound to a kernel.
        bias: Buffer<i32>,
        /// Of the output.
        zero_point: i32,
        /// `[low, high]` of the quantized result, inside -128..=127 or 0..=255.
        clamp: [i32; 2],
    },
    /// One bit per column: -1 (bit 1) where `acc < threshold`.
    Bits {
        /// Any int32; `i32::MIN` is always +1.
        thresholds: Buffer<i32>,
    },
}

/// Where outputs go. Bytes of either signedness go to `Int8`.
pub enum OutputMut<'a> {
    /// One int32 per column.
    I32(&'a mut [i32]),
    /// One float per column.
    F32(&'a mut [f32]),
    /// One byte per column.
    Int8(&'a mut [i8]),
    /// `words_per_row(N)` words per row.
    Bits(&'a mut [u32]),
}

/// The element type of an output, by the number it has across the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum OutputKind {
    /// int32
    I32 = 0,
    /// f32
    F32 = 1,
    /// int8 or uint8
    Int8 = 2,
    /// packed bits
    Bits = 3,
}

impl OutputKind {
    /// Output elements (for bits: words) of a row of `n` columns.
    pub const fn row_len(self, n: usize) -> usize {
        match self {
            Self::Bits => words_per_row(n),
            _ => n,
        }
    }
}

impl OutputMut<'_> {
    /// Its element type.
    pub const fn kind(&self) -> OutputKind {
        match self {
            Self::I32(_) => OutputKind::I32,
            Self::F32(_) => OutputKind::F32,
            Self::Int8(_) => OutputKind::Int8,
            Self::Bits(_) => OutputKind::Bits,
        }
    }

    /// Elements (for bits: words).
    pub const fn len(&self) -> usize {
        match self {
            Self::I32(y) => y.len(),
            Self::F32(y) => y.len(),
            Self::Int8(y) => y.len(),
            Self::Bits(y) => y.len(),
        }
    }

    /// Whether it holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `len` elements from `start` on, for as long as `self` is borrowed.
    pub fn part(&mut self, start: usize, len: usize) -> OutputMut<'_> {
        match self {
            Self::I32(y) => OutputMut::I32(&mut y[start..][..len]),
            Self::F32(y) => OutputMut::F32(&mut y[start..][..len]),
            Self::Int8(y) => OutputMut::Int8(&mut y[start..][..len]),
            Self::Bits(y) => OutputMut::Bits(&mut y[start..][..len]),
        }
    }

    /// The same memory from element `start` on, for as long as `self` is borrowed.
    pub fn from(&mut self, start: usize) -> OutputMut<'_> {
        match self {
            Self::I32(y) => OutputMut::I32(&mut y[start..]),
            Self::F32(y) => OutputMut::F32(&mut y[start..]),
            Self::Int8(y) => OutputMut::Int8(&mut y[start..]),
            Self::Bits(y) => OutputMut::Bits(&mut y[start..]),
        }
    }
}

impl OutputTransform {
    /// What it writes.
    pub const fn kind(&self) -> OutputKind {
        match self {
            Self::I32 => OutputKind::I32,
            Self::F32 { .. } => OutputKind::F32,
            Self::Int8 { .. } => OutputKind::Int8,
            Self::Bits { .. } => OutputKind::Bits,
        }
    }

    /// Checks the arrays against `n` columns, and that no sum of magnitude up to `largest_sum` leaves int32.
    pub fn check(&self, op: Op, n: usize, largest_sum: i64) -> Result<()> {
        let mut largest = largest_sum;
        match self {
            Self::I32 => {}
            Self::F32 { scale, bias, clamp } => {
                check_shape(op, What::Scale, n, scale.len())?;
                check_shape(op, What::Bias, n, bias.len())?;
                check_finite(op, scale)?;
                check_finite(op, bias)?;
                if clamp[0].is_nan() || clamp[1].is_nan() || clamp[0] > clamp[1] {
                    return Err(KernelError::range(op, What::Clamp, 0, 1));
                }
            }
            Self::Int8 { multiplier, bias, zero_point, clamp } => {
                check_shape(op, What::Multiplier, n, multiplier.len())?;
                check_shape(op, What::Bias, n, bias.len())?;
                check_finite(op, multiplier)?;
                let (low, high) = if clamp[0] < 0 { (-128, 127) } else { (0, 255) };
                check_range(op, What::Clamp, low, i64::from(clamp[1]), i64::from(clamp[0]))?;
                check_range(op, What::Clamp, low, high, i64::from(clamp[1]))?;
                check_range(op, What::ZeroPoint, -128, 255, i64::from(*zero_point))?;
                largest += bias.iter().map(|b| i64::from(*b).abs()).max().unwrap_or(0);
            }
            Self::Bits { thresholds } => check_shape(op, What::Threshold, n, thresholds.len())?,
        }
        let limit = i64::from(i32::MAX);
        if largest > limit {
            return Err(KernelError::new(ErrorCode::Accumulator, op, What::Sum, limit, largest));
        }
        Ok(())
    }

    /// Transforms one row of N accumulators into the start of `out`.
    ///
    /// # Panics
    /// Where `out` is of another kind than [`OutputTransform::kind`] or too short: callers check first.
    pub fn apply(&self, tier: Tier, acc: &[i32], out: OutputMut<'_>) {
        self.apply_rows(tier, acc, acc.len(), acc.len(), out, self.kind().row_len(acc.len()));
    }

    /// Transforms the columns from `first` on of a row, as many as `acc` holds, into the start of `out`. For bits, `first` is a multiple of 32.
    ///
    /// # Panics
    /// As [`OutputTransform::apply`].
    #[inline(never)]
    pub fn apply_columns(&self, tier: Tier, first: usize, acc: &[i32], out: OutputMut<'_>) {
        match tier.effective() {
            Tier::Scalar => self.columns_with::<scalar::Scalar>(first, acc, out),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => self.columns_with::<simd128::Simd128>(first, acc, out),
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier above the build's"),
        }
    }

    #[inline]
    fn columns_with<T: Rows>(&self, first: usize, acc: &[i32], out: OutputMut<'_>) {
        let n = acc.len();
        let columns = first..first + n;
        match (self, out) {
            (Self::I32, OutputMut::I32(y)) => y[..n].copy_from_slice(acc),
            (Self::F32 { scale, bias, clamp }, OutputMut::F32(y)) => {
                T::f32(acc, &scale[columns.clone()], &bias[columns], *clamp, &mut y[..n]);
            }
            (Self::Int8 { multiplier, bias, zero_point, clamp }, OutputMut::Int8(y)) => {
                let (multiplier, bias) = (&multiplier[columns.clone()], &bias[columns]);
                T::int8(acc, multiplier, bias, *zero_point, *clamp, &mut y[..n]);
            }
            (Self::Bits { thresholds }, OutputMut::Bits(y)) => {
                T::bits(acc, &thresholds[columns], &mut y[..words_per_row(n)]);
            }
            (_, out) => panic!("output of kind {:?} for a transform to {:?}", out.kind(), self.kind()),
        }
    }

    /// Transforms the first `n` accumulators of every row of `acc [rows, pitch]`; row r starts `r * stride` elements (bits: words) into `out`.
    ///
    /// # Panics
    /// As [`OutputTransform::apply`].
    pub fn apply_rows(
        &self,
        tier: Tier,
        acc: &[i32],
        pitch: usize,
        n: usize,
        out: OutputMut<'_>,
        stride: usize,
    ) {
        let acc = acc.chunks_exact(pitch).map(|row| &row[..n]);
        match tier.effective() {
            Tier::Scalar => self.apply_with::<scalar::Scalar>(acc, n, out, stride),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => self.apply_with::<simd128::Simd128>(acc, n, out, stride),
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier above the build's"),
        }
    }

    fn apply_with<'a, T: Rows>(
        &self,
        acc: impl Iterator<Item = &'a [i32]>,
        n: usize,
        out: OutputMut<'_>,
        stride: usize,
    ) {
        // The last row may end with `out`, before its stride does.
        match (self, out) {
            (Self::I32, OutputMut::I32(y)) => {
                for (acc, y) in acc.zip(y.chunks_mut(stride)) {
                    y[..n].copy_from_slice(acc);
                }
            }
            (Self::F32 { scale, bias, clamp }, OutputMut::F32(y)) => {
                for (acc, y) in acc.zip(y.chunks_mut(stride)) {
                    T::f32(acc, scale, bias, *clamp, &mut y[..n]);
                }
            }
            (Self::Int8 { multiplier, bias, zero_point, clamp }, OutputMut::Int8(y)) => {
                for (acc, y) in acc.zip(y.chunks_mut(stride)) {
                    T::int8(acc, multiplier, bias, *zero_point, *clamp, &mut y[..n]);
                }
            }
            (Self::Bits { thresholds }, OutputMut::Bits(y)) => {
                for (acc, y) in acc.zip(y.chunks_mut(stride)) {
                    T::bits(acc, thresholds, &mut y[..words_per_row(n)]);
                }
            }
            (_, out) => panic!("output of kind {:?} for a transform to {:?}", out.kind(), self.kind()),
        }
    }
}

/// One row of each transform, in one tier. All slices hold N elements, words of bits apart.
trait Rows {
    fn f32(acc: &[i32], scale: &[f32], bias: &[f32], clamp: [f32; 2], y: &mut [f32]);
    fn int8(acc: &[i32], multiplier: &[f32], bias: &[i32], zero_point: i32, clamp: [i32; 2], y: &mut [i8]);
    fn bits(acc: &[i32], thresholds: &[i32], y: &mut [u32]);
}

/// Adds a correction to accumulators: `acc[i] += correction[i]`.
pub fn add_correction(acc: &mut [i32], correction: &[i32]) {
    for (a, c) in acc.iter_mut().zip(correction) {
        *a += c;
    }
}
