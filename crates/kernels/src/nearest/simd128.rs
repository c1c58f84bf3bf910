//! Products first, `s = x·c - |c|² / 2`, of which the largest is that of the nearest but for rounding; distances by the definition only where the two largest are too near to each other to tell.
//!
//! **How near that is.** With u = 2^-24, γ = (D + 3) u / (1 - (D + 3) u), N = |x|² and M the largest |c|²: a product is off by at most γ (N / 2 + M) and a distance, |x - c|² <= 2 (N + M), by
//! γ times itself. So `s_b - s_c` > γ (3 N + 4 M) leaves c a larger rounded distance than b. `Bound` asks for twice 4 γ (N + M), which covers the rounding of N and of the
//! difference, and for more than what products lose that are no normal floats. Infinities and NaNs fail the comparison, and are told by distances.

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
    V128, f32x4_add, f32x4_load, f32x4_lt, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_store,
    i32x4_add, i32x4_max, i32x4_splat, i32x4_store, v128_and,
};

/// Numbers of a vector up to which a strip of rows meets all centroids at once; beyond, they share the blocks of a matrix product.
const SHORT: usize = 64;

/// Rows of a block of long vectors.
const ROWS: usize = 64;

/// Centroids of a panel.
const WIDTH: usize = 8;

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
        let strips = x.chunks_exact(STRIP * dimension);
        let rest = x.len() / dimension / STRIP * STRIP;
        for (i, x) in strips.remainder().chunks_exact(dimension).enumerate() {
            put(rest + i, scalar::nearest(x, &self.vectors, |_| true));
        }
        for (s, x) in strips.enumerate() {
            Simd128::interleave(x, dimension, &mut strip);
            let strip = strip.as_chunks().0;
            for ((panel, half), scores) in
                panels.chunks_exact(WIDTH * dimension).zip(halves).zip(&mut *scores)
            {
                meet(strip, panel.as_chunks().0, half, scores);
            }
            for (r, x) in x.chunks_exact(dimension).enumerate() {
                let best = Best::of(scores.iter().map(|scores| &scores[r]));
                put(s * STRIP + r, self.tell(x, &best, |c| scores[c / WIDTH][r][c % WIDTH]));
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
                let best = Best::of(scores.as_chunks().0.iter());
                put(block * ROWS + r, self.tell(x, &best, |c| scores[c]));
            }
        }
        Ok(())
    }

    /// The nearest to x, of which every product is `score`d.
    #[inline(always)]
    fn tell(&self, x: &[f32], best: &Best, score: impl Fn(usize) -> f32) -> u32 {
        let bound = self.bound.of(x);
        let (largest, second) = best.largest_two();
        if largest - second > bound {
            return best.index(score);
        }
        let least = largest - bound;
        // A NaN on either side leaves it to the distance.
        scalar::nearest(x, &self.vectors, |c| score(c) >= least || least.is_nan() || score(c).is_nan())
    }
}

/// Scores of a strip with a panel.
#[inline(always)]
fn meet(
    strip: &[[f32; STRIP]],
    panel: &[[f32; WIDTH]],
    half: &[f32; WIDTH],
    scores: &mut [[f32; WIDTH]; STRIP],
) {
    let mut sums = [[f32x4_load(half), f32x4_load(&half[4..])]; STRIP];
    for (x, panel) in strip.iter().zip(panel) {
        let panel = [f32x4_load(panel), f32x4_load(&panel[4..])];
        for (sums, &x) in sums.iter_mut().zip(x) {
            let x = f32x4_splat(x);
            sums[0] = f32x4_add(sums[0], f32x4_mul(x, panel[0]));
            sums[1] = f32x4_add(sums[1], f32x4_mul(x, panel[1]));
        }
    }
    for (scores, sums) in scores.iter_mut().zip(sums) {
        f32x4_store(scores, sums[0]);
        f32x4_store(&mut scores[4..], sums[1]);
    }
}

/// How far the two largest products must be apart.
struct Bound {
    /// 8 (D + 8) u; infinite where the analysis does not hold.
    slack: f32,
    /// The largest |c|².
    most: f32,
}

impl Bound {
    fn new(dimension: usize, most: f32) -> Self {
        let slack =
            if dimension <= 1 << 20 { (dimension + 8) as f32 / (1 << 21) as f32 } else { f32::INFINITY };
        Self { slack, most }
    }

    #[inline(always)]
    fn of(&self, x: &[f32]) -> f32 {
        self.slack * (power(x) + self.most) + f32::MIN_POSITIVE
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

/// Of a row, lane by lane of half a panel: the largest score, the panel that has it, and the largest of the others.
struct Best {
    largest: V128,
    second: V128,
    panel: V128,
}

impl Best {
    #[inline(always)]
    fn of<'a>(scores: impl Iterator<Item = &'a [f32; WIDTH]>) -> Self {
        let none = f32x4_splat(f32::NEG_INFINITY);
        let mut best = Self { largest: none, second: none, panel: i32x4_splat(0) };
        let mut next = i32x4_splat(0);
        for scores in scores {
            let (a, b) = (f32x4_load(scores), f32x4_load(&scores[4..]));
            let (low, high) = (f32x4_pmin(a, b), f32x4_pmax(a, b));
            // Panels only grow, so the last one with a larger score is the largest. There is no NaN where the bound is finite, and a larger bound asks the distances.
            best.panel = i32x4_max(best.panel, v128_and(next, f32x4_lt(best.largest, high)));
            let others = f32x4_pmax(low, f32x4_pmin(best.largest, high));
            best.second = f32x4_pmax(best.second, others);
            best.largest = f32x4_pmax(best.largest, high);
            next = i32x4_add(next, i32x4_splat(1));
        }
        best
    }

    #[inline(always)]
    fn largest_two(&self) -> (f32, f32) {
        let (mut firsts, mut seconds) = ([0.0; 4], [0.0; 4]);
        f32x4_store(&mut firsts, self.largest);
        f32x4_store(&mut seconds, self.second);
        let (mut largest, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for value in firsts.into_iter().chain(seconds) {
            if value > largest {
                (largest, second) = (value, largest);
            } else if value > second {
                second = value;
            }
        }
        (largest, second)
    }

    /// The index of the largest score, where no other is as large.
    #[inline(always)]
    fn index(&self, score: impl Fn(usize) -> f32) -> u32 {
        let (mut firsts, mut panels) = ([0.0; 4], [0; 4]);
        f32x4_store(&mut firsts, self.largest);
        i32x4_store(&mut panels, self.panel);
        let (mut index, mut largest) = (0, f32::NEG_INFINITY);
        for (lane, (first, panel)) in firsts.into_iter().zip(panels).enumerate() {
            if first > largest {
                (index, largest) = (panel as usize * WIDTH + lane, first);
            }
        }
        (if score(index) == largest { index } else { index + 4 }) as u32
    }
}
