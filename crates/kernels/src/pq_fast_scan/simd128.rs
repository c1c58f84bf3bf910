//! Quantized tables, one to a register, looked up for 16 vectors at a time; the docs of the family say how and why.

use core::hint::black_box;

use super::quantized::Grid;
use super::query::Query;
use super::{BLOCK, MAX_BYTE_SUMS, PqBlocks, WIDTH};
use crate::v128::{
    V128, i8x16_add, i8x16_bitmask, i8x16_eq, i8x16_narrow_i16x8, i8x16_splat, i8x16_swizzle, i16x8_add,
    i16x8_shl, i16x8_splat, i16x8_sub, u8x16_add_sat, u8x16_load, u8x16_splat, u16x8_shr, v128_and,
};

/// What differs between the vector tiers.
pub(crate) trait Ops {
    /// `table[index]`, every index below 16.
    fn lookup(table: V128, index: V128) -> V128;
}

/// Fixed-width SIMD.
pub(crate) struct Strict;

impl Ops for Strict {
    #[inline(always)]
    fn lookup(table: V128, index: V128) -> V128 {
        i8x16_swizzle(table, index)
    }
}

/// Saturating bytes: a sum above 254 is as good as any larger one.
const BYTES: Grid = Grid { entry: 254, sum: 254, whole: true };

/// Lookups of which the sum fits a byte: 8 x 31.
const WORD_LOOKUPS: usize = 8;

/// 16-bit sums: 1024 x 31 stays below 2^15.
const WORDS: Grid = Grid { entry: 31, sum: 31 * 1024, whole: false };

/// A block with candidates, and which of its vectors are ones for each query.
type Found<const Q: usize> = Option<(usize, [u32; Q])>;

/// One pass over the codes for `Q` queries.
pub(super) fn scan<O: Ops, const Q: usize>(codes: &PqBlocks<'_>, queries: &mut [Query<'_>; Q]) {
    let narrow = codes.subspaces <= MAX_BYTE_SUMS;
    let grid = if narrow { BYTES } else { WORDS };
    let mut at = 0;
    while at < codes.count() {
        if !codes.selection.any(at * BLOCK) {
            at += 1;
            continue;
        }
        if queries.iter().any(|query| !query.top.is_full()) {
            // Everything is a candidate.
            for query in &mut *queries {
                query.score(codes, at, u32::MAX);
            }
            at += 1;
            continue;
        }
        for query in &mut *queries {
            query.tighten(grid);
        }
        if queries.iter().all(|query| query.quantized.limit < 0) {
            return;
        }
        let end = codes.run_end(at);
        let limits = queries.each_ref().map(|query| query.quantized.limit as i16);
        let tables = queries.each_ref().map(|query| &*query.quantized.entries);
        let find = if narrow { find_bytes::<O, Q> } else { find_words::<O, Q> };
        match find(codes.range(at, end), tables, limits) {
            None => at = end,
            Some((offset, lanes)) => {
                at += offset;
                for (query, lanes) in queries.iter_mut().zip(lanes) {
                    query.score(codes, at, lanes);
                }
                at += 1;
            }
        }
    }
}

/// Calls `add` with the vectors of codes of both halves of a block and the tables of all queries, `GROUP` subspaces at a time, and `end` after each group.
#[inline(always)]
fn walk<const Q: usize, const GROUP: usize>(
    block: &[u8],
    tables: [&[[u8; WIDTH]]; Q],
    low_half: V128,
    mut add: impl FnMut(usize, [V128; 2], [V128; Q]),
    mut end: impl FnMut(),
) {
    let mut one = |i: usize, codes: &[u8; 16], table: [&[u8; WIDTH]; Q]| {
        let codes = u8x16_load(codes);
        let indices = [v128_and(codes, low_half), v128_and(u16x8_shr(codes, 4), low_half)];
        add(i, indices, table.map(|table| u8x16_load(table)));
    };
    let (groups, rest) = block.as_chunks::<16>().0.as_chunks::<GROUP>();
    let whole = groups.len() * GROUP;
    let mut table_groups = tables.map(|tables| tables.as_chunks::<GROUP>().0.iter());
    for group in groups {
        let table = table_groups.each_mut().map(|groups| groups.next().expect("a table for every subspace"));
        for (i, codes) in group.iter().enumerate() {
            one(i, codes, table.map(|table| &table[i]));
        }
        end();
    }
    for (i, codes) in rest.iter().enumerate() {
        one(i, codes, tables.map(|tables| &tables[whole + i]));
    }
    if !rest.is_empty() {
        end();
    }
}

