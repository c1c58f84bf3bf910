//! Scan of 8-bit product-quantized codes: the score of every code is a sum of M table entries (asymmetric distance computation), and the k smallest are kept.
//!
//! ```text
//! codes    [n][M]     u8
//! tables   [M][256]   f32, of [`crate::pq_tables`]
//! score    f32        four entries at a time from left to right, each four added to the sum of those before
//! ```
//!
//! **Cost.** Per code a load of its entry, an addition that the load is folded into, a shift and a mask, and a quarter of a load of codes: 4.3 instructions in V8 on
//! x64. The limit is the load unit, two floats a cycle; reached is about 1.1 codes a cycle on a core that runs 4 to 4.5 instructions.
//!
//! | M | form | why |
//! |---|---|---|
//! | 8, 16, 32, 48, 64, 96 | unrolled, tables at a fixed address | measured 1.8 to 3.5 times a walk that loads codes byte by byte, against M + 1 in the same runs |
//! | other | a walk by words of four codes over tables where they are | no code of its own per M |
//! | any, fewer than 128 codes | the walk | the copy of M KiB of tables would take longer than it saves |
//!
//! *Tables at a fixed address*: an engine adds to every address whatever is not constant, so tables are copied to a static place and the entry's index is the only variable
//! part of the address; scaled indices are cut out of a word of four codes, `(word >> 6) & 0x3fc`, in place of a shift, a mask and a multiplication by 4.
//!
//! **Tried and dropped.** Codes loaded byte by byte: 0.65 to 0.8, the load unit is the bottleneck. Sums in two or four interleaved chains: 0.9, all words of codes stay alive and are
//! spilled; one chain: 0.85, bound by the latency of additions. Two and four codes side by side: 0.9 and 0.7. Vectors: four loads still have to be gathered into lanes.
//! Stopping after half of a code when its sum is already above the worst: no gain on codes without structure, since the branch is mispredicted as often as it saves.

use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::pq_tables::{MAX_SUBSPACES, check_tables};
use crate::top_k::{Selection, TopK};

mod scalar;
mod unrolled;

pub(crate) use scalar::score;

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
    /// Calls `walk` with the first position and the codes of every run of which one may count.
    #[inline(always)]
    fn runs(&self, mut walk: impl FnMut(usize, &[u8])) {
        for (run, codes) in self.codes.chunks(RUN * self.subspaces).enumerate() {
            if self.selection.any(run * RUN) {
                walk(run * RUN, codes);
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
pub fn pq_scan(codes: &PqCodes<'_>, tables: &[f32], queries: usize, keys: &mut [u64]) -> Result<()> {
    let PqCodes { n, subspaces, .. } = *codes;
    check_range(OP, What::Subspaces, 1, MAX_SUBSPACES as i64, subspaces as i64)?;
    check_range(OP, What::Queries, 1, 1 << 20, queries as i64)?;
    check_shape(OP, What::Codes, checked_area(OP, n, subspaces)?, codes.codes.len())?;
    check_shape(OP, What::Tables, checked_area(OP, queries, subspaces * WIDTH)?, tables.len())?;
    let k = keys.len() / queries;
    check_shape(OP, What::Best, k * queries, keys.len())?;
    TopK::new(&mut keys[..k])?;
    codes.selection.check(OP, n)?;
    for tables in tables.chunks_exact(subspaces * WIDTH) {
        check_tables(OP, tables, WIDTH)?;
    }
    for (tables, keys) in tables.chunks_exact(subspaces * WIDTH).zip(keys.chunks_exact_mut(k)) {
        let top = &mut TopK::new(keys)?;
        match subspaces {
            _ if n < unrolled::WORTHWHILE => scalar::scan(codes, tables, top),
            8 => unrolled::scan::<8>(codes, tables, top),
            16 => unrolled::scan::<16>(codes, tables, top),
            32 => unrolled::scan::<32>(codes, tables, top),
            48 => unrolled::scan::<48>(codes, tables, top),
            64 => unrolled::scan::<64>(codes, tables, top),
            96 => unrolled::scan::<96>(codes, tables, top),
            _ => scalar::scan(codes, tables, top),
        }
    }
    Ok(())
}
