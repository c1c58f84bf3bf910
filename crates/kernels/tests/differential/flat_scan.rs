//! Scores equal those of the scalar tier, which are those of f64 but for rounding; scans find what sorting all scores finds.

use lowbit_kernels::flat_scan::{FlatRows, Rows, flat_rescore, flat_scan, naive};
use lowbit_kernels::pq_tables::Metric;
use lowbit_kernels::testing::{Random, SIZES};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{NO_ID, Selection};

use crate::pq_scan::{best, collect, id_of, selections};

fn floats(random: &mut Random, len: usize) -> Vec<f32> {
    random.many(len, |random| random.int(-1000, 1000) as f32 / 777.0)
}

/// Ids and scores of every row, best first, by the scalar tier and one heap per row.
fn all(rows: &FlatRows<'_>, metric: Metric, query: &[f32]) -> Vec<(f32, u32)> {
    let of = |position: usize| {
        let id = id_of(&rows.selection, position)?;
        let alone = FlatRows { selection: Selection::default(), ..*rows };
        let found = collect(1, 1, |keys| {
            flat_rescore(Tier::Scalar, &alone, metric, query, &[position as u32], keys).expect("valid lengths");
        });
        Some((f32::from_bits(found[0][0].1), id))
    };
    (0..rows.n).filter_map(of).collect()
}

fn expect(tier: Tier, rows: &FlatRows<'_>, queries: &[f32], k: usize) {
    let d = rows.dimension;
    let count = queries.len() / d;
    for metric in [Metric::L2, Metric::InnerProduct] {
        let found = collect(count, k, |keys| {
            flat_scan(tier, rows, metric, queries, count, keys).expect("valid lengths");
        });
        for (query, found) in queries.chunks_exact(d).zip(found) {
            let scores = all(rows, metric, query);
            assert_eq!(found, best(scores, k), "{tier}: {metric:?}, D = {d}, n = {}, k = {k}", rows.n);
        }
    }
}

pub(crate) fn check(tier: Tier) {
    for &d in SIZES.iter().chain(&[384]) {
        for n in [0, 1, 33, 70] {
            let mut random = Random::new((d * 1000 + n) as u64);
            let x = floats(&mut random, n * d);
            let codes = random.many(n * d, |random| random.int(-127, 127) as i8);
            let scales = floats(&mut random, n).iter().map(|x| x.abs()).collect::<Vec<_>>();
            let queries = floats(&mut random, 2 * d);
            let (ids, filter) = selections(&mut random, n);
            for rows in [Rows::Floats(&x), Rows::Bytes(&codes, &scales)] {
                for selection in [
                    Selection::default(),
                    Selection { first: 70, filter: Some(&filter), ..Selection::default() },
                    Selection { ids: &ids, filter: Some(&filter), first: 0 },
                ] {
                    let rows = FlatRows { rows, n, dimension: d, selection };
                    expect(tier, &rows, &queries, 1);
                    expect(tier, &rows, &queries, 40);
                }
                close(tier, &FlatRows { rows, n, dimension: d, selection: Selection::default() }, &queries[..d]);
            }
        }
    }
}

/// Against sums in f64.
fn close(tier: Tier, rows: &FlatRows<'_>, query: &[f32]) {
    for metric in [Metric::L2, Metric::InnerProduct] {
        for position in 0..rows.n {
            let found = collect(1, 1, |keys| {
                flat_rescore(tier, rows, metric, query, &[NO_ID, position as u32], keys).expect("valid lengths");
            });
            let score = f64::from(f32::from_bits(found[0][0].1));
            let exact = naive::score(metric, query, rows.rows, position);
            let size = query.len() as f64 * 127.0 * 4.0;
            assert!((score - exact).abs() <= 1e-5 * size, "{tier}: {score} for {exact}");
        }
    }
}

#[test]
fn refusals_are_named() {
    let run = |d, x: &[f32], query: &[f32], positions: &[u32]| {
        let rows = FlatRows { rows: Rows::Floats(x), n: 2, dimension: d, selection: Selection::default() };
        let result = flat_rescore(Tier::Scalar, &rows, Metric::L2, query, positions, &mut [u64::MAX]);
        result.map_err(|error| error.to_string())
    };
    let error = |text: &str| Err(text.to_owned());
    assert_eq!(run(0, &[], &[], &[]), error("Range: flat_scan: depth (K), expected 1, got 0"));
    assert_eq!(run(2, &[0.0; 3], &[0.0; 2], &[]), error("Shape: flat_scan: bytes of codes, expected 4, got 3"));
    assert_eq!(run(2, &[0.0; 4], &[0.0; 3], &[]), error("Shape: flat_scan: queries, expected 2, got 3"));
    let query = [0.0, f32::NAN];
    assert_eq!(
        run(2, &[0.0; 4], &query, &[]),
        error("Range: flat_scan: finite value at position, expected 0, got 1")
    );
    assert_eq!(run(2, &[0.0; 4], &[0.0; 2], &[2]), error("Range: flat_scan: ids, expected 1, got 2"));
    assert_eq!(run(2, &[0.0; 4], &[0.0; 2], &[1, NO_ID]), Ok(()));
}
