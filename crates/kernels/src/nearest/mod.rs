//! The nearest of many centroids: `code[i] = argmin_c Σ_j (x[i, j] - centroid[c, j])²`, the assignment of k-means and of product quantization.
//!
//! **Numbers.** A distance is `((0 + (x_0 - c_0)²) + (x_1 - c_1)²) + ...` in f32, no fused operation; the lowest index wins a tie, and 0 stands where no distance
//! is below infinity (a NaN or an infinity in x). So every tier gives the same codes, and they are those of the definition: no ‖c‖² - 2 x·c, whose rounding differs.
//!
//! | dimension | how | per x and centroid |
//! |---|---|---|
//! | 1 | search among sorted centroids from a grid of starting points (`sorted.rs`), in every tier | none: about 25 operations per x |
//! | 2 and more, scalar | the definition | 3 D operations |
//! | 2 and more, simd128 | 4 centroids to a vector, 4 rows of x at a time | 0.75 D + 1 vector operations |
//!
//! The one vector operation beside the distance is four: a comparison, a minimum, and for the index, which only grows, a mask and a maximum.
//!
//! [`Measure::Products`] is for passes of a training, where a tie may fall either way: two operations in place of three.

use crate::buffer::{Buffer, Element};
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::tier::Tier;

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;
mod sorted;

use sorted::Sorted;

const OP: Op = Op::Nearest;

/// Centroids side by side in a vector; their number is padded to a multiple of it.
const LANES: usize = 4;

/// The most centroids.
pub const MAX_CENTROIDS: usize = 1 << 24;

/// What a centroid is named by.
pub trait Code: Element {
    /// Centroids that it can name.
    const LIMIT: usize;

    /// Of an index below the limit.
    fn of(index: u32) -> Self;
}

impl Code for u8 {
    const LIMIT: usize = 256;

    fn of(index: u32) -> Self {
        index as Self
    }
}

impl Code for u32 {
    const LIMIT: usize = MAX_CENTROIDS;

    fn of(index: u32) -> Self {
        index
    }
}

/// What makes a centroid the nearest; in dimension 1 always the distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The distance of the module's definition.
    Distance,
    /// `((|c|² / 2 - x_0 c_0) - x_1 c_1) - ...` in f32, half the norm rounded once from its f64 sum: the same order but for rounding, which is that of |x| |c|.
    Products,
}

/// Centroids, laid out for their search.
pub struct Centroids {
    tier: Tier,
    dimension: usize,
    count: usize,
    layout: Layout,
}

enum Layout {
    Sorted(Sorted),
    /// `[count / 4][dimension][4]`, padded with infinity; with products, half the norms stand before each group, and those of the padding are infinite.
    Groups(Measure, Buffer<f32>),
}

impl Centroids {
    /// `vectors` is `[count, dimension]`, 1..=2^24 of them, any floats; one with a NaN or an infinity is never the nearest.
    ///
    /// # Errors
    /// `Range` where a size is out of range, `Shape` where the length is not a multiple of the dimension, `Memory`.
    pub fn new(tier: Tier, vectors: &[f32], dimension: usize) -> Result<Self> {
        Self::by(Measure::Distance, tier, vectors, dimension)
    }

    /// As [`Self::new`], nearest by another measure.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn by(measure: Measure, tier: Tier, vectors: &[f32], dimension: usize) -> Result<Self> {
        check_range(OP, What::Codebook, 1, i64::MAX, dimension as i64)?;
        check_shape(OP, What::Codebook, 0, vectors.len() % dimension)?;
        let count = vectors.len() / dimension;
        check_range(OP, What::Codebook, 1, MAX_CENTROIDS as i64, count as i64)?;
        let layout = if dimension == 1 {
            Layout::Sorted(Sorted::new(vectors)?)
        } else {
            let (products, padded) = (measure == Measure::Products, count.next_multiple_of(LANES));
            let lines = dimension + usize::from(products);
            let mut groups = Buffer::zeroed(OP, checked_area(OP, padded, lines)?)?;
            for c in 0..padded {
                let vector = vectors.get(c * dimension..(c + 1) * dimension);
                let group = &mut groups[c / LANES * lines * LANES..][..lines * LANES];
                let mut lane = group[c % LANES..].iter_mut().step_by(LANES);
                if products && let Some(half) = lane.next() {
                    let norm = vector
                        .map(|vector| vector.iter().fold(0.0, |sum, &v| sum + f64::from(v) * f64::from(v)));
                    *half = norm.map_or(f32::INFINITY, |norm| (norm / 2.0) as f32);
                }
                for (j, slot) in lane.enumerate() {
                    // Infinity less a product with 0 stays the farthest.
                    *slot = vector.map_or(if products { 0.0 } else { f32::INFINITY }, |vector| vector[j]);
                }
            }
            Layout::Groups(measure, groups)
        };
        Ok(Self { tier, dimension, count, layout })
    }

    /// Their number.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Floats of one.
    pub const fn dimension(&self) -> usize {
        self.dimension
    }

    /// The nearest centroid of each vector of `x [codes, dimension]`.
    ///
    /// # Errors
    /// `Shape` where `x` does not have its length, `Range` where the code cannot name every centroid.
    pub fn assign<C: Code>(&self, x: &[f32], codes: &mut [C]) -> Result<()> {
        check_range(OP, What::Codebook, 1, C::LIMIT as i64, self.count as i64)?;
        check_shape(OP, What::Length, checked_area(OP, codes.len(), self.dimension)?, x.len())?;
        match &self.layout {
            Layout::Sorted(sorted) => {
                for (&x, code) in x.iter().zip(codes) {
                    *code = C::of(sorted.nearest(x));
                }
            }
            Layout::Groups(measure, groups) => {
                let put = |i: usize, index: u32| codes[i] = C::of(index);
                match (self.tier.effective(), measure) {
                    (Tier::Scalar, Measure::Distance) => {
                        scalar::assign::<false>(x, groups, self.dimension, put);
                    }
                    (Tier::Scalar, Measure::Products) => {
                        scalar::assign::<true>(x, groups, self.dimension, put);
                    }
                    #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
                    (_, Measure::Distance) => simd128::assign::<false>(x, groups, self.dimension, put),
                    #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
                    (_, Measure::Products) => simd128::assign::<true>(x, groups, self.dimension, put),
                    #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
                    _ => unreachable!("a tier above the build's"),
                }
            }
        }
        Ok(())
    }

    /// The nearest of centroids of dimension 1.
    ///
    /// # Panics
    /// Where the dimension is another one.
    #[must_use]
    #[inline(always)]
    pub fn nearest_value(&self, x: f32) -> u32 {
        match &self.layout {
            Layout::Sorted(sorted) => sorted.nearest(x),
            Layout::Groups(..) => unreachable!("callers check the dimension"),
        }
    }
}
