//! Integers are those of the definition, scans find what sorting finds, and the estimate is as near as its bound says.

use lowbit_kernels::pq_tables::Metric;
use lowbit_kernels::rabitq::{
    RabitqCodes, RabitqQuery, encode, naive, query_bytes, rabitq_scan, relative_error, row_bytes,
};
use lowbit_kernels::testing::{Random, SIZES};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::Selection;

use crate::pq_scan::{best, collect, id_of, selections};

/// About normal: sums of twelve uniform numbers.
fn normal(random: &mut Random, len: usize) -> Vec<f32> {
    random.many(len, |random| (0..12).map(|_| random.int(-500, 500) as f32 / 1000.0).sum())
}

fn query_of(random: &mut Random, dimension: usize) -> Vec<i8> {
    let mut query = vec![0; query_bytes(dimension)];
    for q in &mut query[..dimension] {
        *q = random.int(-127, 127) as i8;
    }
    query
}

/// Scores by the definition, from codes one by one.
fn scores(codes: &RabitqCodes<'_>, metric: Metric, query: &RabitqQuery<'_>) -> Vec<(f32, u32)> {
    let row = row_bytes(codes.dimension, codes.bits);
    let of = |position: usize| {
        let id = id_of(&codes.selection, position)?;
        let t = naive::direction(&codes.codes[position * row..][..row], codes.dimension, codes.bits);
        // Twice a sum of halves: exact.
        let integer = 2.0 * t.iter().zip(query.codes).map(|(t, q)| t * f64::from(*q)).sum::<f64>();
        let [norm, factor] = [codes.factors[2 * position], codes.factors[2 * position + 1]];
        let estimate = factor * (query.step * 0.5 * integer as f32);
        let score = match metric {
            Metric::InnerProduct => query.base - estimate,
            Metric::L2 => (norm + query.base) - 2.0 * estimate,
        };
        Some((score, id))
    };
    (0..codes.n).filter_map(of).collect()
}

pub(crate) fn check(tier: Tier) {
    for &dimension in SIZES.iter().chain(&[384]) {
        for bits in 1..=8 {
            let n = 70;
            let mut random = Random::new((dimension * 10 + bits) as u64);
            let x = normal(&mut random, n * dimension);
            let row = row_bytes(dimension, bits);
            let (mut codes, mut factors) = (vec![0xff; n * row], vec![0.0; 2 * n]);
            encode(&x, dimension, bits, &mut codes, &mut factors).expect("valid lengths");
            let (ids, filter) = selections(&mut random, n);
            let query = query_of(&mut random, dimension);
            let query = RabitqQuery { codes: &query, step: 0.01, base: 0.75 };
            for selection in [
                Selection::default(),
                Selection { first: 70, filter: Some(&filter), ..Selection::default() },
                Selection { ids: &ids, filter: Some(&filter), first: 0 },
            ] {
                let codes = RabitqCodes { codes: &codes, factors: &factors, n, dimension, bits, selection };
                for (metric, k) in [(Metric::L2, 1), (Metric::InnerProduct, 40)] {
                    let found = collect(1, k, |keys| {
                        rabitq_scan(tier, &codes, metric, &query, keys).expect("valid lengths");
                    });
                    let expected = best(scores(&codes, metric, &query), k);
                    assert_eq!(found[0], expected, "{tier}: D = {dimension}, {bits} bits");
                }
            }
        }
    }
    largest(tier);
}

/// Every code and every query coordinate at its end, at the largest D.
fn largest(tier: Tier) {
    let dimension = 1 << 15;
    for bits in [4, 8] {
        let codes = vec![0xff; row_bytes(dimension, bits)];
        for q in [-128, 127_i8] {
            let query = vec![q; dimension];
            let codes = RabitqCodes {
                codes: &codes,
                factors: &[0.0, 1.0],
                n: 1,
                dimension,
                bits,
                selection: Selection::default(),
            };
            let query = RabitqQuery { codes: &query, step: 2.0, base: 0.0 };
            let found = collect(1, 1, |keys| {
                rabitq_scan(tier, &codes, Metric::InnerProduct, &query, keys).expect("valid lengths");
            });
            let exact = ((1_i64 << bits) - 1) * i64::from(q) * dimension as i64;
            assert_eq!(f32::from_bits(found[0][0].1), -(exact as f32), "{tier}: {bits} bits by {q}");
        }
    }
}

