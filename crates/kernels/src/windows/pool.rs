//! Pooling of planes.

use crate::buffer::Element;
use crate::error::{KernelError, Result, What, check_range, check_shape, checked_area};

use super::{OP, Windows};

/// What a window becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The largest element. A NaN makes it the canonical NaN.
    Max,
    /// One chain over the taps inside the image from +0 on, divided by their number.
    Average,
    /// The same divided by the number of taps inside the image or its padding.
    AverageWithPadding,
    /// `(sum |x|^p)^(1/p)`, one chain; p at least 1. `powf` of `libm` but for p = 1 and 2.
    Norm(u32),
}

/// An element type that has a maximum.
pub trait Pooled: Element + PartialOrd {
    /// Whether `x` becomes the maximum after `best`: of equal ones the first stays.
    fn beats(x: Self, best: Self) -> bool {
        x > best
    }

    /// The maximum as it is written.
    #[must_use]
    fn canonical(self) -> Self {
        self
    }
}

impl Pooled for i8 {}
impl Pooled for u8 {}

impl Pooled for f32 {
    fn beats(x: Self, best: Self) -> bool {
        x > best || (x.is_nan() && !best.is_nan())
    }

    fn canonical(self) -> Self {
        if self.is_nan() { Self::from_bits(0x7fc0_0000) } else { self }
    }
}

/// Pooling of planes `[spatial...]`, each on its own.
#[derive(Clone, Copy, Debug)]
pub struct PoolNd {
    windows: Windows,
    reduction: Reduction,
}

impl PoolNd {
    /// # Errors
    /// `Range` where a place has no tap inside the image, or a norm's p is 0.
    pub fn new(windows: Windows, reduction: Reduction) -> Result<Self> {
        for axis in &windows.axes {
            if let Some(at) = (0..axis.output).find(|&at| axis.inside(at).is_empty()) {
                return Err(KernelError::range(OP, What::Padding, 0, at));
            }
        }
        if let Reduction::Norm(p) = reduction {
            check_range(OP, What::Kind, 1, i64::from(u32::MAX), i64::from(p))?;
        }
        Ok(Self { windows, reduction })
    }

    /// Elements of a plane of x and of y.
    pub fn lengths(&self) -> [usize; 2] {
        [self.windows.pixels(), self.windows.places()]
    }

    fn planes<'a, T: Element, U: Element>(
        &self,
        x: &'a [T],
        planes: usize,
        y: &'a mut [U],
    ) -> Result<impl Iterator<Item = (&'a [T], &'a mut [U])>> {
        let [pixels, places] = self.lengths();
        check_shape(OP, What::Length, checked_area(OP, planes, pixels)?, x.len())?;
        check_shape(OP, What::Length, checked_area(OP, planes, places)?, y.len())?;
        Ok(x.chunks_exact(pixels).zip(y.chunks_exact_mut(places)))
    }

    /// Means or norms of `x [planes, pixels]` in `y [planes, places]`.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where the reduction is the maximum.
    pub fn run(&self, x: &[f32], planes: usize, y: &mut [f32]) -> Result<()> {
        if self.reduction == Reduction::Max {
            return Err(KernelError::range(OP, What::Kind, 1, 0));
        }
        for (x, y) in self.planes(x, planes, y)? {
            for (place, y) in y.iter_mut().enumerate() {
                *y = self.value(x, place);
            }
        }
        Ok(())
    }

    fn value(&self, x: &[f32], place: usize) -> f32 {
        let (mut sum, mut count) = (0.0_f32, 0);
        let mut add = |term: fn(f32, f32) -> f32, p: f32| {
            self.windows.visit(place, |_, pixel| {
                sum += term(x[pixel], p);
                count += 1;
            });
        };
        match self.reduction {
            Reduction::Norm(1) => {
                add(|x, _| x.abs(), 0.0);
                sum
            }
            Reduction::Norm(2) => {
                add(|x, _| x * x, 0.0);
                libm::sqrtf(sum)
            }
            Reduction::Norm(p) => {
                add(|x, p| libm::powf(x.abs(), p), p as f32);
                libm::powf(sum, 1.0 / p as f32)
            }
            Reduction::AverageWithPadding => {
                add(|x, _| x, 0.0);
                let at = self.windows.place(place);
                let taps = self.windows.axes.iter().zip(at).map(|(axis, at)| axis.padded(at));
                sum / taps.product::<usize>() as f32
            }
            Reduction::Average | Reduction::Max => {
                add(|x, _| x, 0.0);
                sum / count as f32
            }
        }
    }

    /// Maxima of `x [planes, pixels]` in `y [planes, places]`, and in `indices`, where wanted, the element of x that each is: counted through all planes,
    /// the pixels of one row by row or, where `by_columns`, with the first axis running fastest. Of equal elements it is the first by rows.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn max<T: Pooled>(
        &self,
        x: &[T],
        planes: usize,
        y: &mut [T],
        mut indices: Option<&mut [i64]>,
        by_columns: bool,
    ) -> Result<()> {
        let [pixels, places] = self.lengths();
        let length = y.len();
        check_shape(OP, What::Length, length, indices.as_ref().map_or(length, |indices| indices.len()))?;
        for (plane, (x, y)) in self.planes(x, planes, y)?.enumerate() {
            for (place, y) in y.iter_mut().enumerate() {
                let mut best: Option<usize> = None;
                self.windows.visit(place, |_, pixel| {
                    if best.is_none_or(|best| T::beats(x[pixel], x[best])) {
                        best = Some(pixel);
                    }
                });
                // `new` saw a tap inside the image at every place.
                let pixel = best.unwrap_or_default();
                *y = x[pixel].canonical();
                if let Some(indices) = &mut indices {
                    let at = if by_columns { self.by_columns(pixel) } else { pixel };
                    indices[plane * places + place] = (plane * pixels + at) as i64;
                }
            }
        }
        Ok(())
    }

    /// A pixel's number where the first axis runs fastest.
    fn by_columns(&self, pixel: usize) -> usize {
        let [depth, height, width] = self.windows.axes.map(|axis| axis.input);
        let (d, h, w) = (pixel / (height * width), pixel / width % height, pixel % width);
        d + depth * (h + height * w)
    }
}
