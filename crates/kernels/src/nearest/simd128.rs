//! Four centroids to a vector, four rows of x at a time. Each lane keeps the first of its least distances; of the four the least wins, and of
//! equal ones the lowest index.
//!
//! Of vectors longer than [`PART`] a tile's centroids would come from memory for every four rows: there a block of rows and one of centroids meet part by part, and the sums wait.

use super::LANES;
use crate::v128::{
    V128, f32x4_add, f32x4_load, f32x4_lt, f32x4_mul, f32x4_pmin, f32x4_splat, f32x4_store, f32x4_sub,
    i32x4_add, i32x4_max, i32x4_splat, i32x4_store, v128_and,
};

/// Rows of x in a tile.
const ROWS: usize = 4;

/// Numbers of a part of long vectors, tiles of a block of rows and groups of a block of centroids: 16 kB of centroids and 2 kB of a tile meet in the nearest cache.
const PART: usize = 128;
const TILES: usize = 16;
const GROUPS: usize = 8;

/// Four centroids, number by number.
type Group<'a> = &'a [[f32; LANES]];

/// Calls `put(i, index)` for every vector of x.
pub(super) fn assign<const PRODUCTS: bool>(
    x: &[f32],
    groups: &[f32],
    dimension: usize,
    mut put: impl FnMut(usize, u32),
) {
    let groups = groups.as_chunks::<LANES>().0;
    for (block, x) in x.chunks(TILES * ROWS * dimension).enumerate() {
        let tiles = x.len() / (ROWS * dimension);
        let mut best = [Best::<ROWS>::new(); TILES];
        if dimension > PART {
            meet_in_parts::<PRODUCTS>(x, groups, dimension, &mut best[..tiles]);
        } else {
            for (x, best) in x.chunks_exact(ROWS * dimension).zip(&mut best) {
                *best = meet::<ROWS, PRODUCTS>(rows_of(x, dimension, 0, dimension), groups);
            }
        }
        let first = block * TILES * ROWS;
        for (tile, best) in best[..tiles].iter().enumerate() {
            for (row, index) in best.indices().into_iter().enumerate() {
                put(first + tile * ROWS + row, index);
            }
        }
        for (row, x) in x.chunks_exact(dimension).enumerate().skip(tiles * ROWS) {
            put(first + row, meet::<1, PRODUCTS>([x], groups).indices()[0]);
        }
    }
}

/// Numbers `from..to` of the first R vectors.
#[inline(always)]
fn rows_of<const R: usize>(x: &[f32], dimension: usize, from: usize, to: usize) -> [&[f32]; R] {
    core::array::from_fn(|r| &x[r * dimension..][from..to])
}

/// Of one tile, group by group.
#[inline(never)]
fn meet<const R: usize, const PRODUCTS: bool>(x: [&[f32]; R], groups: Group<'_>) -> Best<R> {
    let mut best = Best::new();
    for group in groups.chunks_exact(x[0].len() + usize::from(PRODUCTS)) {
        let sums = accumulate::<R, PRODUCTS>([start::<PRODUCTS>(group); R], x, numbers::<PRODUCTS>(group));
        best.see(sums);
    }
    best
}

/// A block of rows, one `best` to a tile.
#[inline(never)]
fn meet_in_parts<const PRODUCTS: bool>(
    x: &[f32],
    groups: Group<'_>,
    dimension: usize,
    best: &mut [Best<ROWS>],
) {
    let lines = dimension + usize::from(PRODUCTS);
    for groups in groups.chunks(GROUPS * lines) {
        let mut sums = [[[f32x4_splat(0.0); ROWS]; GROUPS]; TILES];
        for from in (0..dimension).step_by(PART) {
            let to = (from + PART).min(dimension);
            for (x, sums) in x.chunks_exact(ROWS * dimension).zip(&mut sums) {
                let x = rows_of(x, dimension, from, to);
                for (sums, group) in sums.iter_mut().zip(groups.chunks_exact(lines)) {
                    let before = if from == 0 { [start::<PRODUCTS>(group); ROWS] } else { *sums };
                    *sums = accumulate::<ROWS, PRODUCTS>(before, x, &numbers::<PRODUCTS>(group)[from..to]);
                }
            }
        }
        for (best, sums) in best.iter_mut().zip(sums) {
            for sums in &sums[..groups.len() / lines] {
                best.see(*sums);
            }
        }
    }
}

