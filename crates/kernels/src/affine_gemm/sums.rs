//! Blocks of rows through the tier's functions.
//!
//! Prepared rows are kept in *strips* of four, or where the form says so of six as far as they go, step by step: the words that one step of a tile repeats lie side by side. What strips
//! leave over follows row by row.

use core::ops::Range;

use super::dispatch::{self, Form};
use super::float_rows::{End, PanelSums};
use super::pack::{COLUMNS, DEPTH, Packed};
use crate::buffer::{Arena, lines_for};
use crate::turns::{FROM_MEMORY, by_quarters};

/// Rows of a strip.
pub(super) const STRIP: usize = 4;
/// Rows of a tall strip.
pub(super) const TALL: usize = 6;
/// Columns that are opened together: those of a tile.
pub(super) const OPEN_COLUMNS: usize = 8;
/// Steps that are opened together: 8 columns of them are 16 KiB, half of a first-level cache.
pub(super) const OPEN_STEPS: usize = 512;
/// Words of each column of a panel, 1 KiB in all, that a few rows meet before it is another panel's turn.
const TURN: usize = 16;

/// The prepared activations of a block of rows.
pub(super) struct Prepared<'a> {
    /// `[tall strips][groups][step][6]`, `[strips][groups][step][4]`, then `[rows left over][groups][step]`; a step is an i16 pair (two activations) or bytes (four).
    values: &'a mut [i32],
    /// `[rows][groups]`: their sums.
    sums: &'a mut [i32],
    /// Where the tier opens weights.
    opened: &'a mut [u32],
    /// Rows in tall strips.
    tall: usize,
    /// Rows in strips of either height.
    pub(super) in_strips: usize,
}

/// One group of one panel.
pub(super) struct Group<'a> {
    /// `[word][16]`
    pub(super) words: &'a [u32],
    pub(super) zeros: &'a [i32],
    pub(super) fixed: &'a [i32],
    /// Bits of a code.
    pub(super) width: usize,
    #[cfg_attr(
        not(any(target_feature = "relaxed-simd", not(target_arch = "wasm32"))),
        expect(dead_code, reason = "a build without relaxed dots has one form")
    )]
    pub(super) form: Form,
}

/// Prepared rows of one group: strip or row i is `values[i * stride..]`, the sum of row r of them `sums[(first + r) * sum_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [i32],
    pub(super) stride: usize,
    pub(super) sums: &'a [i32],
    pub(super) sum_stride: usize,
    /// The first of them among those of sums and results.
    #[cfg_attr(
        not(any(target_feature = "simd128", not(target_arch = "wasm32"))),
        expect(dead_code, reason = "a build without vectors has no strips")
    )]
    pub(super) first: usize,
    /// Rows, not strips.
    pub(super) count: usize,
}

/// Where the sums of one panel's strips go that are requantized while they are in registers.
#[cfg_attr(
    not(any(target_feature = "simd128", not(target_arch = "wasm32"))),
    expect(dead_code, reason = "a build without vectors has no strips")
)]
pub(super) struct Requantize<'a> {
    /// Of the columns of the panel, 0 where there is none.
    pub(super) multiplier: [f32; COLUMNS],
    pub(super) bias: [i32; COLUMNS],
    pub(super) zero_point: i32,
    pub(super) clamp: [i32; 2],
    /// From the panel's first column of the first row on.
    pub(super) y: &'a mut [i8],
    /// From row to row.
    pub(super) stride: usize,
    /// Columns of the panel that there are.
    pub(super) columns: usize,
}

/// The functions of a tier.
pub(super) trait Tile {
    /// Rows from which strips are made; above every block where the tier has none.
    const FROM: usize;
    /// Whether it has tall strips; without, there is no code for them.
    const HAS_TALL: bool;

    /// Prepares one group of `R` rows: the first `len` of each `x` into `values[step][R]`; positions behind them count as 0.
    /// Returns their sums, or anything where no column has a zero point. What x holds behind `len` may be read and does not matter.
    fn prepare<const R: usize>(packed: &Packed, x: [&[i8]; R], len: usize, values: &mut [i32]) -> [i32; R];

