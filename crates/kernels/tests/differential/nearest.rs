//! The assignment equals the oracle in every tier: ties, duplicates, values that are no numbers, distances that overflow and vanish.

use lowbit_kernels::error::ErrorCode;
use lowbit_kernels::nearest::{Centroids, naive};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

fn assert_assigned(tier: Tier, x: &[f32], vectors: &[f32], dimension: usize) {
    let centroids = Centroids::new(tier, vectors, dimension).expect("valid");
    let expected: Vec<u32> = x.chunks_exact(dimension).map(|x| naive::nearest(x, vectors) as u32).collect();
    let mut indices = vec![u32::MAX; expected.len()];
    centroids.assign(x, &mut indices).expect("valid");
    let count = centroids.count();
    assert_eq!(indices, expected, "{tier}: {count} centroids of {dimension}");
    if count <= 256 {
        let mut codes = vec![7_u8; expected.len()];
        centroids.assign(x, &mut codes).expect("valid");
        assert!(codes.iter().zip(&expected).all(|(code, index)| u32::from(*code) == *index));
    }
}

pub(crate) fn check(tier: Tier) {
    let mut random = Random::new(1);
    for dimension in [1, 2, 3, 4, 8, 17] {
        for count in [1, 2, 3, 4, 5, 15, 16, 17, 64, 255, 256, 300] {
            // A coarse grid, so that equal distances are common; then floats of all sizes.
            let coarse = |r: &mut Random| r.int(-3, 3) as f32 * 0.5;
            let fine = |r: &mut Random| r.float() * 2_f32.powi(r.int(-4, 4));
            for value in [coarse as fn(&mut Random) -> f32, fine] {
                let vectors = random.many(count * dimension, value);
                let mut x = random.many(99 * dimension, value);
                for odd in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e30, -1e30, 1e-30, -0.0] {
                    x.extend(vec![odd; dimension]);
                }
                assert_assigned(tier, &x, &vectors, dimension);
            }
        }
    }
    // Vectors of several parts: whole blocks of rows and centroids, and rests of both.
    for (dimension, count, rows) in [(128, 9, 67), (129, 33, 64), (300, 41, 70), (257, 4, 3)] {
        let vectors = random.many(count * dimension, Random::float);
        let x = random.many(rows * dimension, Random::float);
        assert_assigned(tier, &x, &vectors, dimension);
    }
    not_numbers(tier, &mut random);
    for (i, special) in SPECIAL.iter().enumerate() {
        for dimension in [1, 2] {
            let vectors = &special[..special.len() / dimension * dimension];
            let mut x =
                vec![0.0, -0.0, 1.0, -1.0, 0.5, f32::MAX, f32::MIN, f32::NAN, f32::INFINITY, 3e-23, 1e-40];
            x.extend(random.many(101, |r| r.float() * [1e-22, 1.0, 3e19][i % 3]));
            assert_assigned(tier, &x, vectors, dimension);
        }
    }
    let refused = |vectors: &[f32], dimension| Centroids::new(tier, vectors, dimension).err().map(|e| e.code);
    assert_eq!(refused(&[], 1), Some(ErrorCode::Range));
    assert_eq!(refused(&[0.0; 3], 2), Some(ErrorCode::Shape));
    assert_eq!(refused(&[0.0; 3], 0), Some(ErrorCode::Range));
    let many = Centroids::new(tier, &[0.0; 257], 1).expect("valid");
    assert_eq!(many.assign(&[0.0], &mut [0_u8]).map_err(|e| e.code), Err(ErrorCode::Range));
    assert_eq!(many.assign(&[0.0], &mut [0_u32; 2]).map_err(|e| e.code), Err(ErrorCode::Shape));
}

/// A number that is none in one centroid alone, on every lane of two panels: products with it say nothing, and the others are as near as ever. Then in one row of a strip.
fn not_numbers(tier: Tier, random: &mut Random) {
    for (dimension, count) in [(2, 20), (17, 20), (130, 20)] {
        let vectors = random.many(count * dimension, Random::float);
        let x = random.many(8 * dimension, Random::float);
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30] {
            for at in 0..count {
                let mut vectors = vectors.clone();
                vectors[at * dimension + at % dimension] = odd;
                assert_assigned(tier, &x, &vectors, dimension);
            }
            for row in 0..8 {
                let mut x = x.clone();
                x[row * dimension + row % dimension] = odd;
                assert_assigned(tier, &x, &vectors, dimension);
            }
        }
    }
}

/// Centroids that a search may stumble over: equal ones, zeros of both signs, none that is finite, squares that vanish and overflow, a range that does.
const SPECIAL: [&[f32]; 9] = [
    &[1.0, 1.0, 1.0, 1.0],
    &[0.0, -0.0, 0.0, -0.0, 1.0],
    &[-0.0, 5.0, 0.0],
    &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN],
    &[f32::NAN, 2.0, f32::INFINITY, -2.0, f32::NEG_INFINITY, 2.0],
    &[3e-23, 1e-23, -1e-23, -3e-23, 2e-23, 0.0],
    &[f32::MAX, f32::MIN, 0.0, 1.0],
    &[3e19, -3e19, 1e19, 2e19],
    &[1e-45, -1e-45, 1e-40, 1.0, 1e38],
];

/// Neighbours of equal rounded distance reach far where x is far away: the lowest index wins among all of them.
#[test]
fn rounding_makes_ties_of_many_sorted_centroids() {
    for descending in [false, true] {
        let mut vectors: Vec<f32> = (0..500).map(|i| i as f32 / 64.0).collect();
        if descending {
            vectors.reverse();
        }
        let x = [1e8, -1e8, 3e7, 1.7e7, -2e9, 250.0 / 64.0, 3.93];
        assert_assigned(Tier::Scalar, &x, &vectors, 1);
    }
}