/// What the sums of a group begin with.
#[inline(always)]
fn start<const PRODUCTS: bool>(group: Group<'_>) -> V128 {
    if PRODUCTS { f32x4_load(&group[0]) } else { f32x4_splat(0.0) }
}

/// A group without what its sums begin with.
#[inline(always)]
fn numbers<const PRODUCTS: bool>(group: Group<'_>) -> Group<'_> {
    &group[usize::from(PRODUCTS)..]
}

/// The sums go on over the numbers of x and of a group: four at a time, for counting and checking cost as much as one of them.
#[inline(always)]
fn accumulate<const R: usize, const PRODUCTS: bool>(
    mut sums: [V128; R],
    x: [&[f32]; R],
    group: Group<'_>,
) -> [V128; R] {
    let (fours, rest) = group.as_chunks::<4>();
    let x = x.map(|x| x[..group.len()].as_chunks::<4>());
    for (i, [a, b, c, d]) in fours.iter().enumerate() {
        let x = x.map(|(x, _)| &x[i]);
        sums = step::<R, PRODUCTS>(sums, x.map(|x| x[0]), a);
        sums = step::<R, PRODUCTS>(sums, x.map(|x| x[1]), b);
        sums = step::<R, PRODUCTS>(sums, x.map(|x| x[2]), c);
        sums = step::<R, PRODUCTS>(sums, x.map(|x| x[3]), d);
    }
    for (j, centroids) in rest.iter().enumerate() {
        sums = step::<R, PRODUCTS>(sums, x.map(|(_, x)| x[j]), centroids);
    }
    sums
}

#[inline(always)]
fn step<const R: usize, const PRODUCTS: bool>(
    mut sums: [V128; R],
    x: [f32; R],
    centroids: &[f32; LANES],
) -> [V128; R] {
    let centroids = f32x4_load(centroids);
    for (sum, x) in sums.iter_mut().zip(x) {
        *sum = if PRODUCTS {
            f32x4_sub(*sum, f32x4_mul(f32x4_splat(x), centroids))
        } else {
            let difference = f32x4_sub(f32x4_splat(x), centroids);
            f32x4_add(*sum, f32x4_mul(difference, difference))
        };
    }
    sums
}

/// The least of the sums of each row and lane, and the group that it is of.
#[derive(Clone, Copy)]
struct Best<const R: usize> {
    least: [V128; R],
    group: [V128; R],
    next: V128,
}

impl<const R: usize> Best<R> {
    #[inline(always)]
    fn new() -> Self {
        Self { least: [f32x4_splat(f32::INFINITY); R], group: [i32x4_splat(0); R], next: i32x4_splat(0) }
    }

    /// The sums of the next group.
    #[inline(always)]
    fn see(&mut self, sums: [V128; R]) {
        for ((least, group), sums) in self.least.iter_mut().zip(&mut self.group).zip(sums) {
            // A NaN is neither nearer nor the minimum. Indices only grow, so the last nearer one is the largest.
            *group = i32x4_max(*group, v128_and(self.next, f32x4_lt(sums, *least)));
            *least = f32x4_pmin(*least, sums);
        }
        self.next = i32x4_add(self.next, i32x4_splat(1));
    }

    fn indices(&self) -> [u32; R] {
        core::array::from_fn(|r| first_of_lanes(self.least[r], self.group[r]))
    }
}

/// The index of the least distance among the lanes, whose indices count groups.
fn first_of_lanes(least: V128, best: V128) -> u32 {
    let (mut distances, mut groups) = ([0.0; LANES], [0; LANES]);
    f32x4_store(&mut distances, least);
    i32x4_store(&mut groups, best);
    let (mut index, mut smallest) = (groups[0] as u32 * LANES as u32, distances[0]);
    for lane in 1..LANES {
        let other = groups[lane] as u32 * LANES as u32 + lane as u32;
        if distances[lane] < smallest || (distances[lane] == smallest && other < index) {
            (index, smallest) = (other, distances[lane]);
        }
    }
    index
}
