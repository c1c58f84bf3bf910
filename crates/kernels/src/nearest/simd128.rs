//! Products first, `s = x·c - |c|² / 2`, of which the largest is that of the nearest but for rounding; distances by the definition only where the two largest are too near to each other to tell.
//!
//! **How near that is.** With u = 2^-24, γ = (D + 3) u / (1 - (D + 3) u), N = |x|² and M the largest |c|²: a product is off by at most γ (N / 2 + M) and a distance, |x - c|² <= 2 (N + M), by
//! γ times itself. So `s_b - s_c` > γ (3 N + 4 M) leaves c a larger rounded distance than b. `Bound` asks for twice 4 γ (N + M), which covers the rounding of N and of the
//! difference, and for more than what products lose that are no normal floats. Where |x|² or M is so large that a product may not be finite, distances tell.
//!
//! **What bounds it.** Of four rows and eight centroids, 16 D multiplications and additions, and 20 instructions more: a score is stored, and of every row the largest of each 32 is kept, so that only
//! blocks that hold one near the largest of all are read again.

use super::{OP, scalar};
use crate::buffer::{Buffer, Scratch};
use crate::error::{Result, checked_area};
use crate::gemm_f32::blocked::STRIP;
use crate::gemm_f32::simd128::Simd128;
use crate::gemm_f32::{GemmF32, Tile as _};
use crate::output::OutputMut;
use crate::rows::RowKernel;
use crate::tier::Tier;
use crate::v128::{
    V128, f32x4_add, f32x4_ge, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_splat, f32x4_store, i32x4_bitmask,
    v128_any_true,
};

/// Numbers of a vector up to which a strip of rows meets all centroids at once; beyond, they share the blocks of a matrix product.
const SHORT: usize = 64;

/// Rows of a block of long vectors.
const ROWS: usize = 64;

/// Centroids of a panel.
const WIDTH: usize = 8;

/// Numbers of a vector register.
const LANES: usize = 4;

/// Panels that are looked at again together, where the largest of their scores is near the largest of all.
const BLOCK: usize = 4;

/// Centroids, laid out for products.
pub(super) struct Products {
    dimension: usize,
    bound: Bound,
    /// As they were given.
    vectors: Buffer<f32>,
    layout: Layout,
}

enum Layout {
    /// Negative half norms `[panel][8]`, those of the padding -infinity, and numbers `[panel][dimension][8]`.
    Short {
        halves: Buffer<f32>,
        panels: Buffer<f32>,
    },
    Long(GemmF32),
}

impl Products {
    pub(super) fn new(vectors: &[f32], dimension: usize) -> Result<Self> {
        let count = vectors.len() / dimension;
        let padded = count.next_multiple_of(WIDTH);
        let mut halves = Buffer::zeroed(OP, padded)?;
        halves[count..].fill(f32::NEG_INFINITY);
        let mut most = 0.0;
        for (half, vector) in halves.iter_mut().zip(vectors.chunks_exact(dimension)) {
            let norm = vector.iter().fold(0.0, |sum, &v| sum + f64::from(v) * f64::from(v));
            *half = (norm / -2.0) as f32;
            // Once infinite it stays so.
            most = if norm.is_nan() { f64::INFINITY } else { norm.max(most) };
        }
        let layout = if dimension <= SHORT {
            let mut panels = Buffer::zeroed(OP, checked_area(OP, padded, dimension)?)?;
            for (c, vector) in vectors.chunks_exact(dimension).enumerate() {
                let panel = &mut panels[c / WIDTH * WIDTH * dimension..][..WIDTH * dimension];
                for (slot, &v) in panel[c % WIDTH..].iter_mut().step_by(WIDTH).zip(vector) {
                    *slot = v;
                }
            }
            Layout::Short { halves, panels }
        } else {
            let free = (f32::NEG_INFINITY, f32::INFINITY);
            Layout::Long(GemmF32::new(Tier::Simd128, count, dimension, vectors, &halves[..count], free)?)
        };
        let vectors = Buffer::from_slice(OP, vectors)?;
        Ok(Self { dimension, bound: Bound::new(dimension, most as f32), vectors, layout })
    }

    /// Calls `put(i, index)` for every vector of x.
    pub(super) fn assign(&self, x: &[f32], put: impl FnMut(usize, u32)) -> Result<()> {
        match &self.layout {
            Layout::Short { halves, panels } => self.assign_short(x, halves, panels, put),
            Layout::Long(product) => self.assign_long(x, product, put),
        }
    }

