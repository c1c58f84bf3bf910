//! Any M, tables where they are: the specification.

use super::lists::Shifts;
use super::{PqCodes, WIDTH};
use crate::top_k::TopK;

pub(super) fn scan(codes: &PqCodes<'_>, tables: &[[f32; WIDTH]], shifts: Shifts<'_>, top: &mut TopK<'_>) {
    let mut worst = top.worst::<f32>();
    codes.runs(0..codes.n, |first, run| {
        for (i, code) in run.chunks_exact(codes.subspaces).enumerate() {
            let score = score(tables, code) + shifts.at(first + i);
            if score <= worst {
                worst = codes.take(first + i, score, top);
            }
        }
    });
}

/// In the order of [`crate::pq_tables::sum_entries`].
#[inline(always)]
pub(crate) fn score(tables: &[[f32; WIDTH]], code: &[u8]) -> f32 {
    // The number that leaves every other as it is when it is added.
    go_on(-0.0, tables, code)
}

/// The score, from the sum of the entries before these, whose number is one of fours.
#[inline(always)]
pub(super) fn go_on(mut sum: f32, tables: &[[f32; WIDTH]], code: &[u8]) -> f32 {
    let (words, rest) = code.as_chunks::<4>();
    let (fours, rest_tables) = tables.as_chunks::<4>();
    for (word, tables) in words.iter().zip(fours) {
        let word = u32::from_le_bytes(*word);
        let entry = |i: usize| tables[i][(word >> (8 * i) & 255) as usize];
        sum += entry(0) + entry(1) + entry(2) + entry(3);
    }
    let entries = rest.iter().zip(rest_tables).map(|(code, table)| table[usize::from(*code)]);
    if let Some(four) = entries.reduce(|sum, entry| sum + entry) {
        sum += four;
    }
    sum
}
