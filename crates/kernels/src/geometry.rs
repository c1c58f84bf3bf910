//! Where a window sliding over an NHWC image lands: sizes, strides, dilation and padding, checked once.
//!
//! The output size along an axis is `floor((input + before + after - reach) / stride) + 1` with
//! `reach = (kernel - 1) * dilation + 1` (ONNX `Conv` and `MaxPool`, explicit pads, floor mode).

use crate::error::{KernelError, Op, Result, What, check_range};

/// A two-dimensional window; all in elements, `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Taps, each at least 1.
    pub kernel: [usize; 2],
    /// Steps between two outputs, each at least 1.
    pub strides: [usize; 2],
    /// Steps between two taps, each at least 1.
    pub dilations: [usize; 2],
    /// `[top, left, bottom, right]`.
    pub pads: [usize; 4],
}

impl Window {
    /// One tap, no stride, no padding: what makes a convolution a matrix product.
    pub const POINT: Self = Self { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0; 4] };

    /// Taps in the window.
    #[must_use]
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

/// A window over one image size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// `[height, width]` of the image.
    pub input: [usize; 2],
    /// `[height, width]` of the result, each at least 1.
    pub output: [usize; 2],
    /// The window.
    pub window: Window,
}

/// No size beyond this: products of a few of them stay far inside `usize` on a 32-bit target's checked paths.
const LIMIT: i64 = 1 << 24;

impl Geometry {
    /// Checks the sizes and computes the output's.
    ///
    /// # Errors
    /// `Range` where a size is 0 or above 2^24, `Shape` where the window does not fit the padded image.
    pub fn new(op: Op, input: [usize; 2], window: Window) -> Result<Self> {
        let mut output = [0; 2];
        for axis in 0..2 {
            let (size, kernel) = (input[axis], window.kernel[axis]);
            let (stride, dilation) = (window.strides[axis], window.dilations[axis]);
            let (before, after) = (window.pads[axis], window.pads[axis + 2]);
            check_range(op, What::Geometry, 1, LIMIT, size as i64)?;
            check_range(op, What::Geometry, 1, LIMIT, kernel as i64)?;
            check_range(op, What::Geometry, 1, LIMIT, stride as i64)?;
            check_range(op, What::Geometry, 1, LIMIT, dilation as i64)?;
            check_range(op, What::Padding, 0, LIMIT, before as i64)?;
            check_range(op, What::Padding, 0, LIMIT, after as i64)?;
            let reach = (kernel as u64 - 1) * dilation as u64 + 1;
            let padded = size as u64 + before as u64 + after as u64;
            if reach > padded {
                return Err(KernelError::shape(op, What::Geometry, reach as usize, padded as usize));
            }
            output[axis] = ((padded - reach) / stride as u64 + 1) as usize;
        }
        Ok(Self { input, output, window })
    }

    /// Pixels of one image.
    #[must_use]
    pub fn input_pixels(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Pixels of one result.
    #[must_use]
    pub fn output_pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Whether output pixel p is input pixel p and nothing else.
    #[must_use]
    pub fn is_point(&self) -> bool {
        self.window.kernel == [1, 1] && self.window.strides == [1, 1] && self.window.pads == [0; 4]
    }

    /// The taps `first..end` of output coordinate `at` along `axis` that lie inside the image (empty: `first == end`).
    #[must_use]
    pub fn inside(&self, axis: usize, at: usize) -> core::ops::Range<usize> {
        let start = at * self.window.strides[axis];
        let (pad, dilation) = (self.window.pads[axis], self.window.dilations[axis]);
        // Asked for every pixel: the usual dilation divides nothing.
        let taps = |distance: usize| if dilation == 1 { distance } else { distance.div_ceil(dilation) };
        // Tap t reads input coordinate start + t * dilation - pad, which must lie in 0..input.
        let first = taps(pad.saturating_sub(start));
        let end = taps((self.input[axis] + pad).saturating_sub(start));
        let end = end.min(self.window.kernel[axis]);
        first.min(end)..end
    }

    /// The input coordinate of a tap that [`Self::inside`] admitted.
    #[must_use]
    pub fn source(&self, axis: usize, at: usize, tap: usize) -> usize {
        at * self.window.strides[axis] + tap * self.window.dilations[axis] - self.window.pads[axis]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every tap is inside exactly where plain signed arithmetic says so.
    #[test]
    fn inside_agrees_with_signed_arithmetic() {
        for (input, kernel, stride, dilation, before, after) in sizes() {
            let window = Window {
                kernel: [kernel, 1],
                strides: [stride, 1],
                dilations: [dilation, 1],
                pads: [before, 0, after, 0],
            };
            let Ok(g) = Geometry::new(Op::Conv, [input, 1], window) else {
                assert!((kernel - 1) * dilation + 1 > input + before + after);
                continue;
            };
            for at in 0..g.output[0] {
                for tap in 0..kernel {
                    let source = (at * stride + tap * dilation) as i64 - before as i64;
                    let expected = (0..input as i64).contains(&source);
                    assert_eq!(g.inside(0, at).contains(&tap), expected, "{window:?} at {at} tap {tap}");
                    if expected {
                        assert_eq!(g.source(0, at, tap) as i64, source);
                    }
                }
            }
        }
    }

    fn sizes() -> impl Iterator<Item = (usize, usize, usize, usize, usize, usize)> {
        (0..4 * 4 * 3 * 3 * 4 * 3)
            .map(|i| (i % 4 + 1, i / 4 % 4 + 1, i / 16 % 3 + 1, i / 48 % 3 + 1, i / 144 % 4, i / 576 % 3))
    }

    #[test]
    fn refuses_zero_and_windows_that_do_not_fit() {
        let fits = Window { kernel: [3, 3], ..Window::POINT };
        assert!(Geometry::new(Op::Conv, [3, 3], fits).is_ok());
        assert!(Geometry::new(Op::Conv, [2, 3], fits).is_err());
        assert!(Geometry::new(Op::Conv, [0, 3], fits).is_err());
        assert!(Geometry::new(Op::Conv, [3, 3], Window { strides: [0, 1], ..fits }).is_err());
    }
}
