//! Every form of the scan finds what sorting all scores finds.

use lowbit_kernels::pq_scan::{PqCodes, PqList, WIDTH, pq_scan, pq_scan_lists};
use lowbit_kernels::pq_tables::naive;
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{NO_ID, Selection, clear, finish};

/// Ids and the bits of scores, `[queries][k]`.
type Results = Vec<Vec<(u32, u32)>>;

/// The first k of `candidates`, padded.
pub(crate) fn best(candidates: Vec<(f32, u32)>, k: usize) -> Vec<(u32, u32)> {
    let padding = core::iter::repeat((f32::INFINITY, NO_ID));
    let ranked = naive::ranked(candidates).into_iter().chain(padding).take(k);
    // Keys tell no -0 from +0.
    ranked.map(|(score, id)| (id, (score + 0.0).to_bits())).collect()
}

/// Empty heaps, `scan`, and what is in them.
pub(crate) fn collect(queries: usize, k: usize, scan: impl FnOnce(&mut [u64])) -> Results {
    let mut keys = vec![0; queries * k];
    clear(&mut keys);
    scan(&mut keys);
    let (mut ids, mut scores) = (vec![0; k], vec![0.0_f32; k]);
    keys.chunks_exact_mut(k)
        .map(|keys| {
            finish(keys, &mut ids, &mut scores).expect("of one length");
            ids.iter().copied().zip(scores.iter().map(|score| score.to_bits())).collect()
        })
        .collect()
}

/// Tables of few values, so that scores tie.
pub(crate) fn tied(random: &mut Random, len: usize) -> Vec<f32> {
    random.many(len, |random| random.int(-1, 2) as f32 * 0.25)
}

/// With and without ids of their own, filters and a first id.
pub(crate) fn selections(random: &mut Random, n: usize) -> (Vec<u32>, Vec<u32>) {
    let mut ids: Vec<u32> = (0..n as u32).map(|i| i * 3 + 1).collect();
    for i in (1..n).rev() {
        ids.swap(i, random.int(0, i as i32) as usize);
    }
    // Most words are empty, and ids beyond the last are left out.
    let words = (3 * n).div_ceil(32) + 1;
    let filter = random.many(words, |random| if random.int(0, 3) == 0 { random.next() as u32 } else { 0 });
    (ids, filter[..words - 1].to_vec())
}

pub(crate) fn id_of(selection: &Selection<'_>, position: usize) -> Option<u32> {
    let id = selection.ids.get(position).copied().unwrap_or(selection.first + position as u32);
    let passes = |words: &[u32]| words.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1);
    selection.filter.is_none_or(passes).then_some(id)
}

fn expected(codes: &PqCodes<'_>, tables: &[f32], k: usize) -> Results {
    let of_query = |tables: &[f32]| {
        let candidates = codes.codes.chunks_exact(codes.subspaces).enumerate().filter_map(|(i, code)| {
            let code: Vec<usize> = code.iter().map(|c| usize::from(*c)).collect();
            Some((naive::score(tables, WIDTH, &code), id_of(&codes.selection, i)?))
        });
        best(candidates.collect(), k)
    };
    tables.chunks_exact(codes.subspaces * WIDTH).map(of_query).collect()
}

/// One query, in all tiers.
fn in_every_tier(codes: &PqCodes<'_>, tables: &[f32], k: usize, what: &str) {
    let expected = expected(codes, tables, k);
    for tier in Tier::ALL {
        let got = collect(1, k, |keys| pq_scan(tier, codes, tables, 1, keys).expect("valid lengths"));
        assert_eq!(got, expected, "{tier}: M = {}, k = {k}, {what}", codes.subspaces);
    }
}

pub(crate) fn check(tier: Tier) {
    // 200 and 300: above the number of codes from which tables are copied.
    for subspaces in [1, 2, 3, 4, 5, 8, 15, 16, 17, 32, 33, 48, 63, 64, 96, 97] {
        for n in [0, 1, 31, 33, 127, 128, 300] {
            let mut random = Random::new((subspaces * 1000 + n) as u64);
            let data = random.many(n * subspaces, |random| random.next() as u8);
            let (ids, filter) = selections(&mut random, n);
            for (queries, k, ties) in [(1, 1, false), (1, 10, true), (2, 3, false), (1, 400, true)] {
                let len = queries * subspaces * WIDTH;
                let tables = if ties { tied(&mut random, len) } else { random.many(len, Random::float) };
                for selection in [
                    Selection::default(),
                    Selection { first: 70, filter: Some(&filter), ..Selection::default() },
                    Selection { ids: &ids, ..Selection::default() },
                    Selection { ids: &ids, filter: Some(&filter), first: 0 },
                ] {
                    let codes = PqCodes { codes: &data, n, subspaces, selection };
                    let got = collect(queries, k, |keys| {
                        pq_scan(tier, &codes, &tables, queries, keys).expect("valid lengths");
                    });
                    assert_eq!(
                        got,
                        expected(&codes, &tables, k),
                        "{tier} differs from naive: M = {subspaces}, n = {n}, k = {k}, ties: {ties}"
                    );
                }
            }
        }
    }
}

