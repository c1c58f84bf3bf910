//! What each place along an axis reads, and with which weights.

use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, checked_area};

use super::{Method, OP};

/// One axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Elements of x.
    pub input: usize,
    /// Elements of y.
    pub output: usize,
    /// Elements of y per element of x, which the sizes are a rounding of.
    pub scale: f32,
    /// Start and end of the region that [`Coordinates::TfCropAndResize`] reads, 0 to 1.
    pub region: [f32; 2],
}

/// From a place x of y to a coordinate of x (ONNX `coordinate_transformation_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// `(x + 0.5) / scale - 0.5`
    HalfPixel,
    /// The same around the middle of an image whose rounded size differs from scale times its size.
    HalfPixelSymmetric,
    /// As `HalfPixel`; 0 where y has one element.
    PytorchHalfPixel,
    /// `x * (input - 1) / (output - 1)`; 0 where y has one element.
    AlignCorners,
    /// `x / scale`
    Asymmetric,
    /// Evenly from start to end of the region; its middle where y has one element.
    TfCropAndResize,
    /// `(x + 0.5) / scale`
    TfHalfPixelForNearest,
}

impl Coordinates {
    /// All of them, in the order of their numbers across the border.
    pub const ALL: [Self; 7] = [
        Self::HalfPixel,
        Self::HalfPixelSymmetric,
        Self::PytorchHalfPixel,
        Self::AlignCorners,
        Self::Asymmetric,
        Self::TfCropAndResize,
        Self::TfHalfPixelForNearest,
    ];
}

/// Which element is nearest to a coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearest {
    /// Half way the lower.
    RoundPreferFloor,
    /// Half way the upper.
    RoundPreferCeil,
    /// The lower.
    Floor,
    /// The upper.
    Ceil,
}

impl Nearest {
    /// All of them, in the order of their numbers across the border.
    pub const ALL: [Self; 4] = [Self::RoundPreferFloor, Self::RoundPreferCeil, Self::Floor, Self::Ceil];
}

/// From a coordinate to weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Filter {
    /// The nearest element.
    Nearest(Nearest),
    /// The two around it (Bartlett).
    Linear,
    /// The four around it (Keys 1981) with its parameter a, -0.75 or -0.5.
    Cubic(f32),
}

impl Filter {
    /// Elements on each side that it reaches at scale 1.
    fn radius(self) -> f32 {
        if matches!(self, Self::Cubic(_)) { 2.0 } else { 1.0 }
    }

    /// The weight at distance x.
    fn weight(self, x: f32) -> f32 {
        let x = x.abs();
        match self {
            Self::Cubic(a) if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Self::Cubic(a) if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
            Self::Cubic(_) => 0.0,
            _ => (1.0 - x).max(0.0),
        }
    }
}

/// The table of an axis: as many sources and weights for every place.
pub struct Taps {
    input: usize,
    count: usize,
    sources: Buffer<u32>,
    weights: Buffer<f32>,
    /// 1 where a place lies outside the image and is extrapolated.
    outside: Buffer<u8>,
}

