//! Every tier finds what sorting all f32 scores finds.

use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::pq_fast_scan::{
    PqBlocks, WIDTH, block_bytes, pack, pq_fast_scan, scratch_lines, unpack,
};
use lowbit_kernels::pq_tables::naive;
use lowbit_kernels::testing::{Random, pack_codes};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::Selection;
use proptest::prelude::*;

use crate::pq_scan::{best, collect, id_of, selections, tied};

struct Case {
    n: usize,
    subspaces: usize,
    /// `[n, M]`
    codes: Vec<u8>,
    blocks: Vec<u8>,
}

impl Case {
    fn new(n: usize, subspaces: usize, codes: Vec<u8>) -> Self {
        let mut blocks = vec![0; block_bytes(n, subspaces).unwrap()];
        pack(&pack_codes(&codes, subspaces, 4), n, subspaces, 0, &mut blocks).expect("valid lengths");
        Self { n, subspaces, codes, blocks }
    }

    fn random(n: usize, subspaces: usize, random: &mut Random) -> Self {
        Self::new(n, subspaces, random.many(n * subspaces, |random| random.int(0, 15) as u8))
    }

    /// Results of the tier, checked against the oracle.
    fn check(&self, tier: Tier, tables: &[f32], k: usize, selection: Selection<'_>) {
        let queries = tables.len() / (self.subspaces * WIDTH);
        let blocks = PqBlocks { blocks: &self.blocks, n: self.n, subspaces: self.subspaces, selection };
        let mut scratch = Scratch::new();
        scratch.reserve(Op::PqFastScan, scratch_lines(self.subspaces)).expect("memory");
        let got = collect(queries, k, |keys| {
            pq_fast_scan(tier, &blocks, tables, queries, keys, scratch.arena()).expect("valid lengths");
        });
        let of_query = |tables: &[f32]| {
            let candidates = self.codes.chunks_exact(self.subspaces).enumerate().filter_map(|(i, code)| {
                let code: Vec<usize> = code.iter().map(|c| usize::from(*c)).collect();
                Some((naive::score(tables, WIDTH, &code), id_of(&selection, i)?))
            });
            best(candidates.collect(), k)
        };
        let expected: Vec<_> = tables.chunks_exact(self.subspaces * WIDTH).map(of_query).collect();
        assert_eq!(
            got, expected,
            "{tier} differs from naive: M = {}, n = {}, k = {k}, {queries} queries, {selection:?}",
            self.subspaces, self.n
        );
    }
}

pub(crate) fn check(tier: Tier) {
    // Both kinds of sums (up to 64 and above), whole groups of 4 and 8 subspaces and others.
    for subspaces in [1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 47, 48, 49, 56, 63, 64, 65, 96, 128] {
        for n in [0, 1, 15, 16, 17, 31, 32, 33, 65, 1000] {
            let mut random = Random::new((subspaces * 10_000 + n) as u64);
            let case = Case::random(n, subspaces, &mut random);
            let (ids, filter) = selections(&mut random, n);
            for (queries, k, ties) in [(1, 1, false), (1, 10, true), (7, 5, false), (3, 40, true)] {
                let len = queries * subspaces * WIDTH;
                let tables = if ties { tied(&mut random, len) } else { random.many(len, Random::float) };
                for selection in [
                    Selection::default(),
                    Selection { first: 70, filter: Some(&filter), ..Selection::default() },
                    Selection { ids: &ids, filter: Some(&filter), first: 0 },
                ] {
                    case.check(tier, &tables, k, selection);
                }
            }
        }
    }
    many(tier);
    sums_at_their_limits(tier);
    unusual_tables(tier);
    properties(tier);
}

/// Enough vectors that the worst score, and with it the quantization, changes often.
fn many(tier: Tier) {
    for subspaces in [16, 64] {
        let mut random = Random::new(77);
        let case = Case::random(20_000, subspaces, &mut random);
        let tables = random.many(4 * subspaces * WIDTH, |random| random.float() * random.float());
        case.check(tier, &tables, 10, Selection::default());
        case.check(tier, &tables[..subspaces * WIDTH], 1000, Selection::default());
    }
}

/// Every entry the largest: sums of bytes saturate, and sums of 16 bits come to their limit of 31 x 1024. One vector is nearer by the least that f32 can tell.
fn sums_at_their_limits(tier: Tier) {
    for subspaces in [48, 64, 128, 256, 1024] {
        let mut codes = vec![15; 100 * subspaces];
        codes[90 * subspaces + subspaces / 2] = 14;
        for low in [0.0, -1000.0] {
            let mut tables = vec![low; subspaces * WIDTH];
            for table in tables.chunks_exact_mut(WIDTH) {
                table[15] = 1000.0;
                table[14] = 999.0;
            }
            let case = Case::new(100, subspaces, codes.clone());
            for k in [1, 3] {
                case.check(tier, &tables, k, Selection::default());
            }
        }
    }
}

