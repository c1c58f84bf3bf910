//! Scan of 4-bit product-quantized codes with tables in registers: the k codes of the smallest scores, as an exhaustive scan in f32 finds them (after André,
//! Kermarrec, Le Scouarnec 2017, "Accelerated nearest neighbor search with Quick ADC", arXiv:1704.07355).
//!
//! ```text
//! codes    [n][ceil(M / 2)]        u8: code m in the low (m even) or high half of byte m / 2
//! blocks   [ceil(n / 32)][M][16]   u8: byte j holds code m of vectors j (low half) and 16 + j (high half) of a block of 32
//! tables   [Q][M][16]              f32, of [`crate::pq_tables`]
//! score    f32                     as in [`crate::pq_scan`]
//! ```
//!
//! **A bound, then the score.** As soon as k candidates are known, no code above the worst of them matters. So tables are quantized to small integers, each entry rounded *down*:
//! a vector whose integer sum is above the limit that the worst score allows cannot be among the best (with slack for the roundings of the f32 sum; `quantized.rs` derives it). The integer
//! sums of 32 vectors come from two table lookups per subspace, and the few vectors that stay within the limit are scored in f32. Results are therefore those of the exhaustive
//! scan, bit for bit, in every tier, and only the speed depends on the quantization. The scalar tier scores every vector. As the worst score falls the limit falls with it, and the
//! tables are quantized anew when that makes them 15 % finer.
//!
//! | M | sums | per subspace, 32 vectors, one query | candidates of 1 M random vectors, k = 10 |
//! |---|---|---|---|
//! | up to 64 | saturating bytes, whose 254 steps cover just the scores that still matter | 7 operations, 2 loads | 0.05 % (M = 16), 0.1 % (M = 32), 0.7 % (M = 64) |
//! | above | 31 steps per table, eight entries in bytes, then 16 bits | 7.75 operations, 2 loads | below 0.1 % |
//!
//! In bytes the rounding (half a step per subspace) takes 3 % of the range at M = 16, 13 % at M = 64 and 25 % at M = 128, where it lets a third of all vectors through. Measured
//! against faiss (AVX2) in the same runs, bytes and 16-bit sums: M = 64 0.97 and 0.8 (one query), 0.7 and 0.6 (16 queries); M = 96 0.37 and 0.8, 0.27 and 0.5. Four queries share the
//! codes, and their unpacking, in bytes; two with 16-bit sums, which need twice the registers.
//!
//! **Cost.** Bytes: 3 operations unpack 32 codes, each query adds two lookups and two additions: 7 operations and 2 loads for one query, 4.75 per query for four. The 4-bit
//! codes of 1 M vectors are M / 2 MB, and one query reads them about as fast as memory gives them from M = 32 on.
//!
//! **Tried and dropped.** The mask 0x0f as a constant: V8 makes a constant vector anew at every use, three instructions each, half of the speed; it is passed through `black_box`. 8-bit
//! tables with 16-bit sums throughout: 10 operations. 6-bit tables, four to a byte sum: 8.5. Blocks from four places by turns (`turns.rs`): 0.85 of the speed for M = 16, 0.93 for 32 and 64.

use core::array;

use crate::buffer::{Arena, lines_for};
use crate::error::{KernelError, Op, Result, What, check_range, check_shape, checked_area};
use crate::layout::{code_at, code_row_bytes};
use crate::pq_tables::{MAX_SUBSPACES, check_tables};
use crate::tier::Tier;
use crate::top_k::{Selection, TopK};

pub(crate) mod quantized;
#[cfg_attr(
    all(target_arch = "wasm32", not(target_feature = "simd128")),
    expect(dead_code, reason = "the scalar tier scores every vector, and needs no bound")
)]
mod query;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
pub(crate) mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub(crate) mod simd128;

use query::Query;

const OP: Op = Op::PqFastScan;

/// Entries of a table.
pub const WIDTH: usize = 16;