    /// `acc[row][column] = Σ values * codes - zeros[column] * sums[row] - fixed[column]`, wrapping, of strips of `R` rows; row `first + r` of `acc` is 16 values from its number by `pitch` on.
    /// With an `end` the sums go there, and `acc` holds what comes of a part of K. `opened` holds `OPEN_STEPS * OPEN_COLUMNS`.
    fn strips<const R: usize>(
        group: &Group<'_>,
        rows: Rows<'_>,
        opened: &mut [u32],
        acc: &mut [i32],
        pitch: usize,
        end: Option<&mut Requantize<'_>>,
    );

    /// `acc += Σ values * codes` of single rows, of which `first` is 0.
    fn rows(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize);

    /// `y[i] += f32(acc[i]) * scale[i % 16]`, the product rounded before the sum.
    fn add_scaled(acc: &[i32], scale: &[f32], y: &mut [f32]);

    /// [`super::float_rows::encode`].
    fn encode(x: &[f32], inverse: f32, codes: &mut [i8]);

    /// [`super::float_rows::finish`].
    fn finish(sums: PanelSums<'_>, end: &End<'_>, y: &mut [f32], stride: usize);
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
            crate::tier::Tier::Relaxed if $packed.form.by_bytes() => {
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
    /// Rows that are prepared together, for sums that become bytes or for others. Where one part of K is all of it, sums become bytes in registers.
    pub(super) fn block_rows(&self, to_bytes: bool) -> usize {
        let in_registers = to_bytes && self.depth <= 2 * OPEN_STEPS;
        dispatch::block_rows(self.depth, if in_registers { 0 } else { self.columns })
    }

    /// Rows that are prepared together where only the sums of one panel wait in memory.
    pub(super) fn panel_block_rows(&self) -> usize {
        dispatch::block_rows_of_bytes(4 * (self.groups() * self.steps() + COLUMNS))
    }

    /// Steps of one group of a row: 32-bit words of its prepared activations.
    fn steps(&self) -> usize {
        self.padded_group() / if self.form.by_bytes() { 4 } else { 2 }
    }

    /// Lines of scratch that [`Self::prepare`] takes for `rows` rows.
    pub(super) fn prepared_lines(&self, rows: usize) -> usize {
        lines_for::<i32>(rows * self.groups() * self.steps())
            + lines_for::<i32>(rows * self.groups())
            + lines_for::<u32>(OPEN_STEPS * OPEN_COLUMNS)
    }

    /// Prepares the rows of `x [rows, K]`.
    pub(super) fn prepare<'a, T: Tile>(&self, x: &[i8], scratch: &mut Arena<'a>) -> Prepared<'a> {
        let (rows, groups, steps) = (x.len() / self.depth, self.groups(), self.steps());
        let [tall, in_strips] =
            if rows < T::FROM { [0; 2] } else { self.form.rows_in_strips(rows, T::HAS_TALL) };
        let values = scratch.take::<i32>(rows * groups * steps);
        let sums = scratch.take::<i32>(rows * groups);
        let opened = scratch.take::<u32>(OPEN_STEPS * OPEN_COLUMNS);
        let (strips, singles) = values.split_at_mut(in_strips * groups * steps);
        let (talls, strips) = strips.split_at_mut(tall * groups * steps);
        let mut row = 0;
        if T::HAS_TALL {
            for strip in talls.chunks_exact_mut(groups * steps * TALL) {
                self.prepare_rows::<T, TALL>(&x[row * self.depth..], strip, &mut sums[row * groups..]);
                row += TALL;
            }
        }
        for strip in strips.chunks_exact_mut(groups * steps * STRIP) {
            self.prepare_rows::<T, STRIP>(&x[row * self.depth..], strip, &mut sums[row * groups..]);
            row += STRIP;
        }
        for single in singles.chunks_exact_mut(groups * steps) {
            self.prepare_rows::<T, 1>(&x[row * self.depth..], single, &mut sums[row * groups..]);
            row += 1;
        }
        Prepared { values, sums, opened, tall, in_strips }
    }

    /// All groups of `R` rows.
    fn prepare_rows<T: Tile, const R: usize>(&self, x: &[i8], values: &mut [i32], sums: &mut [i32]) {
        let (groups, mut at) = (self.groups(), 0);
        for (group, values) in values.chunks_exact_mut(self.steps() * R).enumerate() {
            let len = self.group_size.min(self.depth - at);
            let x: [&[i8]; R] = core::array::from_fn(|r| &x[r * self.depth + at..]);
            for (r, sum) in T::prepare(self, x, len, values).into_iter().enumerate() {
                sums[r * groups + group] = sum;
            }
            at += len;
        }
    }

    /// The sums of one group of one panel: row r in the 16 values from `acc[r * pitch]` on, of strips in `end` where there is one.
    pub(super) fn group_sums<T: Tile>(
        &self,
        x: &mut Prepared<'_>,
        panel: usize,
        group: usize,
        acc: &mut [i32],
        pitch: usize,
        mut end: Option<&mut Requantize<'_>>,
    ) {
        let groups = self.groups();
        let weights = self.group(panel, group, 0..self.used_words());
        let (steps, count) = (self.steps(), x.sums.len() / groups);
        let (strips, singles) = x.values.split_at(x.in_strips * groups * steps);
        let (talls, strips) = strips.split_at(x.tall * groups * steps);
        let rows = |values, height: usize, first, count| Rows {
            values,
            stride: groups * steps * height,
            sums: &x.sums[group..],
            sum_stride: groups,
            first,
            count,
        };
        if T::HAS_TALL && x.tall > 0 {
            let rows = rows(&talls[group * steps * TALL..], TALL, 0, x.tall);
            T::strips::<TALL>(&weights, rows, x.opened, acc, pitch, end.as_deref_mut());
        }
        if x.tall < x.in_strips {
            let rows = rows(&strips[group * steps * STRIP..], STRIP, x.tall, x.in_strips - x.tall);
            T::strips::<STRIP>(&weights, rows, x.opened, acc, pitch, end);
        }
        if x.in_strips < count {
            let rows = Rows {
                sums: &x.sums[x.in_strips * groups + group..],
                ..rows(&singles[group * steps..], 1, 0, count - x.in_strips)
            };
            let acc = &mut acc[x.in_strips * pitch..];
            start(&weights, rows, acc, pitch);
            T::rows(&weights, rows, acc, pitch);
        }
    }

    /// The sums of a few rows by weights of one group that come from memory: by turns, some words of a panel at a time, while the sums wait in `acc`.
    pub(super) fn few_rows<T: Tile>(&self, x: &Prepared<'_>, acc: &mut [i32], pitch: usize) {
        let (used, stride) = (self.used_words(), self.steps());
        let steps_of_word = stride / self.group_words();
        let rows =
            |values| Rows { values, stride, sums: x.sums, sum_stride: 1, first: 0, count: x.sums.len() };
        by_quarters(self.panels(), used.div_ceil(TURN), |panel, part| {
            let first = part * TURN;
            let weights = self.group(panel, 0, first..used.min(first + TURN));
            let rows = rows(&x.values[first * steps_of_word..]);
            let acc = &mut acc[panel * COLUMNS..];
            if part == 0 {
                start(&weights, rows, acc, pitch);
            }
            T::rows(&weights, rows, acc, pitch);
        });
    }

    /// Words of a column in one group but those of nothing but padding, which add nothing.
    fn used_words(&self) -> usize {
        self.group_size.div_ceil(32 / self.width)
    }

    /// Some words of every column of a panel in one group.
    #[inline(never)]
    fn group(&self, panel: usize, group: usize, words: Range<usize>) -> Group<'_> {
        let cell = panel * self.groups() + group;
        Group {
            words: &self.words[cell * self.group_words() * COLUMNS..]
                [words.start * COLUMNS..words.end * COLUMNS],
            zeros: &self.zeros[cell * COLUMNS..][..COLUMNS],
            fixed: &self.fixed[cell * COLUMNS..][..COLUMNS],
            width: self.width,
            form: self.form,
        }
    }

    /// Whether [`Self::few_rows`] is the way with so many rows.
    pub(super) fn takes_turns(&self, rows: usize) -> bool {
        rows < STRIP && self.words.byte_len() >= FROM_MEMORY
    }
}

/// `acc = -zeros * sums - fixed`, where the sums of single rows start.
#[inline(never)]
fn start(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize) {
    for r in 0..rows.count {
        let sum = rows.sums[r * rows.sum_stride];
        let columns = acc[r * pitch..][..COLUMNS].iter_mut();
        for ((acc, zero), fixed) in columns.zip(group.zeros).zip(group.fixed) {
            *acc = 0_i32.wrapping_sub(zero.wrapping_mul(sum).wrapping_add(*fixed));
        }
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