/// Tables of one value, of huge and of tiny ones, and scores that only rounding tells apart.
fn unusual_tables(tier: Tier) {
    for subspaces in [7, 16, 64] {
        let mut random = Random::new(3);
        let case = Case::random(300, subspaces, &mut random);
        let len = subspaces * WIDTH;
        let scaled = |random: &mut Random, scale: f32| random.many(len, |random| random.float() * scale);
        let mut one_wide = vec![0.5; len];
        one_wide[0] = -3e30;
        let near_one = random.many(len, |random| 1.0 + random.int(0, 3) as f32 * f32::EPSILON);
        let subnormal = random.many(len, |random| f32::from_bits(random.int(0, 50) as u32));
        for tables in [
            vec![0.0; len],
            vec![-0.0; len],
            vec![-2.5; len],
            scaled(&mut random, 1e35),
            scaled(&mut random, 1e-38),
            one_wide,
            near_one,
            subnormal,
        ] {
            for k in [1, 20] {
                case.check(tier, &tables, k, Selection::default());
            }
        }
    }
}

fn properties(tier: Tier) {
    let strategy = (1_usize..80, 0_usize..400, 1_usize..6, 1_usize..50, -20_i32..20, any::<u64>());
    let result =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 128, ..ProptestConfig::default() })
            .run(&strategy, |(subspaces, n, queries, k, exponent, seed)| {
                let mut random = Random::new(seed);
                let case = Case::random(n, subspaces, &mut random);
                let (scale, shift) = (2.0_f32.powi(exponent), random.float());
                let tables =
                    random.many(queries * subspaces * WIDTH, |random| (random.float() + shift) * scale);
                case.check(tier, &tables, k, Selection::default());
                Ok(())
            });
    if let Err(error) = result {
        panic!("{tier}: {error}");
    }
}

/// Packing in two steps, the second starting inside a block.
#[test]
fn packing_continues_a_block() {
    let mut random = Random::new(1);
    for subspaces in [1, 2, 5, 16] {
        let whole = Case::random(100, subspaces, &mut random);
        let packed = pack_codes(&whole.codes, subspaces, 4);
        let row = subspaces.div_ceil(2);
        let mut blocks = vec![0xa5; block_bytes(100, subspaces).unwrap()];
        blocks.fill(0);
        let first = block_bytes(45, subspaces).unwrap();
        pack(&packed[..45 * row], 45, subspaces, 0, &mut blocks[..first]).unwrap();
        pack(&packed[45 * row..], 55, subspaces, 45, &mut blocks).unwrap();
        assert_eq!(blocks, whole.blocks);
        let mut again = vec![0xff; packed.len()];
        unpack(&blocks, 0, 100, subspaces, &mut again).unwrap();
        assert_eq!(again, packed);
        unpack(&blocks, 45, 33, subspaces, &mut again[..33 * row]).unwrap();
        assert_eq!(again[..33 * row], packed[45 * row..78 * row]);
    }
}

#[test]
fn refusals_are_named() {
    let error = |text: &str| Err(text.to_owned());
    let named = |result: lowbit_kernels::error::Result<()>| result.map_err(|error| error.to_string());
    assert_eq!(
        named(pack(&[0; 3], 2, 3, 0, &mut [0; 48])),
        error("Shape: pq_fast_scan: bytes of codes, expected 4, got 3")
    );
    assert_eq!(
        named(pack(&[0; 4], 2, 3, 31, &mut [0; 48])),
        error("Shape: pq_fast_scan: bytes, expected 96, got 48")
    );
    assert_eq!(
        named(unpack(&[0; 48], 31, 2, 3, &mut [0; 4])),
        error("Shape: pq_fast_scan: bytes, expected 96, got 48")
    );
    let run = |n, subspaces, blocks: &[u8], tables: &[f32], queries, keys: &mut [u64]| {
        let blocks = PqBlocks { blocks, n, subspaces, selection: Selection::default() };
        named(pq_fast_scan(Tier::Scalar, &blocks, tables, queries, keys, Scratch::new().arena()))
    };
    let keys = &mut [0; 2];
    assert_eq!(
        run(1, 1025, &[], &[], 1, keys),
        error("Range: pq_fast_scan: subspaces (M), expected 1024, got 1025")
    );
    assert_eq!(
        run(33, 1, &[0; 16], &[0.0; 16], 1, keys),
        error("Shape: pq_fast_scan: bytes of codes, expected 32, got 16")
    );
    assert_eq!(
        run(1, 1, &[0; 16], &[0.0; 16], 0, keys),
        error("Range: pq_fast_scan: queries, expected 1, got 0")
    );
    assert_eq!(
        run(1, 1, &[0; 16], &[f32::INFINITY; 16], 1, keys),
        error("Range: pq_fast_scan: finite value at position, expected 0, got 0")
    );
}
