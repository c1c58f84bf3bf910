//! Counting by table lookup, 16 columns to a vector; the docs of the family say how and why.

use super::pack::nibble_parities;
use super::{PANELS, Planes, XnorGemm, scalar};
use crate::buffer::Arena;
use crate::v128::{
    V128, i8x16_add, i8x16_splat, i8x16_sub, i8x16_swizzle, i16x8_add, i16x8_shl, i16x8_splat, i16x8_sub,
    i32x4_extend_high_u16x8, i32x4_extend_low_u16x8, i32x4_load, i32x4_shl, i32x4_store, i32x4_sub,
    u8x16_load, u16x8_shr, v128_and,
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

/// `[a | b << 4][w]`: halved differences of a and w in the low half of the byte, of b and w in the high half.
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
            halved(low, w) | halved(high, w) << 4
        };
        i += 1;
    }
    Table(table)
}

/// `(popcount(x ^ w) + parity(x) - parity(w)) / 2`: 0, 1 or 2.
const fn halved(x: u8, w: u8) -> u8 {
    (((x ^ w).count_ones() + x.count_ones() % 2 - w.count_ones() % 2) / 2) as u8
}

/// Lookups that are added before their halves are taken apart: 4 x 2 = 8 fits half a byte. A word is two of these, so nothing is ever left over.
const QUAD: usize = 4;
/// Lookups of a pair whose counts fit a byte, in whole words: 120 x 2 = 240.
const BYTE_LOOKUPS: usize = 120;
/// Lookups of a pair whose counts fit 16 bits: 65520.
const WORD_LOOKUPS: usize = 273 * BYTE_LOOKUPS;
/// Masked lookups, of up to 4 each, whose counts fit a byte: 240.
const MASKED_BYTE_LOOKUPS: usize = 60;
/// Masked lookups whose counts fit 16 bits: 65280.
const MASKED_WORD_LOOKUPS: usize = 272 * MASKED_BYTE_LOOKUPS;

/// 16-bit counts of the 16 columns of a panel.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    /// Sums of neighbouring bytes as one number: those of columns 0..8, and 256 times those of columns 8..16, modulo 2^16.
    both: V128,
    /// Columns 8..16.
    high: V128,
}

impl Counts {
    #[inline(always)]
    pub(super) fn zero() -> Self {
        Self { both: i16x8_splat(0), high: i16x8_splat(0) }
    }

    /// Adds a byte per column.
    #[inline(always)]
    pub(super) fn add(&mut self, bytes: V128) {
        self.both = i16x8_add(self.both, bytes);
        self.high = i16x8_add(self.high, u16x8_shr(bytes, 8));
    }

    /// Columns 0..8 and 8..16.
    #[inline(always)]
    pub(super) fn columns(self) -> [V128; 2] {
        [i16x8_sub(self.both, i16x8_shl(self.high, 8)), self.high]
    }

    /// The 16 counts as int32.
    #[inline(always)]
    pub(super) fn widened(self) -> [V128; 4] {
        let [low, high] = self.columns();
        [
            i32x4_extend_low_u16x8(low),
            i32x4_extend_high_u16x8(low),
            i32x4_extend_low_u16x8(high),
            i32x4_extend_high_u16x8(high),
        ]
    }
}

/// Where the table indices of a pair of rows lie: `outer` times `inner` runs of `len` bytes.
#[derive(Clone, Copy)]
pub(super) struct Runs<'a> {
    /// Starts with the first run.
    pub(super) indices: &'a [u8],
    /// Count and step in bytes.
    pub(super) outer: (usize, usize),
    /// Count and step in bytes.
    pub(super) inner: (usize, usize),
    pub(super) len: usize,
}

impl<'a> Runs<'a> {
    /// A single run.
    pub(super) const fn one(indices: &'a [u8]) -> Self {
        Self { indices, outer: (1, 0), inner: (1, 0), len: indices.len() }
    }
}

/// Byte counters of a tile of two rows by `NV` panels.
///
/// `total` adds bytes that hold the first row's count in their low half and the second row's in their high half, and wraps; `upper` adds the same
/// bytes shifted down by 4 *as 16-bit numbers*, so that an even byte is polluted by its neighbour's low half. Both are sums modulo 256 of which
/// the counts, below 256, follow exactly ([`Bytes::split`]): three operations per [`QUAD`] lookups where masking both halves apart takes five.
struct Bytes<const NV: usize> {
    total: [V128; NV],
    upper: [V128; NV],
}