/// Over random vectors: mean error 0 and a standard deviation that is the stated one, halving with each bit.
#[test]
fn estimates_are_unbiased_and_within_their_bound() {
    let (dimension, n) = (256, 400);
    let mut random = Random::new(7);
    let x = normal(&mut random, n * dimension);
    let q = normal(&mut random, dimension);
    let length = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let mut last = f64::INFINITY;
    for bits in 1..=8 {
        let row = row_bytes(dimension, bits);
        let (mut codes, mut factors) = (vec![0; n * row], vec![0.0; 2 * n]);
        encode(&x, dimension, bits, &mut codes, &mut factors).expect("valid lengths");
        let (mut sum, mut squares, mut stated) = (0.0, 0.0, 0.0);
        for (i, o) in x.chunks_exact(dimension).enumerate() {
            let code = &codes[i * row..][..row];
            let t = naive::direction(code, dimension, bits);
            let estimate = f64::from(factors[2 * i + 1]) * t.iter().zip(&q).map(|(t, q)| t * f64::from(*q)).sum::<f64>();
            let exact: f64 = o.iter().zip(&q).map(|(o, q)| f64::from(*o) * f64::from(*q)).sum();
            let error = (estimate - exact) / length(o) / length(&q);
            sum += error;
            squares += error * error;
            stated += f64::from(relative_error(code, [factors[2 * i], factors[2 * i + 1]], dimension, bits));
        }
        let count = n as f64;
        let (mean, deviation, stated) = (sum / count, (squares / count).sqrt(), stated / count);
        assert!(mean.abs() < 4.0 * deviation / count.sqrt(), "{bits} bits: mean {mean} of {deviation}");
        assert!((deviation / stated - 1.0).abs() < 0.2, "{bits} bits: {deviation}, stated {stated}");
        assert!(deviation < 0.65 * last, "{bits} bits: {deviation} after {last}");
        last = deviation;
        if bits == 1 {
            // E <o~, o> of the paper is about 0.8: |t| / √D of the sign code.
            assert!((stated - ((1.0 / 0.637 - 1.0) / 255.0_f64).sqrt()).abs() < 0.002, "{stated}");
        }
    }
}

#[test]
fn refusals_are_named() {
    let error = |text: &str| Err(text.to_owned());
    let run = |dimension, bits, codes: &[u8], query: &[i8]| {
        let codes = RabitqCodes { codes, factors: &[0.0; 2], n: 1, dimension, bits, selection: Selection::default() };
        let query = RabitqQuery { codes: query, step: 1.0, base: 0.0 };
        rabitq_scan(Tier::Scalar, &codes, Metric::L2, &query, &mut [0]).map_err(|error| error.to_string())
    };
    assert_eq!(run(0, 1, &[], &[]), error("Range: rabitq: depth (K), expected 1, got 0"));
    assert_eq!(run(9, 9, &[], &[]), error("Range: rabitq: bits per code, expected 8, got 9"));
    assert_eq!(run(9, 3, &[0; 31], &[]), error("Shape: rabitq: bytes of codes, expected 32, got 31"));
    assert_eq!(run(9, 3, &[0; 32], &[0; 9]), error("Shape: rabitq: queries, expected 128, got 9"));
    let encode = |x: &[f32]| {
        encode(x, 2, 1, &mut vec![0; x.len() / 2 * 16], &mut vec![0.0; x.len()]).map_err(|error| error.to_string())
    };
    assert_eq!(
        encode(&[0.0, f32::INFINITY]),
        error("Range: rabitq: finite value at position, expected 0, got 1")
    );
    assert!(encode(&[0.0, 0.0, 1e30, 0.0]).is_err());
    assert_eq!(encode(&[0.0; 4]), Ok(()));
}