/// The first block with a vector of which the sum for a query is within its limit; sums in saturating bytes.
#[inline(never)]
fn find_bytes<O: Ops, const Q: usize>(
    blocks: &[u8],
    tables: [&[[u8; WIDTH]]; Q],
    limits: [i16; Q],
) -> Found<Q> {
    // Not a constant to the engine: V8 makes those anew for every use.
    let low_half = u8x16_splat(black_box(15));
    let full = i8x16_splat(-1);
    for (at, block) in blocks.chunks_exact(16 * tables[0].len()).enumerate() {
        // Sums start so that all above the limit reach 255 and stay there.
        let mut sums = limits.map(|limit| [u8x16_splat((254 - limit) as u8); 2]);
        let add = |_, indices: [V128; 2], tables: [V128; Q]| {
            for (sums, table) in sums.iter_mut().zip(tables) {
                for (sum, index) in sums.iter_mut().zip(indices) {
                    *sum = u8x16_add_sat(*sum, O::lookup(table, index));
                }
            }
        };
        walk::<Q, 4>(block, tables, low_half, add, || {});
        let all = sums.iter().fold(full, |all, sums| v128_and(all, v128_and(sums[0], sums[1])));
        if i8x16_bitmask(i8x16_eq(all, full)) != u16::MAX {
            let within = |sum| u32::from(!i8x16_bitmask(i8x16_eq(sum, full)));
            return Some((at, sums.map(|[low, high]| within(low) | within(high) << 16)));
        }
    }
    None
}

/// As `find_bytes`, with sums of 16 bits.
#[inline(never)]
fn find_words<O: Ops, const Q: usize>(
    blocks: &[u8],
    tables: [&[[u8; WIDTH]]; Q],
    limits: [i16; Q],
) -> Found<Q> {
    let low_half = u8x16_splat(black_box(15));
    for (at, block) in blocks.chunks_exact(16 * tables[0].len()).enumerate() {
        let bytes = core::cell::Cell::new([[i8x16_splat(0); 2]; Q]);
        // For both halves: the sum of even and odd vectors together (modulo 2^16), and that of odd ones.
        let mut words = [[[i16x8_splat(0); 2]; 2]; Q];
        let add = |i, indices: [V128; 2], tables: [V128; Q]| {
            let mut sums = bytes.get();
            for (sums, table) in sums.iter_mut().zip(tables) {
                for (sum, index) in sums.iter_mut().zip(indices) {
                    let entry = O::lookup(table, index);
                    *sum = if i == 0 { entry } else { i8x16_add(*sum, entry) };
                }
            }
            bytes.set(sums);
        };
        let widen = || {
            for (words, bytes) in words.as_flattened_mut().iter_mut().zip(bytes.get().as_flattened()) {
                words[0] = i16x8_add(words[0], *bytes);
                words[1] = i16x8_add(words[1], u16x8_shr(*bytes, 8));
            }
        };
        walk::<Q, WORD_LOOKUPS>(block, tables, low_half, add, widen);
        // The sign of limit - sum, as bytes: even vectors of a half, then odd ones.
        let mut beyond = [[i8x16_splat(0); 2]; Q];
        for ((beyond, words), limit) in beyond.iter_mut().zip(&words).zip(limits) {
            let limit = i16x8_splat(limit);
            for (beyond, [both, odd]) in beyond.iter_mut().zip(words) {
                let even = i16x8_sub(*both, i16x8_shl(*odd, 8));
                *beyond = i8x16_narrow_i16x8(i16x8_sub(limit, even), i16x8_sub(limit, *odd));
            }
        }
        let all = beyond.as_flattened().iter().fold(i8x16_splat(-1), |all, beyond| v128_and(all, *beyond));
        if i8x16_bitmask(all) != u16::MAX {
            let within = |beyond| in_order(!i8x16_bitmask(beyond));
            return Some((at, beyond.map(|[low, high]| within(low) | within(high) << 16)));
        }
    }
    None
}

/// Bits of the even places from the low byte, of the odd ones from the high.
fn in_order(mask: u16) -> u32 {
    (0..16).fold(0, |ordered, i| ordered | u32::from(mask >> (i / 2 + i % 2 * 8) & 1) << i)
}