    /// Four rows at a time, their numbers side by side; rows that are left over by distances.
    fn assign_short(
        &self,
        x: &[f32],
        halves: &[f32],
        panels: &[f32],
        mut put: impl FnMut(usize, u32),
    ) -> Result<()> {
        let dimension = self.dimension;
        let halves = halves.as_chunks::<WIDTH>().0;
        let mut strip = Buffer::<f32>::zeroed(OP, STRIP * dimension)?;
        let mut scores = Buffer::<f32>::zeroed(OP, checked_area(OP, STRIP * WIDTH, halves.len())?)?;
        let scores = scores.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<STRIP>().0;
        let mut tops = Buffer::<f32>::zeroed(OP, STRIP * LANES * halves.len().div_ceil(BLOCK))?;
        let tops = tops.as_chunks_mut::<LANES>().0.as_chunks_mut::<STRIP>().0;
        let strips = x.chunks_exact(STRIP * dimension);
        let rest = x.len() / dimension / STRIP * STRIP;
        for (i, x) in strips.remainder().chunks_exact(dimension).enumerate() {
            put(rest + i, scalar::nearest(x, &self.vectors, |_| true));
        }
        for (s, x) in strips.enumerate() {
            Simd128::interleave(x, dimension, &mut strip);
            let strip = &strip.as_chunks().0[..dimension];
            let blocks = panels.chunks(BLOCK * WIDTH * dimension).zip(halves.chunks(BLOCK));
            for (((panels, halves), scores), tops) in blocks.zip(scores.chunks_mut(BLOCK)).zip(&mut *tops) {
                let mut most = [f32x4_splat(f32::NEG_INFINITY); STRIP];
                let panels = panels.chunks_exact(WIDTH * dimension);
                for ((panel, half), scores) in panels.zip(halves).zip(scores) {
                    meet(strip, &panel.as_chunks().0[..dimension], half, scores, &mut most);
                }
                for (top, most) in tops.iter_mut().zip(most) {
                    f32x4_store(top, most);
                }
            }
            for (r, x) in x.chunks_exact(dimension).enumerate() {
                let largest = tops.iter().fold(f32x4_splat(f32::NEG_INFINITY), |most, tops| {
                    f32x4_pmax(most, f32x4_load(&tops[r]))
                });
                let index = self.tell(x, largest, |near| {
                    for (block, (tops, scores)) in tops.iter().zip(scores.chunks(BLOCK)).enumerate() {
                        if v128_any_true(f32x4_ge(f32x4_load(&tops[r]), near.least)) {
                            for (p, scores) in scores.iter().enumerate() {
                                near.see(block * BLOCK + p, &scores[r]);
                            }
                        }
                    }
                });
                put(
                    s * STRIP + r,
                    index.unwrap_or_else(|least| self.measure(x, least, |c| scores[c / WIDTH][r][c % WIDTH])),
                );
            }
        }
        Ok(())
    }

    /// A block of rows at a time.
    fn assign_long(&self, x: &[f32], product: &GemmF32, mut put: impl FnMut(usize, u32)) -> Result<()> {
        let dimension = self.dimension;
        let stride = product.columns().next_multiple_of(WIDTH);
        let mut scores = Buffer::<f32>::zeroed(OP, checked_area(OP, ROWS, stride)?)?;
        scores.fill(f32::NEG_INFINITY);
        let mut scratch = Scratch::new();
        scratch.reserve(OP, product.scratch_lines(ROWS))?;
        for (block, x) in x.chunks(ROWS * dimension).enumerate() {
            let rows = x.len() / dimension;
            product.run_rows(x, rows, None, OutputMut::F32(&mut scores), stride, scratch.arena());
            for (r, (x, scores)) in x.chunks_exact(dimension).zip(scores.chunks_exact(stride)).enumerate() {
                let panels = scores.as_chunks::<WIDTH>().0;
                let largest = panels.iter().fold(f32x4_splat(f32::NEG_INFINITY), |most, scores| {
                    f32x4_pmax(most, f32x4_pmax(f32x4_load(scores), f32x4_load(&scores[LANES..])))
                });
                let index = self.tell(x, largest, |near| {
                    for (p, scores) in panels.iter().enumerate() {
                        near.see(p, scores);
                    }
                });
                put(block * ROWS + r, index.unwrap_or_else(|least| self.measure(x, least, |c| scores[c])));
            }
        }
        Ok(())
    }

