//! Scans of product-quantized codes, for the two families that have one.

use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::pq_fast_scan::{PqBlocks, block_bytes, pack, pq_fast_scan, scratch_lines};
use lowbit_kernels::pq_scan::{PqCodes, pq_scan};
use lowbit_kernels::pq_tables::naive;
use lowbit_kernels::testing::pack_codes;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{NO_ID, Selection, clear, finish};

/// Codes and tables of any finite values.
#[derive(Arbitrary, Debug)]
pub(crate) struct PqCase<'a> {
    n: u16,
    subspaces: u8,
    queries: u8,
    k: u8,
    scale: f32,
    codes: &'a [u8],
    entries: &'a [u8],
    filter: Option<Vec<u32>>,
}

impl PqCase<'_> {
    /// Every tier of the 8-bit scan against sorting all scores.
    pub(crate) fn check(&self) {
        for tier in Tier::ALL {
            self.run(256, |tables, queries, subspaces, codes, selection, keys| {
                let codes = PqCodes { codes, n: codes.len() / subspaces, subspaces, selection };
                pq_scan(tier, &codes, tables, queries, keys).expect("valid lengths");
            });
        }
    }

    /// Every tier of the 4-bit scan against sorting all scores.
    pub(crate) fn check_fast(&self) {
        for tier in Tier::ALL {
            self.run(16, |tables, queries, subspaces, codes, selection, keys| {
                let n = codes.len() / subspaces;
                let mut blocks = vec![0; block_bytes(n, subspaces).expect("small")];
                pack(&pack_codes(codes, subspaces, 4), n, subspaces, 0, &mut blocks).expect("valid lengths");
                let mut scratch = Scratch::new();
                scratch.reserve(Op::PqFastScan, scratch_lines(subspaces)).expect("memory");
                let blocks = PqBlocks { blocks: &blocks, n, subspaces, selection };
                pq_fast_scan(tier, &blocks, tables, queries, keys, scratch.arena()).expect("valid lengths");
            });
        }
    }

    fn run(&self, width: usize, scan: impl Fn(&[f32], usize, usize, &[u8], Selection<'_>, &mut [u64])) {
        let (n, subspaces) = (usize::from(self.n % 3000), usize::from(self.subspaces % 100) + 1);
        let (queries, k) = (usize::from(self.queries % 6) + 1, usize::from(self.k) + 1);
        let scale = if self.scale.abs() < 1e30 { self.scale } else { 1.0 };
        let codes: Vec<u8> =
            crate::cycle(self.codes, n * subspaces, 0).map(|c| (usize::from(c) % width) as u8).collect();
        let tables: Vec<f32> = crate::cycle(self.entries, queries * subspaces * width, 0)
            .map(|entry| (f32::from(entry) - 100.0) * scale)
            .collect();
        let selection = Selection { filter: self.filter.as_deref(), ..Selection::default() };
        let mut keys = vec![0; queries * k];
        clear(&mut keys);
        scan(&tables, queries, subspaces, &codes, selection, &mut keys);
        for (keys, tables) in keys.chunks_exact_mut(k).zip(tables.chunks_exact(subspaces * width)) {
            let counts = |id: usize| {
                let word = |words: &Vec<u32>| words.get(id / 32).copied().unwrap_or(0);
                self.filter.as_ref().is_none_or(|words| word(words) >> (id % 32) & 1 == 1)
            };
            let score = |code: &[u8]| {
                naive::score(tables, width, &code.iter().map(|c| usize::from(*c)).collect::<Vec<_>>())
            };
            let all = codes.chunks_exact(subspaces).enumerate().filter(|(id, _)| counts(*id));
            let mut expected = naive::ranked(all.map(|(id, code)| (score(code), id as u32)).collect());
            expected.resize(expected.len().max(k), (f32::INFINITY, NO_ID));
            let (mut ids, mut scores) = (vec![0; k], vec![0.0_f32; k]);
            finish(keys, &mut ids, &mut scores).expect("of one length");
            let got: Vec<_> = scores.into_iter().zip(ids).collect();
            assert_eq!(got, expected[..k], "{self:?}");
        }
    }
}
