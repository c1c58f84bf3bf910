//! Nearest codes and codes within a radius equal the oracle's.

use lowbit_kernels::hamming::{BinaryCodes, hamming_range, hamming_scan, naive, row_bytes};
use lowbit_kernels::testing::{Random, SIZES};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{NO_ID, Selection, clear, finish};

use crate::pq_scan::{id_of, selections};

/// `n` rows of `bits` bits, the spare ones 0.
fn rows(random: &mut Random, n: usize, bits: usize) -> Vec<u8> {
    let row = row_bytes(bits);
    let mut rows = random.many(n * row, |random| random.next() as u8);
    for row in rows.chunks_exact_mut(row) {
        for bit in bits..8 * row.len() {
            row[bit / 8] &= !(1 << (bit % 8));
        }
    }
    rows
}

/// Distance and id of every code that counts, in the order of positions.
fn distances(codes: &BinaryCodes<'_>, query: &[u8]) -> Vec<(i32, u32)> {
    let rows = codes.codes.chunks_exact(row_bytes(codes.bits)).enumerate();
    rows.filter_map(|(i, code)| Some((naive::distance(code, query, codes.bits), id_of(&codes.selection, i)?)))
        .collect()
}

fn expect(tier: Tier, codes: &BinaryCodes<'_>, queries: &[u8], k: usize) {
    let count = queries.len() / row_bytes(codes.bits);
    let mut keys = vec![0; count * k];
    clear(&mut keys);
    hamming_scan(codes, queries, count, &mut keys).expect("valid lengths");
    let what = || format!("{tier} differs from naive: {} bits, n = {}, k = {k}", codes.bits, codes.n);
    for (keys, query) in keys.chunks_exact_mut(k).zip(queries.chunks_exact(row_bytes(codes.bits))) {
        let (mut ids, mut got) = (vec![0; k], vec![0_i32; k]);
        finish(keys, &mut ids, &mut got).expect("of one length");
        let all = distances(codes, query);
        let mut ranked = all.clone();
        ranked.sort_unstable();
        ranked.resize(ranked.len().max(k), (i32::MAX, NO_ID));
        let found: Vec<_> = got.into_iter().zip(ids).collect();
        assert_eq!(found, ranked[..k], "{}", what());

        let radius = ranked[k / 2].0.min(codes.bits as i32);
        let within: Vec<_> = all.into_iter().filter(|(distance, _)| *distance <= radius).collect();
        let (mut ids, mut got) = (vec![0; codes.n], vec![0; codes.n]);
        let count = hamming_range(codes, query, radius, &mut ids, &mut got).expect("valid lengths");
        let found: Vec<_> = got.into_iter().zip(ids).take(count).collect();
        assert_eq!(found, within, "{}, radius {radius}", what());
    }
}

pub(crate) fn check(tier: Tier) {
    for &bits in SIZES.iter().chain(&[384, 500, 768, 1024, 1025]) {
        for n in [0, 1, 31, 33, 300] {
            let mut random = Random::new((bits * 1000 + n) as u64);
            let data = rows(&mut random, n, bits);
            let (ids, filter) = selections(&mut random, n);
            for (count, k) in [(1, 1), (5, 10), (1, 400)] {
                let queries = rows(&mut random, count, bits);
                for selection in [
                    Selection::default(),
                    Selection { first: 70, filter: Some(&filter), ..Selection::default() },
                    Selection { ids: &ids, filter: Some(&filter), first: 0 },
                ] {
                    expect(tier, &BinaryCodes { codes: &data, n, bits, selection }, &queries, k);
                }
            }
        }
    }
    longest(tier);
}

/// 2^20 bits, all equal and all different.
fn longest(tier: Tier) {
    let bits = 1 << 20;
    let data = [vec![0; bits / 8], vec![0xff; bits / 8]].concat();
    let codes = BinaryCodes { codes: &data, n: 2, bits, selection: Selection::default() };
    let mut keys = vec![0; 2];
    clear(&mut keys);
    hamming_scan(&codes, &data[bits / 8..], 1, &mut keys).expect("valid lengths");
    let (mut ids, mut distances) = ([0; 2], [0_i32; 2]);
    finish(&mut keys, &mut ids, &mut distances).expect("of one length");
    assert_eq!((ids, distances), ([1, 0], [0, 1 << 20]), "{tier}");
}

#[test]
fn a_full_room_still_counts() {
    let codes = BinaryCodes { codes: &[0; 40], n: 10, bits: 32, selection: Selection::default() };
    let (mut ids, mut distances) = ([NO_ID; 3], [0; 3]);
    assert_eq!(hamming_range(&codes, &[0; 4], 0, &mut ids, &mut distances), Ok(10));
    assert_eq!(ids, [0, 1, 2]);
}

#[test]
fn refusals_are_named() {
    let error = |text: &str| Err(text.to_owned());
    let run = |bits, codes: &[u8], query: &[u8]| {
        let codes = BinaryCodes { codes, n: 1, bits, selection: Selection::default() };
        hamming_scan(&codes, query, 1, &mut [0]).map_err(|error| error.to_string())
    };
    assert_eq!(run(0, &[], &[]), error("Range: hamming: bits per code, expected 1, got 0"));
    assert_eq!(
        run((1 << 20) + 1, &[], &[]),
        error("Range: hamming: bits per code, expected 1048576, got 1048577")
    );
    assert_eq!(run(33, &[0; 4], &[0; 8]), error("Shape: hamming: bytes of codes, expected 8, got 4"));
    assert_eq!(run(33, &[0; 8], &[0; 4]), error("Shape: hamming: queries, expected 8, got 4"));
    let codes = BinaryCodes { codes: &[0; 4], n: 1, bits: 32, selection: Selection::default() };
    let range = |radius, ids: &mut [u32]| {
        hamming_range(&codes, &[0; 4], radius, ids, &mut [0]).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(range(-1, &mut [0]), error("Range: hamming: radius, expected 0, got -1"));
    assert_eq!(range(0, &mut [0; 2]), error("Shape: hamming: ids, expected 2, got 1"));
    let selection = Selection { first: NO_ID, ..Selection::default() };
    let far = BinaryCodes { selection, ..codes };
    assert_eq!(
        hamming_scan(&far, &[0; 4], 1, &mut [0]).map_err(|error| error.to_string()),
        error("Range: hamming: ids, expected 4294967295, got 4294967296")
    );
}
