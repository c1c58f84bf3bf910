//! Counting by table lookup, 16 columns to a vector; the docs of the family say how and why.
//!
//! Per 16 columns and 12 bits of k of two rows (384 multiply-adds): 3 table loads and 3 weight loads, 3 swizzles, 2 additions, and 5 operations to split
//! the rows. The table loads serve all panels of a group. One masked row: a load, a swizzle and an addition per 64 multiply-adds.

use super::{Planes, XnorGemm, scalar};
use crate::buffer::Arena;
use crate::v128::{
    V128, i8x16_add, i8x16_splat, i8x16_swizzle, i16x8_add, i16x8_extend_high_u8x16, i16x8_extend_low_u8x16,
    i16x8_splat, i32x4_extend_high_u16x8, i32x4_extend_low_u16x8, i32x4_load, i32x4_shl, i32x4_store,
    i32x4_sub, u8x16_load, u16x8_shr, v128_and,
};

/// What differs between the vector tiers.
pub(super) trait Ops {
    /// `table[index]`, every index below 16.
    fn lookup(table: V128, index: V128) -> V128;
}

/// Fixed-width SIMD.
pub(super) struct Strict;

impl Ops for Strict {
    #[inline(always)]
    fn lookup(table: V128, index: V128) -> V128 {
        i8x16_swizzle(table, index)
    }
}

/// 16 bytes on an address of their own kind.
#[repr(C, align(16))]
struct Table([[u8; 16]; 256]);

/// `[a | b << 4][w]`: differing bits of a and w in the low half of the byte, of b and w in the high half.
static PAIR: Table = table(false);
/// `[s | m << 4][w]`: bits of m at which s and w differ.
static MASKED: Table = table(true);

const fn table(masked: bool) -> Table {
    let mut table = [[0; 16]; 256];
    let mut i = 0;
    while i < 256 * 16 {
        let (low, high, w) = ((i / 16) as u8 & 15, (i / 256) as u8, i as u8 & 15);
        table[i / 16][i % 16] = if masked {
            ((low ^ w) & high).count_ones() as u8
        } else {
            (low ^ w).count_ones() as u8 | ((high ^ w).count_ones() as u8) << 4
        };
        i += 1;
    }
    Table(table)
}

/// Lookups of which the counts fit a byte: 60 x 4 bits = 240.
const BYTE_LOOKUPS: usize = 60;
/// Lookups of which the counts fit 16 bits: 65280 bits.
const WORD_LOOKUPS: usize = 272 * BYTE_LOOKUPS;

/// Subtracts twice the differing bits from `acc` (`[rows, padded columns]`); `NV` panels are counted at a time.
pub(super) fn run<O: Ops, const NV: usize>(
    gemm: &XnorGemm,
    planes: &Planes<'_>,
    acc: &mut [i32],
    mut scratch: Arena<'_>,
) {
    let (plane, stride) = (gemm.plane_words(), gemm.padded_columns());
    let rows = acc.len() / stride;
    let masked = !planes.masks.is_empty();
    // A single row reads half the bytes of weights as quads.
    let looked_up = match rows {
        1 => 0,
        _ if masked => rows,
        _ => rows & !1,
    };
    for r in looked_up..rows {
        scalar::subtract_row(&gemm.quads, plane, planes, r, &mut acc[r * stride..][..stride]);
    }
    let step = if masked { 1 } else { 2 };
    let depth = 8 * plane;
    let indices = scratch.take::<u8>(looked_up / step * depth);
    for (at, indices) in indices.chunks_exact_mut(depth).enumerate() {
        let row = |r: usize| r * plane..(r + 1) * plane;
        if masked {
            interleave(&planes.signs[row(at)], &planes.masks[row(at)], indices);
        } else {
            interleave(&planes.signs[row(2 * at)], &planes.signs[row(2 * at + 1)], indices);
        }
    }
    let mut panel = 0;
    while panel * 16 < stride {
        let wide = (panel + NV) * 16 <= stride;
        for (at, indices) in indices.chunks_exact(depth).enumerate() {
            let acc = &mut acc[at * step * stride + panel * 16..];
            let panels = &gemm.panels[panel * depth..];
            match (masked, wide) {
                (false, true) => pair::<O, NV>(indices, panels, acc, stride),
                (false, false) => pair::<O, 1>(indices, panels, acc, stride),
                (true, true) => single::<O, NV>(indices, panels, acc),
                (true, false) => single::<O, 1>(indices, panels, acc),
            }
        }
        panel += if wide { NV } else { 1 };
    }
}

/// Table indices of two rows of words: for every 4 bits of k, those of `a` low and those of `b` high.
fn interleave(a: &[u32], b: &[u32], indices: &mut [u8]) {
    for ((a, b), indices) in a.iter().zip(b).zip(indices.as_chunks_mut::<8>().0) {
        *indices = (spread(*a) | spread(*b) << 4).to_le_bytes();
    }
}