/// Codes that are left after a few entries: parts of a vector are near their centroids or far from all of them, as those of real ones, and worse ones come first.
#[test]
fn what_bounds_leave_is_no_candidate() {
    for subspaces in [8, 9, 16, 17, 30, 32, 48, 64, 96, 100] {
        let (n, mut random) = (5000, Random::new(subspaces as u64));
        let mut data = random.many(n * subspaces, |random| random.next() as u8);
        // Codes of small numbers are near: a few such vectors everywhere, more of them towards the end.
        for (i, code) in data.chunks_exact_mut(subspaces).enumerate() {
            if random.int(0, 5200 - i as i32) < 40 {
                for c in code.iter_mut() {
                    *c %= 16;
                }
            }
        }
        for (k, negative, ties) in [(1, false, false), (10, true, false), (10, false, true), (700, true, true)] {
            let mut entry = |at: usize| {
                let far = if at % WIDTH < 16 { 0.1 } else { 1.0 };
                let spread = if ties { random.int(0, 2) as f32 * 0.25 } else { random.float() * 0.2 };
                far + spread - if negative { 0.9 } else { 0.0 }
            };
            let tables: Vec<f32> = (0..subspaces * WIDTH).map(&mut entry).collect();
            let (ids, filter) = selections(&mut random, n);
            for selection in
                [Selection::default(), Selection { ids: &ids, filter: Some(&filter), first: 0 }]
            {
                let codes = PqCodes { codes: &data, n, subspaces, selection };
                in_every_tier(&codes, &tables, k, &format!("ties: {ties}"));
            }
        }
    }
}

/// Several lists, in any order, give what one list gives.
/// Tables whose entries of one upper half are near each other, as those of ordered codebooks: with entries so large that scores are all rounding, at most and more subspaces than are sieved, and some beyond a whole number of columns.
#[test]
fn what_is_sieved_is_no_candidate() {
    for subspaces in [16, 23, 32, 48, 511, 512, 513] {
        for (offset, noise) in [(0.0, 0.01), (0.0, 0.9), (-4096.0, 0.01), (1e6, 0.01), (1e-30, 0.0)] {
            let (n, mut random) = (6221, Random::new((subspaces as f32 + noise) as u64));
            let kinds: Vec<u8> = random.many(n, |random| random.int(0, 40) as u8);
            // The codes of a kind share most of their upper halves.
            let code = |at: usize, random: &mut Random| match random.int(0, 4) {
                0 => random.next() as u8,
                _ => (at % subspaces * 7 + usize::from(kinds[at / subspaces]) * 16) as u8 ^ random.int(0, 16) as u8,
            };
            let data: Vec<u8> = (0..n * subspaces).map(|at| code(at, &mut random)).collect();
            let entry = |at: usize, random: &mut Random| {
                let half = (at % WIDTH / 16) as f32 - (at / WIDTH % 16) as f32;
                offset + 0.1 * half * half + noise * random.float()
            };
            let tables: Vec<f32> = (0..subspaces * WIDTH).map(|at| entry(at, &mut random)).collect();
            let codes = PqCodes { codes: &data, n, subspaces, selection: Selection::default() };
            for k in [1, 10] {
                in_every_tier(&codes, &tables, k, &format!("{offset} and {noise}"));
            }
        }
    }
}

#[test]
fn lists_add_up() {
    let mut random = Random::new(5);
    let (n, subspaces, k) = (500, 16, 20);
    let data = random.many(n * subspaces, |random| random.next() as u8);
    let tables = tied(&mut random, subspaces * WIDTH);
    let scan = |from: usize, to: usize, keys: &mut [u64]| {
        let selection = Selection { first: from as u32, ..Selection::default() };
        let codes =
            PqCodes { codes: &data[from * subspaces..to * subspaces], n: to - from, subspaces, selection };
        pq_scan(Tier::Scalar, &codes, &tables, 1, keys).expect("valid lengths");
    };
    let whole = collect(1, k, |keys| scan(0, n, keys));
    let parts = collect(1, k, |keys| {
        for (from, to) in [(300, 500), (0, 7), (150, 300), (7, 150)] {
            scan(from, to, keys);
        }
    });
    assert_eq!(parts, whole);
}

