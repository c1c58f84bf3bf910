//! Four levels to a vector. Each lane keeps the first of its least distances; of the four the least wins, and of equal ones the lowest level.

use super::nearest::{LANES, Search};
use crate::v128::{
    f32x4_add, f32x4_load, f32x4_lt, f32x4_mul, f32x4_splat, f32x4_store, f32x4_sub, i32x4_add, i32x4_load,
    i32x4_splat, i32x4_store, v128_bitselect,
};

/// 128-bit vectors.
pub(super) struct Simd128;

impl Search for Simd128 {
    fn nearest(x: &[f32], levels: &[f32], padded: usize) -> u8 {
        let mut least = f32x4_splat(f32::INFINITY);
        let mut best = i32x4_splat(0);
        let mut index = i32x4_load(&[0, 1, 2, 3]);
        for at in (0..padded).step_by(LANES) {
            let mut distance = f32x4_splat(0.0);
            for (&x, levels) in x.iter().zip(levels.chunks_exact(padded)) {
                let difference = f32x4_sub(f32x4_splat(x), f32x4_load(&levels[at..]));
                distance = f32x4_add(distance, f32x4_mul(difference, difference));
            }
            let nearer = f32x4_lt(distance, least);
            least = v128_bitselect(distance, least, nearer);
            best = v128_bitselect(index, best, nearer);
            index = i32x4_add(index, i32x4_splat(LANES as i32));
        }
        let (mut distances, mut levels) = ([0.0; LANES], [0; LANES]);
        f32x4_store(&mut distances, least);
        i32x4_store(&mut levels, best);
        let (mut result, mut smallest) = (levels[0], distances[0]);
        for (&level, &distance) in levels.iter().zip(&distances).skip(1) {
            if distance < smallest || (distance == smallest && level < result) {
                (result, smallest) = (level, distance);
            }
        }
        result as u8
    }
}
