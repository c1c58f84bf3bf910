//! Many columns without relaxed dots: a table of the sums that two activations can make, indexed by the two codes ("TL1" in T-MAC, Wei et al. 2024,
//! arXiv:2407.00088, and in bitnet.cpp).
//!
//! Two activations and two weights -1, 0, +1 have 9 sums in -256..=256. With 256 added they are split into 5 low bits and what is above, 0..=16, so that a
//! *pair of tables* of 16 bytes holds them, and `i8x16.swizzle` reads one for 16 columns. Lanes are columns: nothing is added across them.
//!
//! ```text
//! weights [K / 1024][N / 16][K' / 4][16]    byte = codes k..k+4 of a column, 2 bits each; a nibble is the index of a lookup
//! tables  [rows][pairs of 1024][2][16]      low bits, high part
//! ```
//!
//! Lookups are added in bytes, 8 of at most 31 = 248 and 8 of at most 16 = 128; then in 16-bit lanes, 64 groups of 248 = 15872; then in int32, once per 1024 weights,
//! whose tables fill half of a first-level cache. Per 64 weights and row: 4 swizzles and 4 additions, 3 operations to part the nibbles, 1.5 to widen.

use super::pack::TernaryWeights;
use super::{OP, PANEL};
use crate::buffer::Buffer;
use crate::error::{Result, checked_area};
use crate::v128::{
    V128, i8x16_add, i8x16_swizzle, i16x8_add, i16x8_load, i16x8_mul, i16x8_shl, i16x8_splat, i16x8_sub,
    i32x4_add, i32x4_extend_high_u16x8, i32x4_extend_low_u16x8, i32x4_load, i32x4_shl, i32x4_shuffle,
    i32x4_splat, i32x4_store, i32x4_sub, u8x16_load, u8x16_narrow_i16x8, u8x16_splat, u8x16_store, u16x8_shr,
    v128_and, v128_opaque,
};

/// Columns from which a row's tables are worth making: they cost as much as the lookups of 30 columns.
pub(super) const COLUMNS: usize = 128;
/// Weights of a row whose tables are made together.
const DEPTH: usize = 1024;
/// Vectors of weights whose lookups are added in bytes: two lookups each.
const GROUP: usize = 4;
/// Weights of a column in them, to which rows are padded.
const GROUP_DEPTH: usize = 4 * GROUP;

/// `[K / 1024][N / 16][K' / 4]`, K' the weights of a chunk.
pub(super) struct Panels {
    pub(super) vectors: Buffer<[u8; 16]>,
}

impl Panels {
    /// With the sum of each column's weights.
    pub(super) fn pack(weights: &TernaryWeights<'_>) -> Result<(Self, Buffer<i32>)> {
        weights.check()?;
        let panels = weights.columns.div_ceil(PANEL);
        let padded = weights.depth.next_multiple_of(GROUP_DEPTH);
        let mut vectors = Buffer::<[u8; 16]>::zeroed(OP, checked_area(OP, panels, padded / 4)?)?;
        let sums = weights.each_level(|n, k, level| {
            let first = k / DEPTH * DEPTH;
            let len = DEPTH.min(padded - first);
            let vector = (first * panels + n / PANEL * len + k - first) / 4;
            vectors[vector][n % PANEL] |= level << (k % 4 * 2);
        })?;
        Ok((Self { vectors }, sums))
    }
}

/// Vectors of the tables of a row: two for a pair of weights, of one chunk at a time.
pub(super) fn row_vectors(depth: usize) -> usize {
    depth.next_multiple_of(GROUP_DEPTH).min(DEPTH)
}

/// The tables of a pair of activations: low bits, high part.
pub(super) type Tables = [[u8; 16]; 2];

/// What is added to a sum before it is split.
const OFFSET: i16 = 256;
/// Low bits of a sum.
const LOW: u32 = 5;
/// Adds `Σ_k x * w` to `acc[rows][pitch]`; `x` is `[rows, K]`, bytes `^ flip` being signed values, `tables` room for the tables of a chunk of every row.
pub(super) fn products(
    x: &[i8],
    flip: u8,
    weights: &Panels,
    tables: &mut [Tables],
    acc: &mut [i32],
    pitch: usize,
) {
    let rows = acc.len() / pitch;
    let depth = x.len() / rows;
    let mut panels = &weights.vectors[..];
    for first in (0..depth).step_by(DEPTH) {
        let len = DEPTH.min(depth - first);
        let padded = len.next_multiple_of(GROUP_DEPTH);
        for (x, tables) in x.chunks_exact(depth).zip(tables.chunks_exact_mut(padded / 2)) {
            write_tables(&x[first..][..len], flip, tables);
        }
        let (chunk, rest) = panels.split_at(pitch / PANEL * (padded / 4));
        panels = rest;
        let panel = |p: usize| &chunk[p * padded / 4..][..padded / 4];
        // Two streams, as in `dots`.
        let (count, half) = (pitch / PANEL, (pitch / PANEL).div_ceil(2));
        for p in 0..half {
            let partner = (p + half < count).then_some(p + half);
            for (tables, acc) in tables.chunks_exact(padded / 2).zip(acc.chunks_exact_mut(pitch)) {
                if let Some(partner) = partner {
                    let [first, second] = sums([panel(p), panel(partner)], tables);
                    add(&mut acc[p * PANEL..], first, padded);
                    add(&mut acc[partner * PANEL..], second, padded);
                } else {
                    let [sums] = sums([panel(p)], tables);
                    add(&mut acc[p * PANEL..], sums, padded);
                }
            }
        }
    }
}