    /// The nearest to x where its products tell: `look` shows them, of which the `largest` ones of lanes are known. If not, what the product of the nearest is at least.
    #[inline(always)]
    fn tell(&self, x: &[f32], largest: V128, look: impl FnOnce(&mut Near)) -> core::result::Result<u32, f32> {
        let mut lanes = [0.0; LANES];
        f32x4_store(&mut lanes, largest);
        let Some(bound) = self.bound.of(x) else { return Err(f32::NEG_INFINITY) };
        let least = lanes.into_iter().fold(f32::NEG_INFINITY, f32::max) - bound;
        let mut near = Near { least: f32x4_splat(least), count: 0, index: 0 };
        look(&mut near);
        if near.count == 1 { Ok(near.index) } else { Err(least) }
    }

    /// The nearest by distances, of those that have a product of at least that.
    #[inline(never)]
    fn measure(&self, x: &[f32], least: f32, score: impl Fn(usize) -> f32) -> u32 {
        scalar::nearest(x, &self.vectors, |c| least == f32::NEG_INFINITY || score(c) >= least)
    }
}

/// Scores of a strip with a panel, and row by row the largest so far, lane by lane of half a panel.
#[inline(always)]
fn meet(
    strip: &[[f32; STRIP]],
    panel: &[[f32; WIDTH]],
    half: &[f32; WIDTH],
    scores: &mut [[f32; WIDTH]; STRIP],
    most: &mut [V128; STRIP],
) {
    let mut sums = [[f32x4_load(half), f32x4_load(&half[LANES..])]; STRIP];
    for (x, panel) in strip.iter().zip(panel) {
        let panel = [f32x4_load(panel), f32x4_load(&panel[LANES..])];
        for (sums, &x) in sums.iter_mut().zip(x) {
            let x = f32x4_splat(x);
            sums[0] = f32x4_add(sums[0], f32x4_mul(x, panel[0]));
            sums[1] = f32x4_add(sums[1], f32x4_mul(x, panel[1]));
        }
    }
    for ((scores, sums), most) in scores.iter_mut().zip(sums).zip(most) {
        f32x4_store(scores, sums[0]);
        f32x4_store(&mut scores[LANES..], sums[1]);
        *most = f32x4_pmax(*most, f32x4_pmax(sums[0], sums[1]));
    }
}

/// Centroids whose product is near enough to the largest: how many, and the last of them.
struct Near {
    least: V128,
    count: u32,
    index: u32,
}

impl Near {
    #[inline(always)]
    fn see(&mut self, panel: usize, scores: &[f32; WIDTH]) {
        let mask = |scores: &[f32]| u32::from(i32x4_bitmask(f32x4_ge(f32x4_load(scores), self.least)));
        let mask = mask(scores) | mask(&scores[LANES..]) << LANES;
        if mask != 0 {
            self.count += mask.count_ones();
            self.index = (panel * WIDTH) as u32 + mask.trailing_zeros();
        }
    }
}

/// How far the two largest products must be apart.
struct Bound {
    /// 8 (D + 8) u
    slack: f32,
    /// The largest |c|²; infinite where the analysis does not hold.
    most: f32,
}

impl Bound {
    fn new(dimension: usize, most: f32) -> Self {
        let most = if dimension <= 1 << 20 { most } else { f32::INFINITY };
        Self { slack: (dimension + 8) as f32 / (1 << 21) as f32, most }
    }

    /// None where a product may not be finite.
    #[inline(always)]
    fn of(&self, x: &[f32]) -> Option<f32> {
        let sum = power(x) + self.most;
        (sum < f32::MAX / 4.0).then_some(self.slack * sum + f32::MIN_POSITIVE)
    }
}

/// |x|², in an order of its own: it decides how a nearest is found, and not which.
#[inline(always)]
fn power(x: &[f32]) -> f32 {
    let (fours, rest) = x.as_chunks::<4>();
    let sums = fours.iter().fold(f32x4_splat(0.0), |sums, x| {
        let x = f32x4_load(x);
        f32x4_add(sums, f32x4_mul(x, x))
    });
    let mut lanes = [0.0; 4];
    f32x4_store(&mut lanes, sums);
    rest.iter().fold(lanes.iter().sum(), |sum, x| sum + x * x)
}