/// The eight nibbles of a word, one to a byte.
#[inline(always)]
fn spread(word: u32) -> u64 {
    let v = u64::from(word);
    let v = (v | v << 16) & 0x0000_ffff_0000_ffff;
    let v = (v | v << 8) & 0x00ff_00ff_00ff_00ff;
    (v | v << 4) & 0x0f0f_0f0f_0f0f_0f0f
}

#[inline(always)]
fn entry(table: &'static Table, index: u8) -> V128 {
    u8x16_load(&table.0[usize::from(index)])
}

/// Two rows, `NV` panels: `panels` starts with the group, `acc` with its first column in the first row.
#[inline(always)]
fn pair<O: Ops, const NV: usize>(indices: &[u8], panels: &[[u8; 16]], acc: &mut [i32], stride: usize) {
    let zero = i8x16_splat(0);
    let low_half = i8x16_splat(15);
    let (groups, _) = panels[..NV * indices.len()].as_chunks::<NV>();
    for (indices, groups) in indices.chunks(WORD_LOOKUPS).zip(groups.chunks(WORD_LOOKUPS)) {
        let mut words = [[i16x8_splat(0); 4]; NV];
        for (indices, groups) in indices.chunks(BYTE_LOOKUPS).zip(groups.chunks(BYTE_LOOKUPS)) {
            let mut low = [zero; NV];
            let mut high = [zero; NV];
            let mut split = |v: usize, sum: V128| {
                low[v] = i8x16_add(low[v], v128_and(sum, low_half));
                high[v] = i8x16_add(high[v], v128_and(u16x8_shr(sum, 4), low_half));
            };
            // Three counts of up to 4 fit half a byte.
            let (threes, rest) = indices.as_chunks::<3>();
            let (three_groups, rest_groups) = groups.as_chunks::<3>();
            for (index, group) in threes.iter().zip(three_groups) {
                // One by one: as an array the three bytes would be loaded together and shifted apart.
                let tables = [entry(&PAIR, index[0]), entry(&PAIR, index[1]), entry(&PAIR, index[2])];
                let [first, second, third] = group;
                for (v, ((first, second), third)) in first.iter().zip(second).zip(third).enumerate() {
                    let count = |u: usize, weights| O::lookup(tables[u], u8x16_load(weights));
                    split(v, i8x16_add(i8x16_add(count(0, first), count(1, second)), count(2, third)));
                }
            }
            for (index, group) in rest.iter().zip(rest_groups) {
                let table = entry(&PAIR, *index);
                for (v, weights) in group.iter().enumerate() {
                    split(v, O::lookup(table, u8x16_load(weights)));
                }
            }
            for (words, (low, high)) in words.iter_mut().zip(low.into_iter().zip(high)) {
                widen(&mut words[..2], low);
                widen(&mut words[2..], high);
            }
        }
        for (v, words) in words.iter().enumerate() {
            subtract_twice(&mut acc[16 * v..][..16], words[0], words[1]);
            subtract_twice(&mut acc[stride + 16 * v..][..16], words[2], words[3]);
        }
    }
}

/// One masked row, `NV` panels.
#[inline(always)]
fn single<O: Ops, const NV: usize>(indices: &[u8], panels: &[[u8; 16]], acc: &mut [i32]) {
    let (groups, _) = panels[..NV * indices.len()].as_chunks::<NV>();
    for (indices, groups) in indices.chunks(WORD_LOOKUPS).zip(groups.chunks(WORD_LOOKUPS)) {
        let mut words = [[i16x8_splat(0); 2]; NV];
        for (indices, groups) in indices.chunks(BYTE_LOOKUPS).zip(groups.chunks(BYTE_LOOKUPS)) {
            let mut counts = [i8x16_splat(0); NV];
            for (index, group) in indices.iter().zip(groups) {
                let table = entry(&MASKED, *index);
                for (count, weights) in counts.iter_mut().zip(group) {
                    *count = i8x16_add(*count, O::lookup(table, u8x16_load(weights)));
                }
            }
            for (words, count) in words.iter_mut().zip(counts) {
                widen(words, count);
            }
        }
        for (v, words) in words.iter().enumerate() {
            subtract_twice(&mut acc[16 * v..][..16], words[0], words[1]);
        }
    }
}

/// Adds 16 bytes to 16 counts of 16 bits.
#[inline(always)]
fn widen(words: &mut [V128], bytes: V128) {
    words[0] = i16x8_add(words[0], i16x8_extend_low_u8x16(bytes));
    words[1] = i16x8_add(words[1], i16x8_extend_high_u8x16(bytes));
}

/// `acc[column] -= 2 * count[column]` for 16 columns.
#[inline(always)]
fn subtract_twice(acc: &mut [i32], low: V128, high: V128) {
    let counts = [
        i32x4_extend_low_u16x8(low),
        i32x4_extend_high_u16x8(low),
        i32x4_extend_low_u16x8(high),
        i32x4_extend_high_u16x8(high),
    ];
    for (acc, counts) in acc.chunks_exact_mut(4).zip(counts) {
        i32x4_store(acc, i32x4_sub(i32x4_load(acc), i32x4_shl(counts, 1)));
    }
}