impl<const NV: usize> Bytes<NV> {
    #[inline(always)]
    fn zero() -> Self {
        Self { total: [i8x16_splat(0); NV], upper: [i8x16_splat(0); NV] }
    }

    #[inline(always)]
    fn add(&mut self, v: usize, halves: V128) {
        self.total[v] = i8x16_add(self.total[v], halves);
        self.upper[v] = i8x16_add(self.upper[v], u16x8_shr(halves, 4));
    }

    /// The counts of both rows. With l, h the counts of the rows in a byte, and ' its upper neighbour's:
    ///
    /// ```text
    /// total = l + 16 h        upper = h (odd byte), h + 16 l' (even byte)          modulo 256
    /// l = total - 16 upper                                                         16 * 16 l' is 0
    /// h = upper - 16 l' (even byte)
    /// ```
    #[inline(always)]
    fn split(&self, v: usize) -> [V128; 2] {
        let low = i8x16_sub(self.total[v], v128_and(i16x8_shl(self.upper[v], 4), i8x16_splat(-16)));
        let high = i8x16_sub(self.upper[v], v128_and(u16x8_shr(low, 4), i16x8_splat(0xf0)));
        [low, high]
    }

    /// Moves the bytes into the 16-bit counts.
    #[inline(always)]
    fn flush(&mut self, counts: &mut [[Counts; 2]; NV]) {
        for (v, counts) in counts.iter_mut().enumerate() {
            for (counts, bytes) in counts.iter_mut().zip(self.split(v)) {
                counts.add(bytes);
            }
        }
        *self = Self::zero();
    }
}

#[inline(always)]
fn entry(table: &'static Table, index: u8) -> V128 {
    u8x16_load(&table.0[usize::from(index)])
}

/// Halved differences of two rows and `NV` panels; `panels` starts with the group. At most `WORD_LOOKUPS` lookups. One copy for all callers: the loop is the
/// size of a small kernel.
#[inline(never)]
pub(super) fn pair<O: Ops, const NV: usize>(runs: Runs<'_>, panels: &[[u8; 16]]) -> [[Counts; 2]; NV] {
    let mut counts = [[Counts::zero(); 2]; NV];
    let mut bytes = Bytes::<NV>::zero();
    let mut room = BYTE_LOOKUPS;
    let mut quads = quads::<NV>(panels);
    for outer in 0..runs.outer.0 {
        for inner in 0..runs.inner.0 {
            let mut indices = &runs.indices[outer * runs.outer.1 + inner * runs.inner.1..][..runs.len];
            while !indices.is_empty() {
                let (chunk, rest) = indices.split_at(indices.len().min(BYTE_LOOKUPS));
                if chunk.len() > room {
                    bytes.flush(&mut counts);
                    room = BYTE_LOOKUPS;
                }
                room -= chunk.len();
                count::<O, NV>(chunk, quads, &mut bytes);
                (indices, quads) = (rest, &quads[chunk.len() / QUAD..]);
            }
        }
    }
    bytes.flush(&mut counts);
    counts
}

/// Four steps of `NV` panels.
type Quad<const NV: usize> = [[[u8; 16]; NV]; QUAD];

fn quads<const NV: usize>(panels: &[[u8; 16]]) -> &[Quad<NV>] {
    panels.as_chunks::<NV>().0.as_chunks::<QUAD>().0
}

/// Adds at most `BYTE_LOOKUPS` lookups to the bytes.
#[inline(always)]
fn count<O: Ops, const NV: usize>(indices: &[u8], quads: &[Quad<NV>], bytes: &mut Bytes<NV>) {
    for (indices, quad) in indices.as_chunks::<QUAD>().0.iter().zip(quads) {
        let tables = indices.map(|index| entry(&PAIR, index));
        let [first, second, third, fourth] = quad;
        for (v, (((first, second), third), fourth)) in
            first.iter().zip(second).zip(third).zip(fourth).enumerate()
        {
            let half = |i: usize, weights| O::lookup(tables[i], u8x16_load(weights));
            let (low, high) =
                (i8x16_add(half(0, first), half(1, second)), i8x16_add(half(2, third), half(3, fourth)));
            bytes.add(v, i8x16_add(low, high));
        }
    }
}

