//! Four centroids to a vector, four rows of x at a time. Each lane keeps the first of its least distances; of the four the least wins, and of equal ones the
//! lowest index.

use super::LANES;
use crate::v128::{
    V128, f32x4_add, f32x4_load, f32x4_lt, f32x4_mul, f32x4_pmin, f32x4_splat, f32x4_store, f32x4_sub,
    i32x4_add, i32x4_max, i32x4_splat, i32x4_store, v128_and,
};

/// Rows of x in a tile.
const ROWS: usize = 4;

/// Calls `put(i, index)` for every vector of x.
pub(super) fn assign<const PRODUCTS: bool>(
    x: &[f32],
    groups: &[f32],
    dimension: usize,
    mut put: impl FnMut(usize, u32),
) {
    let groups = groups.as_chunks::<LANES>().0;
    let tiles = x.chunks_exact(ROWS * dimension);
    let (rest, done) = (tiles.remainder(), x.len() / dimension / ROWS * ROWS);
    for (tile, x) in tiles.enumerate() {
        let rows = core::array::from_fn(|r| &x[r * dimension..][..dimension]);
        for (r, index) in nearest::<ROWS, PRODUCTS>(rows, groups).into_iter().enumerate() {
            put(tile * ROWS + r, index);
        }
    }
    for (r, x) in rest.chunks_exact(dimension).enumerate() {
        put(done + r, nearest::<1, PRODUCTS>([x], groups)[0]);
    }
}

#[inline(never)]
fn nearest<const R: usize, const PRODUCTS: bool>(x: [&[f32]; R], groups: &[[f32; LANES]]) -> [u32; R] {
    let mut least = [f32x4_splat(f32::INFINITY); R];
    let mut best = [i32x4_splat(0); R];
    let mut index = i32x4_splat(0);
    for group in groups.chunks_exact(x[0].len() + usize::from(PRODUCTS)) {
        let (start, group) = match group {
            [halves, group @ ..] if PRODUCTS => (f32x4_load(halves), group),
            group => (f32x4_splat(0.0), group),
        };
        let x = x.map(|x| &x[..group.len()]);
        let mut distance = [start; R];
        for (j, centroids) in group.iter().enumerate() {
            let centroids = f32x4_load(centroids);
            for (distance, x) in distance.iter_mut().zip(x) {
                *distance = if PRODUCTS {
                    f32x4_sub(*distance, f32x4_mul(f32x4_splat(x[j]), centroids))
                } else {
                    let difference = f32x4_sub(f32x4_splat(x[j]), centroids);
                    f32x4_add(*distance, f32x4_mul(difference, difference))
                };
            }
        }
        for ((least, best), distance) in least.iter_mut().zip(&mut best).zip(distance) {
            // A NaN is neither nearer nor the minimum. Indices only grow, so the last nearer one is the largest.
            *best = i32x4_max(*best, v128_and(index, f32x4_lt(distance, *least)));
            *least = f32x4_pmin(*least, distance);
        }
        index = i32x4_add(index, i32x4_splat(1));
    }
    core::array::from_fn(|r| first_of_lanes(least[r], best[r]))
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
