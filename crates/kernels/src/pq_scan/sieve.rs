//! Which codes may be among the best, first by the upper halves of their bytes alone: 16 consecutive entries of a table add at least the least of them. So there are tables of 16 for lookups in registers, as in
//! [`crate::pq_fast_scan`] (PQ Fast Scan: André, Kermarrec, Le Scouarnec 2015). What is left takes the entries themselves in their place, a few at a time, and is left as soon as their sum says so.

use core::ops::Range;

use crate::pq_fast_scan::WIDTH as HALVES;
use crate::pq_fast_scan::quantized::{Grid, Quantized, smallest};
use crate::top_k::TopK;

use super::left::{FEW, Left};
use super::{PqCodes, RUN, WIDTH, scalar};

/// 63 steps a table: four of them fit a byte, and those of [`MAX_SUBSPACES`] stay below 2^15.
const GRID: Grid = Grid { entry: 63, sum: 63 * MAX_SUBSPACES as u16, whole: false };

/// Entries that are looked at together; M must be at least as many.
pub(super) const COLUMNS: usize = 16;

/// M is at most.
pub(super) const MAX_SUBSPACES: usize = 512;

/// Entries that take the place of their least at a time.
const STEP: usize = 4;

/// Bits of the codes whose sum of steps is within the limit, and the sums.
///
/// - `codes`: `[32, M]`
/// - `steps`: `[M][16]`; those beyond a whole number of 16 are not looked at
pub(super) type Passing = fn(codes: &[u8], steps: &[[u8; HALVES]], limit: i16, sums: &mut [i16; RUN]) -> u32;

/// Where more than one over this of a stretch came through, sieving takes longer than it saves.
const SHARE: usize = 2;

/// Stretches that are then not sieved.
const PAUSE: usize = 15;

/// Tables of a query as the sieve needs them.
pub(super) struct Halves {
    /// The least of every 16 entries: `[M][16]`.
    least: Vec<[f32; HALVES]>,
    /// What the entries are above it: `[M][256]`.
    above: Vec<[f32; WIDTH]>,
    /// To work in: `[M][16]`.
    steps: Vec<[u8; HALVES]>,
}

impl Halves {
    /// - `tables`: `[M][256]`
    pub(super) fn of(tables: &[[f32; WIDTH]]) -> Self {
        let whole = tables.len() - tables.len() % COLUMNS;
        let least_of = |(m, table): (usize, &[f32; WIDTH])| {
            if m >= whole {
                return [smallest(table); HALVES];
            }
            core::array::from_fn(|half| smallest(&table.as_chunks::<HALVES>().0[half]))
        };
        let least: Vec<_> = tables.iter().enumerate().map(least_of).collect();
        let above = tables
            .iter()
            .zip(&least)
            .map(|(table, least)| core::array::from_fn(|c| table[c] - least[c / HALVES]));
        let above = above.collect();
        let steps = vec![[0; HALVES]; tables.len()];
        Self { least, above, steps }
    }
}

pub(super) struct Sieve<'a> {
    passing: Passing,
    tables: &'a [[f32; WIDTH]],
    above: &'a [[f32; WIDTH]],
    quantized: Quantized<'a>,
    /// More than what rounding changes in a score and in a bound.
    rounding: f64,
    /// Stretches that go by.
    pause: usize,
}

impl<'a> Sieve<'a> {
    /// - `tables`: `[M][256]`
    /// - `magnitude`: of the largest score that there can be
    pub(super) fn new(
        passing: Passing,
        tables: &'a [[f32; WIDTH]],
        halves: &'a mut Halves,
        magnitude: f32,
    ) -> Self {
        let Halves { least, above, steps } = halves;
        // Of a score M roundings of 2^-24, of `above` two, of a bound M of twice the magnitude, and some for the limit.
        let rounding = (2 * tables.len() + 8) as f64 * f64::from(magnitude) * 2.0_f64.powi(-23);
        Self {
            passing,
            tables,
            above,
            quantized: Quantized::new(least, steps, magnitude),
            rounding,
            pause: 0,
        }
    }

    /// Takes in the best of a stretch, to whose sums nothing is added; false where it was not looked at, as sieving does not pay.
    pub(super) fn stretch(
        &mut self,
        codes: &PqCodes<'_>,
        stretch: Range<usize>,
        left: &mut Left,
        top: &mut TopK<'_>,
    ) -> bool {
        let worst = top.worst::<f32>();
        if self.pause > 0 || worst == f32::INFINITY {
            self.pause = self.pause.saturating_sub(1);
            return false;
        }
        self.quantized.tighten(GRID, worst);
        let length = stretch.len();
        self.pass(codes, stretch, left);
        if left.count * SHARE > length {
            self.pause = PAUSE;
        }
        self.finish(codes, left, top);
        true
    }

    /// Leaves the codes that may count, with what the least of their entries are above the sum of the least of all.
    #[inline(never)]
    fn pass(&self, codes: &PqCodes<'_>, stretch: Range<usize>, left: &mut Left) {
        let unit = self.quantized.unit();
        let limit = self.quantized.limit as i16;
        left.count = 0;
        let mut sums = [0; RUN];
        codes.runs(stretch, |first, run| {
            let rows = run.len() / codes.subspaces;
            let mut passing = if rows < RUN {
                sums.fill(0);
                (1 << rows) - 1
            } else {
                (self.passing)(run, self.quantized.entries, limit, &mut sums)
            };
            while passing != 0 {
                let i = passing.trailing_zeros() as usize;
                left.push(first + i, f32::from(sums[i % RUN]) * unit);
                passing &= passing - 1;
            }
        });
    }

    #[inline(never)]
    fn finish(&self, codes: &PqCodes<'_>, left: &mut Left, top: &mut TopK<'_>) {
        let code_of = |position: usize| &codes.codes[position * codes.subspaces..][..codes.subspaces];
        let mut worst = top.worst::<f32>();
        let most = (f64::from(worst) - self.quantized.base() + self.rounding) as f32;
        let mut length = 0;
        for above in self.above.as_chunks::<STEP>().0 {
            if left.count <= FEW {
                break;
            }
            let count = left.count;
            left.count = 0;
            for i in 0..count {
                let (position, bound) = (left.positions[i] as usize, left.sums[i]);
                let Some(entries) = codes.codes[position * codes.subspaces + length..].first_chunk::<STEP>()
                else {
                    return;
                };
                let bound = scalar::go_on(bound, above, entries);
                left.keep(position, bound, bound <= most);
            }
            length += STEP;
        }
        for position in left.positions.iter().take(left.count) {
            let position = *position as usize;
            let score = scalar::score(self.tables, code_of(position));
            if score <= worst {
                worst = codes.take(position, score, top);
            }
        }
    }
}
