//! The loops equal their one-line definitions.

use lowbit_kernels::codebook_gemm::{CodedWeights, Decoding};
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::nearest::Centroids;
use lowbit_kernels::quantize::{
    Additive, Grid, Grouping, LloydPass, Side, abs_max, base_codes, choose, cluster_sums, cross, decode, error_sums,
    first_beyond, first_not_finite, fit_bases, hashed_sums, histogram, interleave, interval_sums, largest, level_scale, level_sums,
    lloyd_pass, mean_abs_above, min_max, mix, moments, nearer, nearest_bases, nearest_rotation, nearest_scaled,
    order_statistics, pack, pair, penalized_codes, refill, residual_signs, rotate, run_sums, scale_sums, signs,
    sort, sort_pairs, subtract, take, take_columns, ternary_scale, threshold_codes, unpack,
};
use lowbit_kernels::testing::{Random, pack_codes};
use lowbit_kernels::tier::Tier;

fn scaled() {
    let centroids = Centroids::new(Tier::Scalar, &[-1.0, 0.0, 1.0], 1).expect("valid");
    let grouping = Grouping::new(2, 3, 2).expect("valid");
    let x = [3.0, -2.0, 40.0, 1.0, 2.0, -9.0];
    let mut codes = [9; 6];
    nearest_scaled(&centroids, &grouping, &x, &[10.0, 20.0, 4.0, 10.0], &mut codes).expect("valid");
    // 0.3, -0.2 | 2 || 0.25, 0.5 (a tie: the lower level) | -0.9
    assert_eq!(codes, [1, 1, 2, 1, 1, 0]);
    let pairs = Centroids::new(Tier::Scalar, &[0.0; 4], 2).expect("valid");
    let refused = nearest_scaled(&pairs, &grouping, &x, &[1.0; 4], &mut codes);
    assert_eq!(refused.map_err(|e| e.code), Err(ErrorCode::Range));
}

fn statistics() {
    let grouping = Grouping::new(2, 5, 3).expect("valid");
    let x = [1.0, -2.0, 0.5, -0.0, 0.0, 4.0, 4.0, -8.0, 3.0, 0.25];
    let (mut y, mut min, mut max) = ([9.0; 4], [9.0; 4], [9.0; 4]);
    abs_max(&grouping, &x, &mut y).expect("valid");
    assert_eq!(y, [2.0, 0.0, 8.0, 3.0]);
    min_max(&grouping, &x, &mut min, &mut max).expect("valid");
    assert_eq!(min.map(f32::to_bits), [-2.0, -0.0, -8.0, 0.25].map(f32::to_bits));
    assert_eq!(max.map(f32::to_bits), [1.0, 0.0, 4.0, 3.0].map(f32::to_bits));
    let (mut mean, mut count) = ([9.0; 4], [9; 4]);
    mean_abs_above(&grouping, &x, &[0.75, -1.0, 4.0, 3.0], &mut mean, &mut count).expect("valid");
    assert_eq!((mean, count), ([1.5, 0.0, 8.0, 0.0], [2, 2, 1, 0]));
    assert_eq!(abs_max(&grouping, &x[1..], &mut y).map_err(|e| e.what), Err(What::Length));
    assert_eq!(abs_max(&grouping, &x, &mut y[1..]).map_err(|e| e.what), Err(What::Groups));
    assert!(Grouping::new(1, 0, 1).is_err() && Grouping::new(1, 1, 0).is_err());
    // In f32 the sum would stick at 2^24.
    let ones = vec![1.0_f32; (1 << 24) + 8];
    let all = Grouping::new(1, ones.len(), ones.len()).expect("valid");
    mean_abs_above(&all, &ones, &[-1.0], &mut mean[..1], &mut count[..1]).expect("valid");
    assert_eq!((mean[0], count[0]), (1.0, (1 << 24) + 8), "summed in f64");
}