/// Lists whose codes have offsets, against sorting all scores; some of them are empty.
#[test]
fn lists_with_offsets() {
    for (subspaces, n) in [(5, 400), (8, 90), (16, 6000), (30, 6000), (48, 6000)] {
        let mut random = Random::new(n as u64 + subspaces as u64);
        let data = random.many(n * subspaces, |random| random.next() as u8);
        let offsets = random.many(n, Random::float);
        let (ids, filter) = selections(&mut random, n);
        // Nearer at the end of every table than at its start.
        let tables: Vec<f32> =
            (0..subspaces * WIDTH).map(|at| random.float() * 0.1 - (at % WIDTH) as f32 / 512.0).collect();
        for (k, filter) in [(1, None), (10, Some(&filter[..])), (300, None)] {
            let mut lists = Vec::new();
            let mut candidates = Vec::new();
            for (from, to, base) in [(0, n / 2, 0.5), (n / 2, n / 2, 0.0), (n / 2, n, -3.25)] {
                let selection = Selection { first: 0, ids: &ids[from..to], filter };
                let bytes = &data[from * subspaces..to * subspaces];
                let codes = PqCodes { codes: bytes, n: to - from, subspaces, selection };
                for (i, code) in bytes.chunks_exact(subspaces).enumerate() {
                    let code: Vec<usize> = code.iter().map(|c| usize::from(*c)).collect();
                    let score = naive::score(&tables, WIDTH, &code) + (offsets[from + i] + base);
                    candidates.extend(id_of(&codes.selection, i).map(|id| (score, id)));
                }
                lists.push(PqList { codes, offsets: &offsets[from..to], base });
            }
            let expected = vec![best(candidates, k)];
            for tier in Tier::ALL {
                let got =
                    collect(1, k, |keys| pq_scan_lists(tier, &lists, &tables, keys).expect("valid lengths"));
                assert_eq!(got, expected, "{tier}: M = {subspaces}, n = {n}, k = {k}");
            }
        }
    }
    let codes = PqCodes { codes: &[0, 0], n: 2, subspaces: 1, selection: Selection::default() };
    let refused = |offsets: &[f32], base: f32| {
        let list = PqList { codes, offsets, base };
        pq_scan_lists(Tier::Scalar, &[list], &[0.0; WIDTH], &mut [0]).map_err(|error| error.to_string())
    };
    assert_eq!(
        refused(&[0.0, f32::NAN], 0.0),
        Err("Range: pq_scan: finite value at position, expected 0, got 1".to_owned())
    );
    assert!(refused(&[0.0], 0.0).is_err_and(|error| error.starts_with("Shape: pq_scan")));
    assert!(refused(&[0.0; 2], f32::INFINITY).is_err_and(|error| error.starts_with("Range: pq_scan")));
    assert!(refused(&[0.0; 2], f32::MAX).is_err_and(|error| error.starts_with("Accumulator: pq_scan")));
}

#[test]
fn refusals_are_named() {
    let run = |n, subspaces, codes: &[u8], tables: &[f32], keys: &mut [u64]| {
        let codes = PqCodes { codes, n, subspaces, selection: Selection::default() };
        pq_scan(Tier::Scalar, &codes, tables, 1, keys).map_err(|error| error.to_string())
    };
    let error = |text: &str| Err(text.to_owned());
    let keys = &mut [0; 2];
    assert_eq!(run(1, 0, &[], &[], keys), error("Range: pq_scan: subspaces (M), expected 1, got 0"));
    assert_eq!(
        run(2, 1, &[0], &[0.0; 256], keys),
        error("Shape: pq_scan: bytes of codes, expected 2, got 1")
    );
    assert_eq!(
        run(1, 1, &[0], &[0.0; 16], keys),
        error("Shape: pq_scan: distance tables, expected 256, got 16")
    );
    assert_eq!(
        run(1, 1, &[0], &[0.0; 256], &mut []),
        error("Range: top_k: best to keep (k), expected 1, got 0")
    );
    let mut tables = [0.0; 512];
    tables[300] = f32::NAN;
    assert_eq!(
        run(1, 2, &[0; 2], &tables, keys),
        error("Range: pq_scan: finite value at position, expected 0, got 300")
    );
    tables[300] = f32::MAX / 2.0;
    let refused = run(1, 2, &[0; 2], &tables, keys).unwrap_err();
    assert!(refused.starts_with("Accumulator: pq_scan: largest sum"), "{refused}");
}
