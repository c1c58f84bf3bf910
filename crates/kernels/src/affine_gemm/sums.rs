//! Blocks of rows through the tier's functions.

use super::pack::{COLUMNS, DEPTH, Packed};
use crate::buffer::{Arena, lines_for};

/// Rows that are prepared together.
pub(super) const BLOCK_ROWS: usize = 16;

/// The prepared activations of a block of rows.
pub(super) struct Prepared<'a> {
    /// `[rows][groups][group]`: i16 pairs (32 bits for two activations) or bytes (for four).
    pub(super) values: &'a mut [i32],
    /// `[rows][groups]`: their sums.
    pub(super) sums: &'a mut [i32],
}

/// One group of one panel.
pub(super) struct Group<'a> {
    /// `[word][16]`
    pub(super) words: &'a [u32],
    pub(super) zeros: &'a [i32],
    pub(super) fixed: &'a [i32],
    /// Bits of a code.
    pub(super) width: usize,
}

/// The rows of one group of the prepared activations: row r is `values[r * stride..]`, its sum `sums[r * sum_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [i32],
    pub(super) stride: usize,
    pub(super) sums: &'a [i32],
    pub(super) sum_stride: usize,
    pub(super) count: usize,
}

/// The functions of a tier.
pub(super) trait Tile {
    /// Prepares one group of one row: the first `len` of `x` (at most `16 * values`' blocks) into `values`; positions behind them count as the zero point.
    /// Returns their sum, or anything where no column has a zero point. What x holds behind `len` may be read and does not matter.
    fn prepare(packed: &Packed, x: &[i8], len: usize, values: &mut [i32]) -> i32;

    /// `acc[row][column] = Σ values * codes - zeros[column] * sums[row] - fixed[column]`, wrapping; row r of `acc` is 16 values from `r * pitch` on.
    fn accumulate(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize);

    /// `y[i] += f32(acc[i]) * scale[i % 16]`, the product rounded before the sum.
    fn add_scaled(acc: &[i32], scale: &[f32], y: &mut [f32]);
}

/// Runs `$body` with `$tile` bound to the functions that `$packed` was packed for.
macro_rules! with_tile {
    ($packed:expr, $tile:ident => $body:expr) => {
        match $packed.tier.effective() {
            crate::tier::Tier::Scalar => {
                type $tile = super::scalar::Scalar;
                $body
            }
            #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
            crate::tier::Tier::Relaxed if $packed.by_bytes() => {
                type $tile = super::relaxed::Relaxed;
                $body
            }
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => {
                type $tile = super::simd128::Simd128;
                $body
            }
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier that this build does not hold"),
        }
    };
}
pub(super) use with_tile;

impl Packed {
    /// 32-bit words of the prepared activations of one group of a row.
    fn prepared_group(&self) -> usize {
        self.padded_group() / if self.by_bytes() { 4 } else { 2 }
    }

    /// Lines of scratch that [`Self::prepare`] takes for `rows` rows.
    pub(super) fn prepared_lines(&self, rows: usize) -> usize {
        lines_for::<i32>(rows * self.groups() * self.prepared_group())
            + lines_for::<i32>(rows * self.groups())
    }

    /// Prepares the rows of `x [rows, K]`.
    pub(super) fn prepare<'a, T: Tile>(&self, x: &[i8], scratch: &mut Arena<'a>) -> Prepared<'a> {
        let (rows, groups, group) = (x.len() / self.depth, self.groups(), self.prepared_group());
        let values = scratch.take::<i32>(rows * groups * group);
        let sums = scratch.take::<i32>(rows * groups);
        let targets = values.chunks_exact_mut(groups * group).zip(sums.chunks_exact_mut(groups));
        for (row, (values, sums)) in targets.enumerate() {
            let mut at = row * self.depth;
            let end = at + self.depth;
            for (values, sum) in values.chunks_exact_mut(group).zip(sums) {
                let len = self.group_size.min(end - at);
                *sum = T::prepare(self, &x[at..], len, values);
                at += len;
            }
        }
        Prepared { values, sums }
    }

    /// The sums of one group of one panel: row r in the 16 values from `acc[r * pitch]` on.
    pub(super) fn group_sums<T: Tile>(
        &self,
        x: &Prepared<'_>,
        panel: usize,
        group: usize,
        acc: &mut [i32],
        pitch: usize,
    ) {
        let (groups, words) = (self.groups(), self.group_words() * COLUMNS);
        // Words of nothing but padding add nothing.
        let used = self.group_size.div_ceil(32 / self.width) * COLUMNS;
        let cell = (panel * groups + group) * COLUMNS;
        let weights = Group {
            words: &self.words[(panel * groups + group) * words..][..used],
            zeros: &self.zeros[cell..][..COLUMNS],
            fixed: &self.fixed[cell..][..COLUMNS],
            width: self.width,
        };
        let prepared = self.prepared_group();
        let rows = Rows {
            values: &x.values[group * prepared..],
            stride: groups * prepared,
            sums: &x.sums[group..],
            sum_stride: groups,
            count: x.sums.len() / groups,
        };
        T::accumulate(&weights, rows, acc, pitch);
    }
}

/// Position in its block of the first of the two codes that pair `j` holds at this width; the second is 2 behind it.
pub(super) const fn pair_position(width: usize, j: usize) -> usize {
    let fields = 8 / width;
    4 * (j % fields) + j / fields
}

/// The order in which 16 activations are kept as pairs for codes of this width. Looked up, for it is asked for every row.
pub(super) fn pair_order(width: usize) -> &'static [u8; DEPTH] {
    static ORDERS: [[u8; DEPTH]; 3] = [make_pair_order(2), make_pair_order(4), make_pair_order(8)];
    match width {
        8 => &ORDERS[2],
        4 => &ORDERS[1],
        _ => &ORDERS[0],
    }
}

const fn make_pair_order(width: usize) -> [u8; DEPTH] {
    let (mut order, mut i) = ([0; DEPTH], 0);
    let block = 32 / width;
    while i < DEPTH {
        let (start, j) = (i / block * block, i % block / 2);
        order[i] = (start + pair_position(width, j) + 2 * (i % 2)) as u8;
        i += 1;
    }
    order
}