fn grids() {
    let grouping = Grouping::new(1, 8, 4).expect("valid");
    let x = [0.5, 1.5, -2.5, 100.0, 1e30, f32::NEG_INFINITY, 0.75, -0.25];
    let grid = Grid { scale: &[1.0, 0.5], zero_points: &[8], offsets: &[], min_code: 1, max_code: 15 };
    let mut codes = [99; 8];
    grid.codes(&grouping, &x, &mut codes).expect("valid");
    assert_eq!(codes, [8, 10, 6, 15, 15, 1, 10, 8]);
    let mut errors = [9.0; 2];
    grid.errors(&grouping, &x[..], &mut errors).expect("valid");
    assert_eq!(errors[0], 0.25 + 0.25 + 0.25 + 93.0 * 93.0);
    let per_group = Grid { zero_points: &[8, 0], min_code: 0, ..grid };
    per_group.codes(&grouping, &x, &mut codes).expect("valid");
    assert_eq!(codes[4..], [15, 0, 2, 0]);
    let shifted = Grid { zero_points: &[0], offsets: &[-2.5, -0.25], min_code: 0, ..grid };
    shifted.codes(&grouping, &x, &mut codes).expect("valid");
    assert_eq!(codes, [3, 4, 0, 15, 15, 0, 2, 0]);
    shifted.errors(&grouping, &x[..], &mut errors).expect("valid");
    assert_eq!(errors[0], 0.0 + 0.0 + 0.0 + 87.5 * 87.5);
    let refused = |grid: Grid<'_>| grid.codes(&grouping, &x, &mut [0; 8]).err().map(|e| e.what);
    assert_eq!(refused(Grid { max_code: 256, ..grid }), Some(What::Code));
    assert_eq!(refused(Grid { min_code: 16, ..grid }), Some(What::Code));
    assert_eq!(refused(Grid { zero_points: &[0; 3], ..grid }), Some(What::ZeroPoint));
    assert_eq!(refused(Grid { scale: &[1.0], ..grid }), Some(What::Groups));
    assert_eq!(refused(Grid { offsets: &[1.0], ..grid }), Some(What::Groups));
}

fn clusters() {
    let x = [1.0, 2.0, 3.0, 4.0, -5.0, 6.0];
    let mut centroids = [9.0, 9.0, 1.5, 2.5, -5.0, 5.0];
    let mut codes = [9; 3];
    let pass = lloyd_pass(Tier::Scalar, &x, 2, &mut centroids, &mut codes).expect("valid");
    assert_eq!(codes, [1, 1, 2]);
    assert_eq!(centroids, [9.0, 9.0, 2.0, 3.0, -5.0, 6.0]);
    assert_eq!(pass, LloydPass { explained: 2.0 * 13.0 + 61.0, empty: Some(0), moved: true });
    // Of equally far ones the first.
    assert_eq!(refill(&x, &codes, &mut centroids, 2, 0), Ok(true));
    assert_eq!(centroids[..2], [1.0, 2.0]);
    let settled = [1.0, 2.0, 3.0, 4.0, -5.0, 6.0];
    centroids = settled;
    let pass = lloyd_pass(Tier::Scalar, &x, 2, &mut centroids, &mut codes).expect("valid");
    assert!(!pass.moved && pass.empty.is_none() && centroids == settled);
    assert_eq!(refill(&x, &codes, &mut centroids, 2, 1), Ok(false));
    let (mut sums, mut counts) = ([9.0; 6], [9; 3]);
    cluster_sums(&x, &[2, 0, 2], 2, &mut sums, &mut counts).expect("valid");
    assert_eq!((sums, counts), ([3.0, 4.0, 0.0, 0.0, -4.0, 8.0], [1, 0, 2]));
    assert_eq!(cluster_sums(&x, &[3, 0, 0], 2, &mut sums, &mut counts).map_err(|e| e.what), Err(What::Code));
    assert_eq!(cluster_sums(&x, &[0, 0], 2, &mut sums, &mut counts).map_err(|e| e.what), Err(What::Length));
    let mut codes = [0; 3];
    assert!(lloyd_pass(Tier::Scalar, &x, 4, &mut [0.0; 8], &mut codes).is_err());
    assert_eq!(refill(&x, &[3, 0, 0], &mut [0.0; 6], 2, 0).map_err(|e| e.what), Err(What::Code));
    assert_eq!(refill(&x, &[0; 3], &mut [0.0; 6], 2, 3).map_err(|e| e.what), Err(What::Code));
    assert_eq!(refill(&x, &[0; 2], &mut [0.0; 6], 2, 0).map_err(|e| e.what), Err(What::Length));

    let mut y = [0.0; 4];
    take(&x, &[4, 1], 2, &mut y).expect("valid");
    assert_eq!(y, [-5.0, 6.0, 2.0, 3.0]);
    take_columns(&x, &[4, 1], 2, 1, &mut y).expect("valid");
    assert_eq!(y, [-5.0, 2.0, 6.0, 3.0]);
    assert!(take(&x, &[5], 2, &mut y[..2]).is_err() && take_columns(&x, &[5], 2, 1, &mut y[..2]).is_err());
    let mut steps = [0.0; 4];
    take_columns(&x, &[0, 3], 3, 2, &mut steps).expect("valid");
    assert_eq!(steps, [1.0, 4.0, 3.0, 6.0]);
    assert!(take_columns(&x, &[0], 3, 0, &mut steps).is_err());
    let mut distances = [f32::INFINITY, 7.0];
    nearer(&y, 0, &mut distances).expect("valid");
    assert_eq!(distances, [0.0, 7.0]);
    nearer(&y, 1, &mut distances).expect("valid");
    assert_eq!(distances, [0.0, 0.0]);
    assert!(nearer(&y, 2, &mut distances).is_err());
    subtract(&mut y, &[1, 0], &[1.0, 2.0, -5.0, 4.0], 2).expect("valid");
    assert_eq!(y, [0.0, -2.0, 5.0, 1.0]);
    let mut sides = [0; 4];
    interleave(&[1, 2, 3, 4], 2, &mut sides).expect("valid");
    assert_eq!(sides, [1, 3, 2, 4]);
}

