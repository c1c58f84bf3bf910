//! Counting by `i64.popcnt`, the only form: see the docs of the family.

use core::array;
use core::ops::Range;

use super::{BinaryCodes, RUN};
use crate::turns::Turns;

/// What a walk calls: few codes are found, so that one walk of any is as fast, and less code, as one for each.
pub(super) type Found<'a> = dyn FnMut(usize, i32) -> i32 + 'a;

/// Codes to walk over, and in which order.
pub(super) struct Walk<'a> {
    pub(super) codes: &'a BinaryCodes<'a>,
    pub(super) of: Range<usize>,
    pub(super) turns: Turns,
}

impl Walk<'_> {
    /// Calls `found` with the position and the distance of every code that may count and whose distance is at most what `found` last returned, `limit` at first.
    pub(super) fn run(&self, query: &[u8], limit: i32, found: &mut Found<'_>) {
        match query.len() {
            48 => self.unrolled::<6, 48>(query, limit, found),
            96 => self.unrolled::<12, 96>(query, limit, found),
            128 => self.unrolled::<16, 128>(query, limit, found),
            row => self.each(row, limit, found, |code| any_length(code, query)),
        }
    }

    #[inline(always)]
    fn each(&self, row: usize, mut limit: i32, found: &mut Found<'_>, distance: impl Fn(&[u8]) -> i32) {
        let (codes, count) = (&self.codes.codes[self.of.start * row..self.of.end * row], self.of.len());
        let mut at = 0;
        while at < count {
            let run = self.turns.blocks(at, count.min(at + RUN));
            at += run.len();
            let first = self.of.start + run.start;
            if !self.codes.selection.any(first) {
                continue;
            }
            for (i, code) in codes[run.start * row..run.end * row].chunks_exact(row).enumerate() {
                let distance = distance(code);
                if distance <= limit {
                    limit = found(first + i, distance);
                }
            }
        }
    }

    /// Rows of `BYTES` = 8 `WORDS` bytes.
    #[inline(always)]
    fn unrolled<const WORDS: usize, const BYTES: usize>(
        &self,
        query: &[u8],
        limit: i32,
        found: &mut Found<'_>,
    ) {
        let query: [u64; WORDS] = array::from_fn(|i| word(&query.as_chunks::<8>().0[i]));
        self.each(BYTES, limit, found, |code| {
            let words = code.as_chunks::<8>().0.iter().zip(query);
            words.map(|(code, query)| (word(code) ^ query).count_ones()).sum::<u32>() as i32
        });
    }
}

/// Rows of any number of 32-bit words.
#[inline(always)]
fn any_length(code: &[u8], query: &[u8]) -> i32 {
    let ((codes, code_rest), (queries, query_rest)) = (code.as_chunks::<8>(), query.as_chunks::<8>());
    let differing = |a: u64, b: u64| (a ^ b).count_ones();
    let sum: u32 = codes.iter().zip(queries).map(|(code, query)| differing(word(code), word(query))).sum();
    let rest = code_rest.iter().zip(query_rest).map(|(code, query)| (code ^ query).count_ones());
    (sum + rest.sum::<u32>()) as i32
}

#[inline(always)]
fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}