/// Vectors of a block.
pub const BLOCK: usize = 32;

/// Queries that share a pass at most.
const TOGETHER: usize = 4;

/// Up to this M sums are kept in saturating bytes; beyond it rounding takes too much of a byte.
const MAX_BYTE_SUMS: usize = 64;

/// Bytes of the blocks of `n` vectors; the last block is padded.
pub fn block_bytes(n: usize, subspaces: usize) -> Result<usize> {
    checked_area(OP, n.div_ceil(BLOCK), subspaces * BLOCK / 2)
}

/// Packs the codes of vectors `first .. first + n` into blocks, and leaves the other vectors of the blocks as they are.
///
/// - `codes`: `[n, ceil(M / 2)]`, code m of a vector in the low (m even) or high half of byte `m / 2`
/// - `blocks`: [`block_bytes`] of `first + n` vectors
///
/// Refuses M outside of 1 to 1024 and other lengths.
pub fn pack(codes: &[u8], n: usize, subspaces: usize, first: usize, blocks: &mut [u8]) -> Result<()> {
    check_range(OP, What::Subspaces, 1, MAX_SUBSPACES as i64, subspaces as i64)?;
    let row = code_row_bytes(subspaces, 4);
    check_shape(OP, What::Codes, checked_area(OP, n, row)?, codes.len())?;
    let end = first.saturating_add(n);
    check_shape(OP, What::Bytes, block_bytes(end, subspaces)?, blocks.len())?;
    for (i, code) in codes.chunks_exact(row).enumerate() {
        let (block, lane) = ((first + i) / BLOCK, (first + i) % BLOCK);
        let (column, shift) = (lane % 16, lane / 16 * 4);
        let block = &mut blocks[block * subspaces * 16..][..subspaces * 16];
        for m in 0..subspaces {
            let byte = &mut block[m * 16 + column];
            *byte = *byte & !(15 << shift) | code_at(code, 4, m) << shift;
        }
    }
    Ok(())
}

/// The codes of vectors `first .. first + n`, as [`pack`] takes them.
///
/// - `blocks`: at least [`block_bytes`] of `first + n` vectors
/// - `codes`: `[n, ceil(M / 2)]`
///
/// Refuses what [`pack`] refuses.
pub fn unpack(blocks: &[u8], first: usize, n: usize, subspaces: usize, codes: &mut [u8]) -> Result<()> {
    check_range(OP, What::Subspaces, 1, MAX_SUBSPACES as i64, subspaces as i64)?;
    let row = code_row_bytes(subspaces, 4);
    check_shape(OP, What::Codes, checked_area(OP, n, row)?, codes.len())?;
    let needed = block_bytes(first.saturating_add(n), subspaces)?;
    if blocks.len() < needed {
        return Err(KernelError::shape(OP, What::Bytes, needed, blocks.len()));
    }
    for (i, code) in codes.chunks_exact_mut(row).enumerate() {
        code.fill(0);
        for m in 0..subspaces {
            code[m / 2] |= code_of(blocks, subspaces, first + i, m) << (m % 2 * 4);
        }
    }
    Ok(())
}

/// Code m of a vector.
#[inline(always)]
pub(crate) fn code_of(blocks: &[u8], subspaces: usize, position: usize, m: usize) -> u8 {
    let (block, lane) = (position / BLOCK, position % BLOCK);
    blocks[(block * subspaces + m) * 16 + lane % 16] >> (lane / 16 * 4) & 15
}

/// Lines of scratch that a scan needs.
pub const fn scratch_lines(subspaces: usize) -> usize {
    TOGETHER * lines_for::<[u8; 16]>(subspaces)
}

/// Packed codes to scan.
#[derive(Clone, Copy, Debug)]
pub struct PqBlocks<'a> {
    /// `[ceil(n / 32)][M][16]`, see [`pack`].
    pub blocks: &'a [u8],
    /// Vectors.
    pub n: usize,
    /// Parts of a vector, M: 1 to 1024.
    pub subspaces: usize,
    /// Which vectors count, and their ids.
    pub selection: Selection<'a>,
}

