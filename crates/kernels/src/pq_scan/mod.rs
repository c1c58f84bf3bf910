//! Scan of 8-bit product-quantized codes: the score of every code is a sum of M table entries (asymmetric distance computation), and the k smallest are kept.
//!
//! ```text
//! codes    [n][M]     u8
//! tables   [M][256]   f32, of [`crate::pq_tables`]
//! score    f32        four entries at a time from left to right, each four added to the sum of those before
//! ```
//!
//! **Cost.** Per code and entry a load, an addition that the load is folded into, a shift and a mask, and a quarter of a load of codes: 4.3 instructions in V8 on
//! x64. The limit is the load unit, two floats a cycle; reached is about 1.1 codes a cycle on a core that runs 4 to 4.5 instructions. So the rest is to be had by looking at fewer entries, in two ways that lose nothing, once k candidates are there:
//!
//! *A sieve* (`sieve.rs`; PQ Fast Scan: André, Kermarrec, Le Scouarnec 2015). Where centroids are ordered so that the 16 which share the upper half of their number are near each other, as codebooks of `@lowbit/search` are, the least of each 16 entries is looked up in registers for 32 codes
//! at a time: some 11 instructions a code and 16 entries, two thirds of them to bring rows of codes into columns. Of real queries 11 of 100 codes come through for M = 16, 27 for 32 and 37 for 48. Those take the entries themselves in place of the least, four at a time, and leave as soon as the sum says so: 0.5, 2 and 4 entries a code are looked at,
//! where the prefixes below look at 6, 13 and 20.
//!
//! *Prefixes* (`prefix.rs`), where more than half come through the sieve, or there is none. The entries that are not looked at add at least the least of each of their tables, so a prefix of a code is nearly always enough to know that its score is above the worst candidate.
//! `bounds` takes the shortest prefix whose typical sum says so.
//!
//! Codes that are left are written to a list, without a branch, and go on together, each time fewer. (With a branch where the code left is, mispredicted for one in four, and prefixes so long that few stay, a scan took 1.4 times as long for M = 16, and 1.55 for 32 and 48.)
//!
//! | M, n | form | why |
//! |---|---|---|
//! | 16 to 512, 2,048 codes or more, nothing added to sums | the sieve, as long as it lets less than half of a stretch through | a million codes take 0.63 of the time of prefixes for M = 16, 0.84 for 32, 0.87 for 48 |
//! | 8 or more, 128 codes or more | the first 8, 12, 16, 20, 32, 48, 64 or 96 entries unrolled, tables at a fixed address, then the walk | unrolled is 1.8 to 3.5 times a walk that loads codes byte by byte |
//! | any, fewer than 2,048 codes | no bounds: the longest prefix that there is | mean and least of M tables take as long as some hundred codes |
//! | else | a walk by words of four codes over tables where they are | the copy of M KiB of tables would take longer than it saves |
//!
//! *Tables at a fixed address*: an engine adds to every address whatever is not constant, so tables are copied to a static place and the entry's index is the only variable
//! part of the address; scaled indices are cut out of a word of four codes, `(word >> 6) & 0x3fc`, in place of a shift, a mask and a multiplication by 4.
//!
//! **Tried and dropped.** Codes loaded byte by byte: 0.65 to 0.8, the load unit is the bottleneck. Sums in two or four interleaved chains: 0.9, all words of codes stay alive and are
//! spilled; one chain: 0.85, bound by the latency of additions. Two and four codes side by side: 0.9 and 0.7. Vectors: four loads still have to be gathered into lanes.
//! A sieve of which the codes that come through are looked at where they are, with prefixes: 0.95 to 1.0. All stretches sieved: 0.85 for M = 48, of which some queries' codes come through in full.
//! Stretches of 512 codes, which stay in the first cache: no difference.

use core::ops::Range;

use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::pq_tables::{MAX_SUBSPACES, check_sum, check_tables};
use crate::tier::Tier;
use crate::top_k::{Selection, TopK};

mod bounds;
mod left;
mod lists;
mod prefix;
mod scalar;
mod sieve;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

pub use lists::PqList;
pub(crate) use scalar::score;

use lists::Shifts;
use prefix::Scan;
use sieve::{Halves, Passing, Sieve};

const OP: Op = Op::PqScan;

/// Entries of a table.
pub const WIDTH: usize = 256;

/// Positions that are passed over together where a filter leaves them out.
const RUN: usize = 32;

/// 8-bit codes to scan.
#[derive(Clone, Copy, Debug)]
pub struct PqCodes<'a> {
    /// `[n, M]`
    pub codes: &'a [u8],
    /// Codes.
    pub n: usize,
    /// Parts of a vector, M: 1 to 1024.
    pub subspaces: usize,
    /// Which codes count, and their ids.
    pub selection: Selection<'a>,
}