/// Differences of one masked row and `NV` panels; at most `MASKED_WORD_LOOKUPS` lookups.
#[inline(never)]
fn single<O: Ops, const NV: usize>(indices: &[u8], panels: &[[u8; 16]]) -> [Counts; NV] {
    let mut counts = [Counts::zero(); NV];
    let quads = quads::<NV>(panels).chunks(MASKED_BYTE_LOOKUPS / QUAD);
    for (indices, quads) in indices.chunks(MASKED_BYTE_LOOKUPS).zip(quads) {
        let mut bytes = [i8x16_splat(0); NV];
        for (indices, quad) in indices.as_chunks::<QUAD>().0.iter().zip(quads) {
            for (index, group) in indices.iter().zip(quad) {
                let table = entry(&MASKED, *index);
                for (bytes, weights) in bytes.iter_mut().zip(group) {
                    *bytes = i8x16_add(*bytes, O::lookup(table, u8x16_load(weights)));
                }
            }
        }
        for (counts, bytes) in counts.iter_mut().zip(bytes) {
            counts.add(bytes);
        }
    }
    counts
}

/// Accumulators of a block of rows by tables; `acc [rows, padded columns]` holds what is not 0 in each row.
pub(super) fn run<O: Ops>(gemm: &XnorGemm, planes: &Planes<'_>, acc: &mut [i32], mut scratch: Arena<'_>) {
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
        scalar::subtract_row(&gemm.weights.quads, plane, planes, r, &mut acc[r * stride..][..stride]);
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
    if !masked {
        for (r, acc) in acc.chunks_exact_mut(stride).take(looked_up).enumerate() {
            let parities = nibble_parities(&planes.signs[r * plane..][..plane]);
            for (acc, weights) in acc.iter_mut().zip(&*gemm.weights.parities) {
                *acc += 2 * (parities - weights);
            }
        }
    }
    let mut panel = 0;
    while panel * 16 < stride {
        let wide = (panel + PANELS) * 16 <= stride;
        for (at, indices) in indices.chunks_exact(depth).enumerate() {
            let acc = &mut acc[at * step * stride + panel * 16..];
            let panels = &gemm.weights.panels[panel * depth..];
            match (masked, wide) {
                (false, true) => subtract_pair::<O, PANELS>(indices, panels, acc, stride),
                (false, false) => subtract_pair::<O, 1>(indices, panels, acc, stride),
                (true, true) => subtract_single::<O, PANELS>(indices, panels, acc),
                (true, false) => subtract_single::<O, 1>(indices, panels, acc),
            }
        }
        panel += if wide { PANELS } else { 1 };
    }
}

/// `acc -= 4 * halved differences` of two rows, which are `stride` apart.
fn subtract_pair<O: Ops, const NV: usize>(
    indices: &[u8],
    panels: &[[u8; 16]],
    acc: &mut [i32],
    stride: usize,
) {
    let panels = panels[..NV * indices.len()].chunks(NV * WORD_LOOKUPS);
    for (indices, panels) in indices.chunks(WORD_LOOKUPS).zip(panels) {
        for (v, rows) in pair::<O, NV>(Runs::one(indices), panels).into_iter().enumerate() {
            for (r, counts) in rows.into_iter().enumerate() {
                subtract::<2>(&mut acc[r * stride + 16 * v..][..16], counts);
            }
        }
    }
}

/// `acc -= 2 * differences` of a masked row.
fn subtract_single<O: Ops, const NV: usize>(indices: &[u8], panels: &[[u8; 16]], acc: &mut [i32]) {
    let panels = panels[..NV * indices.len()].chunks(NV * MASKED_WORD_LOOKUPS);
    for (indices, panels) in indices.chunks(MASKED_WORD_LOOKUPS).zip(panels) {
        for (v, counts) in single::<O, NV>(indices, panels).into_iter().enumerate() {
            subtract::<1>(&mut acc[16 * v..][..16], counts);
        }
    }
}

/// `acc[column] -= count[column] << SHIFT` for 16 columns.
#[inline(always)]
pub(super) fn subtract<const SHIFT: u32>(acc: &mut [i32], counts: Counts) {
    for (acc, counts) in acc.chunks_exact_mut(4).zip(counts.widened()) {
        i32x4_store(acc, i32x4_sub(i32x4_load(acc), i32x4_shl(counts, SHIFT)));
    }
}

/// Table indices of two rows of words: for every 4 bits of k, those of `a` low and those of `b` high.
pub(super) fn interleave(a: &[u32], b: &[u32], indices: &mut [u8]) {
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