/// The intervals of sorted values, with and without weights, hold the sums of their values.
fn intervals() {
    let mut random = Random::new(8);
    for count in [1, 2, 63, 64, 65, 200] {
        for weighted in [false, true] {
            let x = random.many(count, |r| r.int(-9, 9) as f32 * 0.5);
            let weights = random.many(count, |r| if weighted { r.int(0, 3) as f32 } else { 1.0 });
            let mut sorted = x.clone();
            if weighted {
                sorted = vec![0.0; 2 * count];
                pair(&x, &weights, 0.25, &mut sorted).expect("valid");
            }
            if weighted {
                sort_pairs(&mut sorted);
            } else {
                sort(&mut sorted);
            }
            let mut runs = vec![0.0; 2 * count.div_ceil(64)];
            run_sums(&sorted, weighted, &mut runs).expect("valid");
            // Nothing lies between the second and the third.
            let bounds = [-2.25, 1.0, 1.0, 3.0];
            let mut result = [9.0; 20];
            interval_sums(&sorted, weighted, &runs, &bounds, &mut result).expect("valid");
            for (i, result) in result.as_chunks::<4>().0.iter().enumerate() {
                let inside = |x: f64| (i == 0 || x > bounds[i - 1]) && (i == 4 || x <= bounds[i]);
                let members = x.iter().zip(&weights).map(|(&x, &w)| (f64::from(x), f64::from(w).max(0.25)));
                let members: Vec<_> = members.filter(|&(x, _)| inside(x)).collect();
                let low = members.iter().map(|&(x, _)| x).reduce(f64::min).unwrap_or(0.0);
                let high = members.iter().map(|&(x, _)| x).reduce(f64::max).unwrap_or(0.0);
                let weight = members.iter().map(|&(_, w)| w).sum::<f64>();
                let moment = members.iter().map(|&(x, w)| w * x).sum::<f64>();
                // Halves and quarters: every order of the sums is exact.
                assert_eq!(*result, [weight, moment, low, high], "{count} {weighted} {i}");
            }
        }
    }
    assert!(run_sums(&[], false, &mut []).is_err() && run_sums(&[0.0; 3], true, &mut [0.0; 2]).is_err());
    assert!(interval_sums(&[0.0], false, &[0.0; 2], &[1.0], &mut [0.0; 4]).is_err());
}

