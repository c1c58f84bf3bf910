//! Scan of packed binary codes: how many bits of each code differ from a query's, the k nearest, or all within a radius.
//!
//! ```text
//! codes     [n][words_per_row(bits)]   u32 words, least significant bit first, as `bitpack` writes signs; spare bits are 0
//! queries   [Q][words_per_row(bits)]   the same
//! distance  popcount(code ^ query)     0 ..= bits
//! ```
//!
//! **Cost.** Per 8 bytes of a code and query a load, an exclusive or, an `i64.popcnt` and an addition: 4 instructions, so 48 bytes (384 bits) take some 30. Rows of
//! 384, 768 and 1024 bits are unrolled, others walk by 64 bits. From memory one query is bound by reading; a batch walks the codes in chunks that stay in the
//! nearest caches, so that all but its first query find them there.
//!
//! That is what it should be: V8 13.6 reads each word of a code twice (once for the trap that a read may be, once as the operand of the exclusive or) and has a query of 1,024 bits on the
//! stack. On an x64 of AMD such a code takes 16 ns in a cache and 19 from memory, 5.6 and 7.8 where it has 384 bits: there counting is the limit, not memory.
//!
//! **Tried and dropped.** Words in pairs, by an exclusive or of vectors whose halves are counted: 1.0 to 1.1 of the time. Sums of two or four words at a time: equal; in a tree: 0.75 in one
//! module and 1.4 in another, the same text in both. Vectors: `i8x16.popcnt` is two table lookups, three masks and a shift in V8 on x64, the same number of instructions for 16 bytes as two `i64.popcnt`,
//! and its bytes still have to be summed across. The paired lookups of `xnor_gemm` count two queries at once in about 0.75 of the instructions, but want the codes one nibble to a
//! byte and 16 codes side by side: twice the memory, or a transposition that costs as much as four queries. So there is one form for every tier.

use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::layout::words_per_row;
use crate::top_k::{Selection, TopK};

#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;

const OP: Op = Op::Hamming;

/// Bits of a code at most: distances stay exact far below the limit of their 32-bit counters.
pub const MAX_BITS: usize = 1 << 20;

/// Bytes of codes that a batch of queries shares.
const CHUNK_BYTES: usize = 1 << 14;

/// Positions that are passed over together where a filter leaves them out.
const RUN: usize = 32;

/// Bytes of a code.
pub const fn row_bytes(bits: usize) -> usize {
    words_per_row(bits) * 4
}

/// Codes to scan.
#[derive(Clone, Copy, Debug)]
pub struct BinaryCodes<'a> {
    /// `[n, row_bytes(bits)]`
    pub codes: &'a [u8],
    /// Codes.
    pub n: usize,
    /// Bits of a code: 1 to [`MAX_BITS`].
    pub bits: usize,
    /// Which codes count, and their ids.
    pub selection: Selection<'a>,
}

impl BinaryCodes<'_> {
    fn check(&self) -> Result<()> {
        check_range(OP, What::Bits, 1, MAX_BITS as i64, self.bits as i64)?;
        check_shape(OP, What::Codes, checked_area(OP, self.n, row_bytes(self.bits))?, self.codes.len())?;
        self.selection.check(OP, self.n)
    }

    /// Calls `found` with position and distance of every code `from..to` that may count and whose distance is at most what `found` last returned, `limit` at first.
    #[inline(always)]
    fn walk(
        &self,
        query: &[u8],
        from: usize,
        to: usize,
        mut limit: i32,
        mut found: impl FnMut(usize, i32) -> i32,
    ) {
        let row = row_bytes(self.bits);
        for first in (from..to).step_by(RUN) {
            if self.selection.any(first) {
                let end = to.min(first + RUN);
                limit = scalar::walk(&self.codes[first * row..end * row], query, first, limit, &mut found);
            }
        }
    }
}

/// Takes the nearest codes into `keys`: `[queries, k]`, each a heap of [`crate::top_k`] (scores are int32 distances).
///
/// - `queries`: `[count, row_bytes(bits)]`
///
/// Refuses bits outside of 1 to 2^20, and lengths that do not fit.
pub fn hamming_scan(codes: &BinaryCodes<'_>, queries: &[u8], count: usize, keys: &mut [u64]) -> Result<()> {
    codes.check()?;
    check_range(OP, What::Queries, 1, 1 << 20, count as i64)?;
    let row = row_bytes(codes.bits);
    check_shape(OP, What::Queries, checked_area(OP, count, row)?, queries.len())?;
    let k = keys.len() / count;
    check_shape(OP, What::Best, k * count, keys.len())?;
    TopK::new(&mut keys[..k])?;
    let chunk = if count == 1 { codes.n.max(1) } else { (CHUNK_BYTES / row).next_multiple_of(RUN).max(RUN) };
    for from in (0..codes.n).step_by(chunk) {
        let to = codes.n.min(from + chunk);
        for (query, keys) in queries.chunks_exact(row).zip(keys.chunks_exact_mut(k)) {
            let mut top = TopK::new(keys)?;
            let limit = top.worst();
            codes.walk(query, from, to, limit, |position, distance| {
                if let Some(id) = codes.selection.find(position) {
                    top.push(distance, id);
                }
                top.worst()
            });
        }
    }
    Ok(())
}

/// Writes id and distance of every code within `radius` of the query, in the order of their positions, as far as there is room. Returns how many there are.
///
/// - `query`: `[row_bytes(bits)]`
/// - `ids`, `distances`: of one length, which is the room
///
/// Refuses a negative radius, and what [`hamming_scan`] refuses.
pub fn hamming_range(
    codes: &BinaryCodes<'_>,
    query: &[u8],
    radius: i32,
    ids: &mut [u32],
    distances: &mut [i32],
) -> Result<usize> {
    codes.check()?;
    check_shape(OP, What::Queries, row_bytes(codes.bits), query.len())?;
    check_range(OP, What::Radius, 0, i64::from(i32::MAX), i64::from(radius))?;
    check_shape(OP, What::Ids, ids.len(), distances.len())?;
    let mut count = 0;
    codes.walk(query, 0, codes.n, radius, |position, distance| {
        if let Some(found) = codes.selection.find(position) {
            if let (Some(id), Some(of)) = (ids.get_mut(count), distances.get_mut(count)) {
                (*id, *of) = (found, distance);
            }
            count += 1;
        }
        radius
    });
    Ok(count)
}