impl<'a> PqBlocks<'a> {
    /// Blocks `from..to`.
    fn range(&self, from: usize, to: usize) -> &'a [u8] {
        &self.blocks[from * self.subspaces * 16..to * self.subspaces * 16]
    }

    /// How many blocks there are.
    const fn count(&self) -> usize {
        self.n.div_ceil(BLOCK)
    }

    /// The end of the run of blocks from `from` on of which a vector may count.
    #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
    fn run_end(&self, from: usize) -> usize {
        if self.selection.filter.is_none() {
            return self.count();
        }
        (from..self.count()).find(|block| !self.selection.any(block * BLOCK)).unwrap_or(self.count())
    }
}

/// Takes the codes of the smallest scores into `keys`: `[queries, k]`, each a heap of [`crate::top_k`] (scores are f32).
///
/// - `tables`: `[queries, M, 16]` of [`crate::pq_tables`]
/// - `scratch`: [`scratch_lines`]
///
/// Refuses M outside of 1 to 1024, lengths that do not fit, tables with NaN or infinite values, and tables of which a sum could leave f32.
pub fn pq_fast_scan(
    tier: Tier,
    codes: &PqBlocks<'_>,
    tables: &[f32],
    queries: usize,
    keys: &mut [u64],
    mut scratch: Arena<'_>,
) -> Result<()> {
    let PqBlocks { blocks, n, subspaces, .. } = *codes;
    check_range(OP, What::Subspaces, 1, MAX_SUBSPACES as i64, subspaces as i64)?;
    check_range(OP, What::Queries, 1, 1 << 20, queries as i64)?;
    check_shape(OP, What::Codes, block_bytes(n, subspaces)?, blocks.len())?;
    let table_len = subspaces * WIDTH;
    check_shape(OP, What::Tables, checked_area(OP, queries, table_len)?, tables.len())?;
    let k = keys.len() / queries;
    check_shape(OP, What::Best, k * queries, keys.len())?;
    TopK::new(&mut keys[..k])?;
    codes.selection.check(OP, n)?;
    let each_query = tables.chunks_exact(table_len);
    // All of them before anything is taken in.
    let magnitudes =
        each_query.clone().map(|tables| check_tables(OP, tables, WIDTH)).collect::<Result<Vec<_>>>()?;
    let mut of_queries = each_query.zip(keys.chunks_exact_mut(k)).zip(magnitudes);
    let mut left = queries;
    while left > 0 {
        let mut scratch = scratch.rest();
        let mut next = || {
            let ((tables, keys), magnitude) = of_queries.next().expect("counted");
            let top = TopK::new(keys).expect("checked");
            Query::new(tables, scratch.take::<[u8; 16]>(subspaces), magnitude, top)
        };
        left -= match left {
            1 => pass(tier, codes, &mut [next()]),
            2 | 3 => pass(tier, codes, &mut array::from_fn::<_, 2, _>(|_| next())),
            // 16-bit sums of four queries would not fit the registers.
            _ if subspaces > MAX_BYTE_SUMS => pass(tier, codes, &mut array::from_fn::<_, 2, _>(|_| next())),
            _ => pass(tier, codes, &mut array::from_fn::<_, TOGETHER, _>(|_| next())),
        };
    }
    Ok(())
}

/// One pass over the codes for a few queries; how many.
fn pass<const Q: usize>(tier: Tier, codes: &PqBlocks<'_>, queries: &mut [Query<'_>; Q]) -> usize {
    match tier.effective() {
        Tier::Scalar => scalar::scan(codes, queries),
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        Tier::Simd128 => simd128::scan::<simd128::Strict, Q>(codes, queries),
        #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
        Tier::Relaxed => relaxed::scan(codes, queries),
        #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
        _ => unreachable!("a tier above the build's"),
    }
    Q
}