fn penalized() {
    let x = [0.0, 0.9, 1.1, 2.0, -3.0];
    let (levels, mut codes) = ([0.0, 2.0], [9; 5]);
    penalized_codes(&x, &[], &levels, &[0.0, 0.0], &mut codes).expect("valid");
    assert_eq!(codes, [0, 0, 1, 1, 0]);
    // 1.1 is nearer to 2 by 0.4, which the penalty takes back unless the curvature doubles it.
    penalized_codes(&x, &[], &levels, &[0.0, 0.5], &mut codes).expect("valid");
    assert_eq!(codes, [0, 0, 0, 1, 0]);
    penalized_codes(&x, &[1.0, 1.0, 2.0, 0.0, 1.0], &levels, &[0.0, 0.5], &mut codes).expect("valid");
    assert_eq!(codes, [0, 0, 1, 0, 0]);
    penalized_codes(&x, &[0.0; 5], &levels, &[0.0; 2], &mut codes).expect("valid");
    assert_eq!(codes, [0, 0, 1, 1, 0], "no curvature: the nearest");
    penalized_codes(&x, &[], &levels, &[f32::INFINITY, 0.0], &mut codes).expect("valid");
    assert_eq!(codes, [1; 5]);
    let mut sums = [9.0; 8];
    level_sums(&[1.0, 2.0, 3.0], &[1.0, 0.5, 2.0], &[1, 0, 1], &mut sums).expect("valid");
    assert_eq!(sums, [1.0, 0.5, 1.0, 2.0, 2.0, 3.0, 7.0, 19.0]);
    assert!(level_sums(&[1.0], &[], &[2], &mut sums).is_err());
    assert!(penalized_codes(&x, &[1.0], &levels, &[0.0; 2], &mut codes).is_err());
    assert!(penalized_codes(&x, &[], &levels, &[0.0], &mut codes).is_err());
}

/// With a beam as wide as there are sums the search finds the best of all; narrower ones never make a vector worse, and neither does a fit.
fn additive() {
    let mut random = Random::new(9);
    let of = Additive { dimension: 3, count: 2, entries: 5 };
    let codebooks = random.many(30, |r| r.int(-8, 8) as f32 * 0.25);
    let x = random.many(60, |r| r.int(-8, 8) as f32 * 0.25);
    let least = |x: &[f32]| {
        let sum = |a: usize, b: usize| {
            (0..3).map(|j| (x[j] - codebooks[a * 3 + j] - codebooks[15 + b * 3 + j]).powi(2)).sum::<f32>()
        };
        (0..25).map(|i| sum(i / 5, i % 5)).fold(f32::INFINITY, f32::min)
    };
    let best = x.chunks(3).map(|x| f64::from(least(x))).sum::<f64>();
    let mut before = f64::INFINITY;
    for beam in [1, 2, 5, 25] {
        let mut codes = [0; 40];
        let start = of.error(&x, &codes, &codebooks).expect("valid");
        of.search(&x, &codebooks, beam, 2, &mut codes).expect("valid");
        let found = of.error(&x, &codes, &codebooks).expect("valid");
        assert!(found <= start && found >= best && found <= before, "{beam}: {found} of {start}, {best}");
        before = found;
        let mut fitted = codebooks.clone();
        for _ in 0..3 {
            let error = of.error(&x, &codes, &fitted).expect("valid");
            of.refit(&x, &codes, &mut fitted, 1).expect("valid");
            assert!(of.error(&x, &codes, &fitted).expect("valid") <= error * (1.0 + 1e-6));
        }
    }
    assert_eq!(before, best, "all first entries are in a beam of 5");
    let one = Additive { dimension: 2, count: 1, entries: 2 };
    let mut means = [0.0; 4];
    one.refit(&[1.0, 2.0, 3.0, 4.0, 8.0, 8.0], &[0, 0, 1], &mut means, 1).expect("valid");
    assert_eq!(means, [2.0, 3.0, 8.0, 8.0]);
    assert!(of.search(&x, &codebooks, 33, 1, &mut [0; 40]).is_err());
    assert!(of.search(&x, &codebooks, 1, 1, &mut [5; 40]).is_err());
    assert!(of.error(&x, &[0; 39], &codebooks).is_err());
}

