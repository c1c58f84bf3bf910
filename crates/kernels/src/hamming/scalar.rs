//! Counting by `i64.popcnt`, the only form: see the docs of the family.

use core::array;

/// Calls `found` with the position (that of the first code is `first`) and the distance of every code whose distance is at most what `found` last returned, `limit` at first.
/// Returns the last limit.
#[inline(always)]
pub(super) fn walk(
    codes: &[u8],
    query: &[u8],
    first: usize,
    limit: i32,
    found: &mut impl FnMut(usize, i32) -> i32,
) -> i32 {
    match query.len() {
        48 => unrolled::<6, 48>(codes, query, first, limit, found),
        96 => unrolled::<12, 96>(codes, query, first, limit, found),
        128 => unrolled::<16, 128>(codes, query, first, limit, found),
        row => each(codes.chunks_exact(row), first, limit, found, |code| any_length(code, query)),
    }
}

#[inline(always)]
fn each<T>(
    codes: impl Iterator<Item = T>,
    first: usize,
    mut limit: i32,
    found: &mut impl FnMut(usize, i32) -> i32,
    distance: impl Fn(T) -> i32,
) -> i32 {
    for (i, code) in codes.enumerate() {
        let distance = distance(code);
        if distance <= limit {
            limit = found(first + i, distance);
        }
    }
    limit
}

/// Rows of `BYTES` = 8 `WORDS` bytes.
#[inline(always)]
fn unrolled<const WORDS: usize, const BYTES: usize>(
    codes: &[u8],
    query: &[u8],
    first: usize,
    limit: i32,
    found: &mut impl FnMut(usize, i32) -> i32,
) -> i32 {
    let query: [u64; WORDS] = array::from_fn(|i| word(&query.as_chunks::<8>().0[i]));
    each(codes.as_chunks::<BYTES>().0.iter(), first, limit, found, |code| {
        let words = code.as_chunks::<8>().0.iter().zip(query);
        words.map(|(code, query)| (word(code) ^ query).count_ones()).sum::<u32>() as i32
    })
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
