//! The loops equal their one-line definitions.

use lowbit_kernels::codebook_gemm::{CodedWeights, Decoding};
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::nearest::Centroids;
use lowbit_kernels::quantize::{
    Grid, Grouping, Side, abs_max, base_codes, choose, cluster_sums, decode, error_sums, farthest, first_beyond, first_not_finite, fit_bases, histogram, largest, mean_abs_above, min_max, mix, moments, nearest_bases, nearest_scaled, order_statistics, pack, parts, residual_signs, scale_sums, signs, sort, ternary_scale, threshold_codes, unpack,
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
    let (mut sums, mut counts) = ([9.0; 6], [9; 3]);
    cluster_sums(&x, &[2, 0, 2], 2, &mut sums, &mut counts).expect("valid");
    assert_eq!((sums, counts), ([3.0, 4.0, 0.0, 0.0, -4.0, 8.0], [1, 0, 2]));
    assert_eq!(cluster_sums(&x, &[3, 0, 0], 2, &mut sums, &mut counts).map_err(|e| e.what), Err(What::Code));
    assert_eq!(cluster_sums(&x, &[0, 0], 2, &mut sums, &mut counts).map_err(|e| e.what), Err(What::Length));
    let codebook = [0.0, 2.0];
    assert_eq!(farthest(&[1.0, -1.0, 3.0, 1.0, -1.0], &[0, 0, 1, 1, 1], &codebook, 1), Ok(4));
    assert_eq!(farthest(&[1.0, -1.0, 1.0], &[0, 0, 1], &codebook, 1), Ok(0), "of equal ones the first");
    assert_eq!(farthest(&[], &[], &codebook, 1), Ok(0));
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
    let (mut ends, mut sums) = ([9; 4], [9.0; 4]);
    parts(&x, &[-2.0, 0.0, 2.0], &mut ends, &mut sums).expect("valid");
    assert_eq!((ends, sums), ([0, 3, 4, 5], [0.0, -1.0, 2.0, 3.0]));
    assert_eq!(parts(&x, &[0.0], &mut ends, &mut sums).map_err(|e| e.what), Err(What::Threshold));
    let grouping = Grouping::new(1, 7, 3).expect("valid");
    let mut scale = [9.0; 3];
    // 10 alone explains 100, with 1: 60.5; 2 and 2 explain 8; nothing explains 0.
    ternary_scale(&grouping, &[1.0, -10.0, 1.0, 2.0, -2.0, 0.5, 0.0], &mut scale).expect("valid");
    assert_eq!(scale, [10.0, 2.0, 0.0]);
}

pub(crate) fn check(_tier: Tier) {
    scaled();
    statistics();
    grids();
    clusters();
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