impl PqCodes<'_> {
    /// Refuses M outside of 1 to 1024, and lengths that do not fit.
    fn check(&self) -> Result<()> {
        check_range(OP, What::Subspaces, 1, MAX_SUBSPACES as i64, self.subspaces as i64)?;
        check_shape(OP, What::Codes, checked_area(OP, self.n, self.subspaces)?, self.codes.len())?;
        self.selection.check(OP, self.n)
    }

    /// Calls `walk` with the first position and the codes of every run of which one may count, of positions from a multiple of [`RUN`] on.
    #[inline(always)]
    fn runs(&self, of: Range<usize>, mut walk: impl FnMut(usize, &[u8])) {
        let codes = &self.codes[of.start * self.subspaces..of.end * self.subspaces];
        for (run, codes) in codes.chunks(RUN * self.subspaces).enumerate() {
            let first = of.start + run * RUN;
            if self.selection.any(first) {
                walk(first, codes);
            }
        }
    }

    /// Takes a candidate in; returns the score that the next must not exceed.
    #[inline(never)]
    fn take(&self, position: usize, score: f32, top: &mut TopK<'_>) -> f32 {
        if let Some(id) = self.selection.find(position) {
            top.push(score, id);
        }
        top.worst()
    }
}

/// Takes the codes of the smallest scores into `keys`: `[queries, k]`, each a heap of [`crate::top_k`] (scores are f32).
///
/// - `tables`: `[queries, M, 256]`
///
/// Refuses M outside of 1 to 1024, lengths that do not fit, tables with NaN or infinite values, and tables of which a sum could leave f32.
pub fn pq_scan(
    tier: Tier,
    codes: &PqCodes<'_>,
    tables: &[f32],
    queries: usize,
    keys: &mut [u64],
) -> Result<()> {
    codes.check()?;
    check_range(OP, What::Queries, 1, 1 << 20, queries as i64)?;
    let table = codes.subspaces * WIDTH;
    check_shape(OP, What::Tables, checked_area(OP, queries, table)?, tables.len())?;
    let k = keys.len() / queries;
    check_shape(OP, What::Best, k * queries, keys.len())?;
    TopK::new(&mut keys[..k])?;
    let each_query = tables.chunks_exact(table);
    // All of them before anything is taken in.
    let magnitudes =
        each_query.clone().map(|tables| check_tables(OP, tables, WIDTH)).collect::<Result<Vec<_>>>()?;
    for ((tables, keys), magnitude) in each_query.zip(keys.chunks_exact_mut(k)).zip(magnitudes) {
        scan_all(tier, &[(*codes, Shifts::NONE)], tables, magnitude, &mut TopK::new(keys)?);
    }
    Ok(())
}

/// Takes the codes of the smallest scores of some lists, of one M, into `keys`: `[k]`. A score is a sum of entries to which `offset + base` is added.
///
/// - `tables`: `[M, 256]`, of one query
///
/// Refuses what [`pq_scan`] refuses, another M than that of the first list, and offsets that are not finite.
pub fn pq_scan_lists(tier: Tier, lists: &[PqList<'_>], tables: &[f32], keys: &mut [u64]) -> Result<()> {
    let Some(PqList { codes: PqCodes { subspaces, .. }, .. }) = lists.first() else { return Ok(()) };
    let mut shift = 0.0_f32;
    for list in lists {
        check_shape(OP, What::Subspaces, *subspaces, list.codes.subspaces)?;
        list.codes.check()?;
        shift = shift.max(list.check()?);
    }
    check_shape(OP, What::Tables, subspaces * WIDTH, tables.len())?;
    let magnitude = check_tables(OP, tables, WIDTH)? + shift;
    check_sum(OP, magnitude)?;
    let lists: Vec<_> = lists.iter().map(|list| (list.codes, Shifts::of(list))).collect();
    scan_all(tier, &lists, tables, magnitude, &mut TopK::new(keys)?);
    Ok(())
}

fn scan_all(
    tier: Tier,
    lists: &[(PqCodes<'_>, Shifts<'_>)],
    tables: &[f32],
    magnitude: f32,
    top: &mut TopK<'_>,
) {
    let n = lists.iter().map(|(codes, _)| codes.n).sum();
    let tables = tables.as_chunks::<WIDTH>().0;
    if n < prefix::WORTHWHILE || tables.len() < prefix::LENGTHS[0] {
        for (codes, shifts) in lists {
            scalar::scan(codes, tables, *shifts, top);
        }
        return;
    }
    let sieved = n >= bounds::WORTHWHILE
        && (sieve::COLUMNS..=sieve::MAX_SUBSPACES).contains(&tables.len())
        // Its limit is one for all codes; all lists have offsets or none has.
        && lists.first().is_some_and(|(_, shifts)| !shifts.are_there());
    let mut halves = passing(tier).filter(|_| sieved).map(|passing| (passing, Halves::of(tables)));
    let sieve = halves.as_mut().map(|(passing, halves)| Sieve::new(*passing, tables, halves, magnitude));
    let mut scan = Scan::new(tables, n, magnitude, sieve);
    for (codes, shifts) in lists {
        scan.list(codes, *shifts, top);
    }
}

/// The tier's sieve.
fn passing(tier: Tier) -> Option<Passing> {
    match tier.effective() {
        Tier::Scalar => None,
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        Tier::Simd128 => Some(simd128::passing::<crate::pq_fast_scan::simd128::Strict>),
        #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
        Tier::Relaxed => Some(simd128::passing::<crate::pq_fast_scan::relaxed::Relaxed>),
        #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
        _ => unreachable!("a tier above the build's"),
    }
}
