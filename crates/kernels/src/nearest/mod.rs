//! The nearest of many centroids: `code[i] = argmin_c Σ_j (x[i, j] - centroid[c, j])²`, the assignment of k-means and of product quantization.
//!
//! **Numbers.** A distance is `((0 + (x_0 - c_0)²) + (x_1 - c_1)²) + ...` in f32, no fused operation; the lowest index wins a tie, and 0 stands where no distance
//! is below infinity (a NaN or an infinity in x). Every tier gives the codes of this definition.
//!
//! | dimension | how | per x and centroid |
//! |---|---|---|
//! | 1 | search among sorted centroids from a grid of starting points (`sorted.rs`), in every tier | none: about 25 operations per x |
//! | 2 and more, scalar | the definition, left off where it cannot become the least | 3 D operations at most |
//! | 2 to 64, simd128 | products of four rows of x with eight centroids (`gemm_f32`), and the definition where these cannot tell | 0.7 D + 2 vector instructions |
//! | more, simd128 | blocks of a matrix product, and the definition as above | 0.7 D |
//!
//! Products round otherwise than distances, so they decide only where a bound on both says that distances would decide likewise (`simd128.rs`): on N(0,1) all but 0.2 to 3 of a thousand
//! rows of 2 to 64 numbers, all but 78 of 1,024.

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

/// Centroids, laid out for their search.
pub struct Centroids {
    dimension: usize,
    count: usize,
    layout: Layout,
}

enum Layout {
    Sorted(Sorted),
    /// As they were given.
    Vectors(Buffer<f32>),
    #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
    Products(simd128::Products),
}

impl Centroids {
    /// `vectors` is `[count, dimension]`, 1..=2^24 of them, any floats; one with a NaN or an infinity is never the nearest.
    ///
    /// # Errors
    /// `Range` where a size is out of range, `Shape` where the length is not a multiple of the dimension, `Memory`.
    pub fn new(tier: Tier, vectors: &[f32], dimension: usize) -> Result<Self> {
        check_range(OP, What::Codebook, 1, i64::MAX, dimension as i64)?;
        check_shape(OP, What::Codebook, 0, vectors.len() % dimension)?;
        let count = vectors.len() / dimension;
        check_range(OP, What::Codebook, 1, MAX_CENTROIDS as i64, count as i64)?;
        let layout = match tier.effective() {
            _ if dimension == 1 => Layout::Sorted(Sorted::new(vectors)?),
            Tier::Scalar => Layout::Vectors(Buffer::from_slice(OP, vectors)?),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => Layout::Products(simd128::Products::new(vectors, dimension)?),
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier above the build's"),
        };
        Ok(Self { dimension, count, layout })
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
    /// `Shape` where `x` does not have its length, `Range` where the code cannot name every centroid, `Memory`.
    pub fn assign<C: Code>(&self, x: &[f32], codes: &mut [C]) -> Result<()> {
        check_range(OP, What::Codebook, 1, C::LIMIT as i64, self.count as i64)?;
        check_shape(OP, What::Length, checked_area(OP, codes.len(), self.dimension)?, x.len())?;
        match &self.layout {
            Layout::Sorted(sorted) => {
                for (&x, code) in x.iter().zip(codes) {
                    *code = C::of(sorted.nearest(x));
                }
            }
            Layout::Vectors(vectors) => {
                for (x, code) in x.chunks_exact(self.dimension).zip(codes) {
                    *code = C::of(scalar::nearest(x, vectors, |_| true));
                }
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            Layout::Products(products) => products.assign(x, |i, index| codes[i] = C::of(index))?,
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
        let Layout::Sorted(sorted) = &self.layout else { unreachable!("callers check the dimension") };
        sorted.nearest(x)
    }
}