/// The nearest rotation of a rotation times a positive matrix is that rotation, and vectors come back from a turn.
fn rotations() {
    let mut random = Random::new(10);
    for d in [1, 2, 3, 8] {
        // Any matrix has one; it is orthogonal, and applied to its own polar factor it changes nothing.
        let mut r: Vec<f64> = random.many(d * d, |r| f64::from(r.float()));
        let start = r.clone();
        nearest_rotation(&mut r, d).expect("regular");
        let product = |a: &dyn Fn(usize) -> f64, b: &dyn Fn(usize) -> f64| (0..d).map(|k| a(k) * b(k)).sum::<f64>();
        for (p, q) in (0..d * d).map(|i| (i / d, i % d)) {
            let unit = f64::from(u8::from(p == q));
            assert!((product(&|k| r[p * d + k], &|k| r[q * d + k]) - unit).abs() < 1e-12);
            // Rᵀ a is symmetric: the mark of the maximum of tr(Rᵀ a).
            let left = product(&|k| r[k * d + p], &|k| start[k * d + q]);
            let right = product(&|k| r[k * d + q], &|k| start[k * d + p]);
            assert!((left - right).abs() < 1e-12 * d as f64, "{d}: {left} {right}");
        }
        let mut again = r.clone();
        nearest_rotation(&mut again, d).expect("regular");
        assert!(again.iter().zip(&r).all(|(a, b)| (a - b).abs() < 1e-12));

        // Vectors turned by r, coded exactly (each is its own centroid): r is found again from nothing.
        let x = random.many(20 * d, Random::float);
        let transposed: Vec<f32> = (0..d * d).map(|i| r[i % d * d + i / d] as f32).collect();
        let mut y = vec![0.0; 20 * d];
        rotate(&x, d, &transposed, &mut y).expect("valid");
        let codes: Vec<u8> = (0..20).collect();
        let mut found = vec![0.0; d * d];
        (0..d).for_each(|p| found[p * d + p] = 1.0);
        cross(&x, d, &codes, &y, 1, &mut found).expect("valid");
        nearest_rotation(&mut found, d).expect("regular");
        assert!(found.iter().zip(&r).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {r:?}");
    }
    assert!(nearest_rotation(&mut [0.0; 4], 2).is_err() && rotate(&[0.0; 3], 2, &[0.0; 4], &mut [0.0; 3]).is_err());
    assert!(cross(&[0.0; 2], 2, &[1], &[0.0; 2], 1, &mut [0.0; 4]).is_err());
}

fn hashed() {
    let x = [1.0; 12];
    let (mut sums, mut counts) = ([0.0; 4], [0; 4]);
    hashed_sums(&x, 5, (4, 0), &mut sums, &mut counts).expect("valid");
    assert_eq!(counts.iter().sum::<u32>(), 12);
    // In parts they are the same.
    for first in 0..4 {
        let (mut sum, mut count) = ([7.0], [7]);
        hashed_sums(&x, 5, (4, first), &mut sum, &mut count).expect("valid");
        assert_eq!((sum[0], count[0]), (sums[first], counts[first]));
    }
    // What the values decode to is what they are the sums of.
    let values: Vec<f32> = sums.iter().zip(counts).map(|(sum, n)| (sum / f64::from(n.max(1))) as f32).collect();
    let coded = CodedWeights {
        columns: 3,
        depth: 4,
        bits: 0,
        codes: &[],
        decoding: Decoding::Hashed { values: &values, seed: 5, first: 0 },
        scales: &[],
        scale_rows: 1,
        group_size: 4,
    };
    let mut w = [0.0; 12];
    decode(&coded, &mut w).expect("valid");
    let dot: f32 = w.iter().sum();
    let power: f32 = w.iter().map(|w| w * w).sum();
    assert!((dot - power).abs() < 1e-5 && power > 0.0, "least squares: {dot} {power}");
    assert!(hashed_sums(&x, 5, (0, 0), &mut [], &mut []).is_err());
    assert!(hashed_sums(&x, 5, (4, 1), &mut sums, &mut counts).is_err(), "beyond the last");
    assert!(hashed_sums(&x, 5, (3, 0), &mut sums, &mut counts).is_err(), "more than there are");
}

fn codes() {
    for bits in 1..=8 {
        for per_row in [1, 3, 7, 8, 9, 17, 64] {
            let codes = Random::new(bits as u64).many(3 * per_row, |r| r.int(0, (1 << bits) - 1) as u8);
            let expected = pack_codes(&codes, per_row, bits);
            let mut packed = vec![255; expected.len()];
            pack(&codes, 3, per_row, bits, &mut packed).expect("valid");
            assert_eq!(packed, expected, "{bits} bits, {per_row} to a row");
            let mut back = vec![0; codes.len()];
            unpack(&packed, 3, per_row, bits, &mut back).expect("valid");
            assert_eq!(back, codes);
        }
    }
    assert!(pack(&[0; 8], 1, 8, 9, &mut [0; 9]).is_err() && pack(&[0; 8], 1, 8, 2, &mut [0; 3]).is_err());
    assert_eq!(pack(&[], 0, 0, 2, &mut []), Ok(()));
    let mut bits = [9; 5];
    signs(&[1.0, -1.0, 0.0, -0.0, f32::NAN], &mut bits).expect("valid");
    assert_eq!(bits, [0, 1, 0, 0, 0]);
    assert_eq!((first_beyond(&[0, 3, 4], 4), first_beyond(&[0, 3], 4)), (2, 2));
    assert_eq!((first_not_finite(&[0.0, f32::NAN]), first_not_finite(&[0.0, 1.0])), (1, 2));
}

fn figures() {
    let sums = error_sums(&[1.0, -2.0, 3.0], &[0.5, -2.0, 4.0]).expect("same length");
    assert_eq!([sums.noise, sums.signal, sums.power, sums.dot, sums.max_abs], [1.25, 14.0, 20.25, 16.5, 1.0]);
    for x in [[f32::NAN, 0.0], [0.0, f32::NAN]] {
        assert!(error_sums(&x, &[0.0, 1.0]).expect("same length").max_abs.is_nan());
    }
    assert!(error_sums(&[0.0], &[]).is_err());
}

fn decoding() {
    let good = CodedWeights {
        columns: 2,
        depth: 4,
        bits: 2,
        codes: &[0b11_10_01_00, 0b00_01_10_11],
        decoding: Decoding::Affine { zero_points: &[1, 0, 2, 3] },
        scales: &[0.5, 1.0, 2.0, 4.0],
        scale_rows: 2,
        group_size: 2,
    };
    let mut w = [9.0; 8];
    decode(&good, &mut w).expect("valid");
    assert_eq!(w, [-0.5, 0.0, 2.0, 3.0, 2.0, 0.0, -8.0, -12.0]);
    let product = Decoding::Product { codebook: &[1.0, 2.0, 3.0, 4.0], dimension: 2 };
    let weights = CodedWeights { decoding: product, codes: &[0b01_00, 0b00_01], scales: &[], ..good };
    decode(&weights, &mut w).expect("valid");
    assert_eq!(w, [1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    let beyond = CodedWeights { codes: &[0b10_00, 0], ..weights };
    assert_eq!(decode(&beyond, &mut w).map_err(|e| e.what), Err(What::Code));
    assert_eq!(decode(&good, &mut w[1..]).map_err(|e| e.what), Err(What::Length));
    assert_eq!(
        decode(&CodedWeights { scales: &[1.0; 3], ..good }, &mut w).map_err(|e| e.what),
        Err(What::Scale)
    );
}

fn order() {
    let grouping = Grouping::new(2, 5, 3).expect("valid");
    let x = [1.0, -2.0, 0.5, -0.0, 0.0, 4.0, 4.0, -8.0, 3.0, 0.25];
    let mut y = [9.0; 8];
    order_statistics(&grouping, &x, false, &[0, 2, 0, 1, 1, 1, 0, 1], &mut y).expect("valid");
    assert_eq!(y.map(f32::to_bits), [-2.0, 1.0, -0.0, 0.0, 4.0, 4.0, 0.25, 3.0].map(f32::to_bits));
    order_statistics(&grouping, &x, true, &[0, 2, 0, 1, 0, 2, 0, 1], &mut y).expect("valid");
    assert_eq!(y, [0.5, 2.0, 0.0, 0.0, 4.0, 8.0, 0.25, 3.0]);
    let refused = |ranks: &[u32]| {
        order_statistics(&grouping, &x, false, ranks, &mut vec![0.0; ranks.len()]).map_err(|e| e.what)
    };
    assert_eq!(refused(&[0, 0, 3, 0]), Err(What::Length), "beyond its group");
    assert_eq!(refused(&[1, 0, 0, 0, 0, 0, 0, 0]), Err(What::Length), "descending");
    assert_eq!(refused(&[0; 6]), Err(What::Groups));
    // Every rank of what sorting gives, repeated ones too.
    let many = Random::new(5).many(200, |r| r.int(-40, 40) as f32);
    let mut sorted = many.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let ranks: Vec<u32> = (0..400).map(|i| i / 2).collect();
    let mut found = vec![0.0; 400];
    let whole = Grouping::new(1, 200, 200).expect("valid");
    order_statistics(&whole, &many, false, &ranks, &mut found).expect("valid");
    assert!(found.iter().zip(0..).all(|(&y, i)| y == sorted[i / 2]));
}

fn largest_of() {
    let x = [1.0, -3.0, 2.0, 3.0, -2.0, 0.0];
    let take = |count, mut mask: [u8; 6]| largest(&x, count, &mut mask).map(|()| mask).map_err(|e| e.what);
    assert_eq!(take(0, [0; 6]), Ok([0; 6]));
    assert_eq!(take(1, [0; 6]), Ok([0, 1, 0, 0, 0, 0]), "the first of equal ones");
    assert_eq!(take(3, [0; 6]), Ok([0, 1, 1, 1, 0, 0]));
    assert_eq!(take(3, [1, 0, 0, 1, 0, 0]), Ok([1, 1, 0, 1, 0, 0]), "what is set stays");
    assert_eq!(take(6, [0; 6]), Ok([1; 6]));
    assert_eq!(take(1, [1, 1, 0, 0, 0, 0]), Err(What::Length));
    assert_eq!(take(7, [0; 6]), Err(What::Length));
}

fn histograms() {
    let grouping = Grouping::new(1, 6, 3).expect("valid");
    let x = [0.5, -1.0, 4.0, 0.0, -0.0, 3.0];
    let (mut counts, mut squares) = ([9; 8], [9.0; 8]);
    histogram(&grouping, &x, Side::Both, &[4.0, 0.0], 4, &mut counts, &mut squares).expect("valid");
    assert_eq!(counts, [1, 1, 0, 1, 2, 0, 0, 1], "the top is in the last bin, and what is beyond");
    assert_eq!(squares, [0.25, 1.0, 0.0, 16.0, 0.0, 0.0, 0.0, 9.0]);
    histogram(&grouping, &x, Side::Negative, &[4.0, 4.0], 4, &mut counts, &mut []).expect("valid");
    assert_eq!(counts, [0, 1, 0, 0, 0, 0, 0, 0]);
    histogram(&grouping, &x, Side::Positive, &[4.0, 4.0], 4, &mut counts, &mut []).expect("valid");
    assert_eq!(counts, [1, 0, 0, 1, 2, 0, 0, 1]);
    let refused = histogram(&grouping, &x, Side::Both, &[4.0, 4.0], 3, &mut counts, &mut []);
    assert_eq!(refused.map_err(|e| e.what), Err(What::Length));
}

fn thresholds() {
    let grouping = Grouping::new(1, 6, 3).expect("valid");
    let x = [-2.0, 0.0, 1.0, -2.0, 0.0, 1.0];
    let mut codes = [9; 6];
    threshold_codes(&grouping, &x, &[-1.0, 0.0, 0.0, 0.5], &[1.0, 4.0], &mut codes).expect("valid");
    assert_eq!(codes, [0, 3, 4, 1, 3, 3]);
    threshold_codes(&grouping, &x, &[], &[1.0; 2], &mut codes).expect("valid");
    assert_eq!(codes, [0; 6]);
    let refused = threshold_codes(&grouping, &x, &[0.0; 256], &[1.0; 2], &mut codes);
    assert_eq!(refused.map_err(|e| e.code), Err(ErrorCode::Range));
}

fn mixtures() {
    let (mut x, y) = ([1.0, 2.0, 3.0], [5.0, -6.0, 7.0]);
    choose(&mut x, &y, &[0, 1, 2]).expect("valid");
    assert_eq!(x, [1.0, -6.0, 7.0]);
    mix(&mut x, &y, 3.0).expect("valid");
    assert_eq!(x, [4.0, -6.0, 7.0]);
    assert!(mix(&mut x, &y[1..], 1.0).is_err() && choose(&mut x, &y, &[0]).is_err());
}

fn bases() {
    let grouping = Grouping::new(2, 4, 4).expect("valid");
    let x = [1.0, -2.0, 3.0, -4.0, 0.0, 0.0, 0.5, 0.5];
    let (mut codes, mut mean) = ([0xff; 8], [9.0; 2]);
    residual_signs(&grouping, &x, 0, &[], &mut codes, &mut mean).expect("valid");
    assert_eq!((codes, mean), ([0, 1, 0, 1, 0, 0, 0, 0], [2.5, 0.25]));
    residual_signs(&grouping, &x, 1, &[2.5, 0.25], &mut codes, &mut mean).expect("valid");
    assert_eq!((codes, mean), ([2, 1, 0, 3, 2, 2, 0, 0], [1.0, 0.25]));
    let mut fitted = [9.0; 4];
    fit_bases(&grouping, &x, &codes, 2, &mut fitted).expect("valid");
    assert_eq!(fitted, [2.5, 1.0, 0.25, 0.25]);
    // Bases that are equal, or each other's negative: the second gets 0.
    fit_bases(&grouping, &x, &[0, 3, 0, 3, 1, 1, 2, 2], 2, &mut fitted).expect("valid");
    assert_eq!(fitted, [2.5, 0.0, 0.25, 0.0]);
    nearest_bases(&grouping, &x, 2, &[2.5, 1.0, 0.5, 0.5], &mut codes).expect("valid");
    // Levels ±1.5, ±3.5; then -1, 0 (codes 1 and 2), 1: 0.5 lies between 0 and 1, of which 1 has the lower code.
    assert_eq!(codes, [2, 1, 0, 3, 1, 1, 0, 0]);
    base_codes(&grouping, &x, 2, &[1.0, -2.0, 0.5, 0.0], &mut codes).expect("valid");
    assert_eq!(codes, [0, 1, 0, 3, 1, 1, 0, 0]);
    assert_eq!(fit_bases(&grouping, &x, &[4; 8], 2, &mut fitted).map_err(|e| e.what), Err(What::Code));
    assert_eq!(nearest_bases(&grouping, &x, 9, &[1.0; 18], &mut codes).map_err(|e| e.what), Err(What::Bits));
    assert_eq!(
        residual_signs(&grouping, &x, 8, &[0.0; 16], &mut codes, &mut mean).map_err(|e| e.what),
        Err(What::Bits)
    );
    assert_eq!(nearest_bases(&grouping, &x, 2, &[1.0; 3], &mut codes).map_err(|e| e.what), Err(What::Codebook));
}

fn scales() {
    let grouping = Grouping::new(1, 5, 3).expect("valid");
    let x = [1.0, 2.0, 6.0, -4.0, 4.0];
    let (mut a, mut b) = ([9.0; 2], [9.0; 2]);
    moments(&grouping, &x, &mut a, &mut b).expect("valid");
    assert_eq!((a, b), ([3.0, 0.0], [(14.0_f64 / 3.0).sqrt(), 4.0]));
    let codes = [0, 1, 2, 0, 2];
    scale_sums(&grouping, &x, &codes, &[-1.0, 0.0, 2.0], &[], &mut a, &mut b).expect("valid");
    assert_eq!((a, b), ([11.0, 12.0], [5.0, 5.0]));
    let importance = [10.0, 1.0, 0.5, 0.0, 1.0];
    scale_sums(&grouping, &x, &codes, &[-1.0, 0.0, 2.0], &importance, &mut a, &mut b).expect("valid");
    assert_eq!((a, b), ([-4.0, 8.0], [12.0, 4.0]));
    let refused = |codes: &[u8], importance: &[f32]| {
        let levels = [0.0, 1.0];
        scale_sums(&grouping, &x, codes, &levels, importance, &mut [0.0; 2], &mut [0.0; 2])
            .map_err(|e| e.what)
    };
    assert_eq!(refused(&codes, &[]), Err(What::Code));
    assert_eq!(refused(&[0; 5], &[1.0; 4]), Err(What::Length));
}

fn sorted() {
    let mut x = [3.0, -1.0, 0.0, -0.0, 2.0];
    sort(&mut x);
    assert_eq!(x.map(f32::to_bits), [-1.0, -0.0, 0.0, 2.0, 3.0].map(f32::to_bits));
    let grouping = Grouping::new(1, 7, 3).expect("valid");
    let mut scale = [9.0; 3];
    // 10 alone explains 100, with 1: 60.5; 2 and 2 explain 8; nothing explains 0.
    ternary_scale(&grouping, &[1.0, -10.0, 1.0, 2.0, -2.0, 0.5, 0.0], &mut scale).expect("valid");
    assert_eq!(scale, [10.0, 2.0, 0.0]);
    // At 2, 3 is as near to one level as to the next and takes the larger: 0 0 2 2, then α = (6 + 8) / 8 and nothing moves; zeros keep theirs.
    let grouping = Grouping::new(2, 4, 4).expect("valid");
    let mut scale = [2.0, 7.0];
    level_scale(&grouping, &[-4.0, 0.5, 3.0, 0.0, 0.0, 0.0, -0.0, 0.0], &[0.0, 1.0, 2.0], &mut scale).expect("valid");
    assert_eq!(scale, [1.75, 7.0]);
    assert_eq!(level_scale(&grouping, &[0.0; 8], &[], &mut scale).map_err(|e| e.what), Err(What::Codebook));
}

pub(crate) fn check(_tier: Tier) {
    scaled();
    statistics();
    grids();
    clusters();
    intervals();
    penalized();
    additive();
    rotations();
    hashed();
    codes();
    figures();
    decoding();
    order();
    largest_of();
    histograms();
    thresholds();
    mixtures();
    bases();
    scales();
    sorted();
}