/// The tables of the pairs of a row; what is behind the row counts as 0.
fn write_tables(x: &[i8], flip: u8, tables: &mut [Tables]) {
    // First code 0..4 of the lanes of either half, less 1; the second code is 0 and 1 in the one, 2 and 3 in the other.
    let first = i16x8_load(&[-1, 0, 1, 2, -1, 0, 1, 2]);
    let second = i16x8_load(&[-1, -1, -1, -1, 0, 0, 0, 0]);
    let low_bits = i16x8_splat((1 << LOW) - 1);
    let value = |k: usize| x.get(k).map_or(0, |x| i16::from((*x as u8 ^ flip) as i8));
    for (pair, [low, high]) in tables.iter_mut().enumerate() {
        let (a, b) = (i16x8_splat(value(2 * pair)), i16x8_splat(value(2 * pair + 1)));
        let a = i16x8_add(i16x8_mul(a, first), i16x8_splat(OFFSET));
        let below = i16x8_add(a, i16x8_mul(b, second));
        // Two more of the second.
        let above = i16x8_add(below, i16x8_add(b, b));
        u8x16_store(low, u8x16_narrow_i16x8(v128_and(below, low_bits), v128_and(above, low_bits)));
        u8x16_store(high, u8x16_narrow_i16x8(u16x8_shr(below, LOW), u16x8_shr(above, LOW)));
    }
}

/// Sums of a chunk in `S` panels, as 16-bit lanes of even and odd columns: of the low bits, of the high parts.
#[inline(never)]
fn sums<const S: usize>(panels: [&[[u8; 16]]; S], tables: &[Tables]) -> [[[V128; 2]; 2]; S] {
    let mut sums = [[[i32x4_splat(0); 2]; 2]; S];
    let nibble = v128_opaque(u8x16_splat(15));
    for (at, tables) in tables.chunks_exact(2 * GROUP).enumerate() {
        for (sums, panel) in sums.iter_mut().zip(panels) {
            let (mut low, mut high) = (i32x4_splat(0), i32x4_splat(0));
            for (codes, [first, second]) in panel[at * GROUP..][..GROUP].iter().zip(tables.as_chunks::<2>().0)
            {
                let codes = u8x16_load(codes);
                let (a, b) = (v128_and(codes, nibble), v128_and(u16x8_shr(codes, 4), nibble));
                low = i8x16_add(low, i8x16_swizzle(u8x16_load(&first[0]), a));
                high = i8x16_add(high, i8x16_swizzle(u8x16_load(&first[1]), a));
                low = i8x16_add(low, i8x16_swizzle(u8x16_load(&second[0]), b));
                high = i8x16_add(high, i8x16_swizzle(u8x16_load(&second[1]), b));
            }
            for (sums, bytes) in sums.iter_mut().zip([low, high]) {
                // Both columns of a lane, of which the odd one, added for itself, is taken out at the end.
                sums[0] = i16x8_add(sums[0], bytes);
                sums[1] = i16x8_add(sums[1], u16x8_shr(bytes, 8));
            }
        }
    }
    for sums in sums.iter_mut().flatten() {
        sums[0] = i16x8_sub(sums[0], i16x8_shl(sums[1], 8));
    }
    sums
}

/// Adds the sums of `depth` weights to 16 columns.
#[inline(always)]
fn add(acc: &mut [i32], [low, high]: [[V128; 2]; 2], depth: usize) {
    let offset = i32x4_splat(i32::from(OFFSET) * (depth / 2) as i32);
    let join = |low: V128, high: V128| i32x4_sub(i32x4_add(low, i32x4_shl(high, LOW)), offset);
    let halves = [
        [0, 1].map(|i: usize| join(i32x4_extend_low_u16x8(low[i]), i32x4_extend_low_u16x8(high[i]))),
        [0, 1].map(|i: usize| join(i32x4_extend_high_u16x8(low[i]), i32x4_extend_high_u16x8(high[i]))),
    ];
    for ([even, odd], acc) in halves.into_iter().zip(acc.as_chunks_mut::<8>().0) {
        let columns = [i32x4_shuffle::<0, 4, 1, 5>(even, odd), i32x4_shuffle::<2, 6, 3, 7>(even, odd)];
        for (columns, acc) in columns.into_iter().zip(acc.as_chunks_mut::<4>().0) {
            let sum = i32x4_add(i32x4_load(acc), columns);
            i32x4_store(acc, sum);
        }
    }
}