impl Taps {
    /// # Errors
    /// `Range` where a size is 0 or above 2^24 or the scale is not positive and finite, `Memory`.
    pub fn new(axis: &Axis, method: &Method) -> Result<Self> {
        for size in [axis.input, axis.output] {
            check_range(OP, What::Length, 1, 1 << 24, size as i64)?;
        }
        if !(axis.scale > 0.0 && axis.scale.is_finite()) {
            return Err(KernelError::new(ErrorCode::Range, OP, What::Scale, 0, axis.scale as i64));
        }
        let nearest = matches!(method.filter, Filter::Nearest(_));
        let shrink = if method.antialias && !nearest { axis.scale.min(1.0) } else { 1.0 };
        let reach = method.filter.radius() / shrink;
        // Taps from floor(coordinate) + first on; nearest has the one.
        let first = (-reach).floor() as i64 + 1;
        let count = if nearest { 1 } else { (2 - 2 * first) as usize };
        check_range(OP, What::Taps, 1, 1 << 16, count as i64)?;
        let entries = checked_area(OP, axis.output, count)?;
        let mut table = Self {
            input: axis.input,
            count,
            sources: Buffer::zeroed(OP, entries)?,
            weights: Buffer::zeroed(OP, entries)?,
            outside: Buffer::zeroed(OP, axis.output)?,
        };
        let last = axis.input as i64 - 1;
        let places = table.sources.chunks_exact_mut(count).zip(table.weights.chunks_exact_mut(count));
        for (at, (sources, weights)) in places.enumerate() {
            let x = coordinate(axis, method.coordinates, at);
            let crops = method.coordinates == Coordinates::TfCropAndResize;
            table.outside[at] = u8::from(crops && !(0.0..=last as f32).contains(&x));
            if let Filter::Nearest(nearest) = method.filter {
                (sources[0], weights[0]) = (round(x, nearest).clamp(0, last) as u32, 1.0);
                continue;
            }
            let floor = x.floor();
            let mut sum = 0.0;
            for (t, (source, weight)) in sources.iter_mut().zip(weights.iter_mut()).enumerate() {
                let offset = first + t as i64;
                let at = floor as i64 + offset;
                *source = at.clamp(0, last) as u32;
                let drops = method.exclude_outside && !(0..=last).contains(&at);
                *weight =
                    if drops { 0.0 } else { method.filter.weight((offset as f32 - (x - floor)) * shrink) };
                sum += *weight;
            }
            if sum == 0.0 {
                // All of them were dropped: the border alone.
                weights[0] = 1.0;
            } else if method.exclude_outside || shrink < 1.0 {
                // Weights of a whole filter at scale 1 have the sum 1 already.
                for weight in weights.iter_mut() {
                    *weight /= sum;
                }
            }
        }
        Ok(table)
    }

    /// Elements of x.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Elements of y.
    pub fn output(&self) -> usize {
        self.outside.len()
    }

    /// Whether place `at` is extrapolated.
    pub fn is_outside(&self, at: usize) -> bool {
        self.outside[at] != 0
    }

    /// Sources and weights of every place.
    pub fn places(&self) -> impl Iterator<Item = (&[u32], &[f32])> {
        self.sources.chunks_exact(self.count).zip(self.weights.chunks_exact(self.count))
    }

    /// Whether every place reads its own element alone, with the weight 1.
    pub(super) fn is_identity(&self) -> bool {
        let own = |(at, (sources, weights)): (usize, (&[u32], &[f32]))| {
            sources
                .iter()
                .zip(weights)
                .all(|(source, weight)| *weight == 0.0 || (*weight == 1.0 && *source as usize == at))
        };
        self.input == self.output()
            && self.outside.iter().all(|o| *o == 0)
            && self.places().enumerate().all(own)
    }
}

/// In f32, in the order of onnxruntime's expressions, so that nearest elements agree with its.
fn coordinate(axis: &Axis, coordinates: Coordinates, at: usize) -> f32 {
    let (x, scale) = (at as f32, axis.scale);
    let (input, output) = (axis.input as f32, axis.output as f32);
    let half = (x + 0.5) / scale - 0.5;
    let [start, end] = axis.region;
    match coordinates {
        Coordinates::HalfPixelSymmetric => input / 2.0 * (1.0 - output / (scale * input)) + half,
        Coordinates::PytorchHalfPixel | Coordinates::AlignCorners if axis.output == 1 => 0.0,
        Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => half,
        Coordinates::AlignCorners => x * (input - 1.0) / (output - 1.0),
        Coordinates::Asymmetric => x / scale,
        Coordinates::TfCropAndResize if axis.output == 1 => 0.5 * (start + end) * (input - 1.0),
        Coordinates::TfCropAndResize => {
            start * (input - 1.0) + x * (end - start) * (input - 1.0) / (output - 1.0)
        }
        Coordinates::TfHalfPixelForNearest => (x + 0.5) / scale,
    }
}

fn round(x: f32, nearest: Nearest) -> i64 {
    let floor = x.floor();
    let value = match nearest {
        Nearest::RoundPreferFloor if x - floor <= 0.5 => floor,
        Nearest::RoundPreferCeil if x - floor < 0.5 => floor,
        Nearest::RoundPreferFloor | Nearest::RoundPreferCeil => floor + 1.0,
        Nearest::Floor => floor,
        Nearest::Ceil => x.ceil(),
    };
    value as i64
}
