//! The first entries of a code, at a number of subspaces known to the compiler and tables at an address that is; the others where [`Bounds`] do not rule the code out.

use core::cell::RefCell;
use core::ops::Range;

use super::bounds::Bounds;
use super::left::{FEW, Left, STRETCH};
use super::lists::Shifts;
use super::sieve::Sieve;
use super::{PqCodes, WIDTH, scalar};
use crate::top_k::TopK;

/// Numbers of entries for which there is code.
pub(super) const LENGTHS: [usize; 8] = [8, 12, 16, 20, 32, 48, 64, 96];

/// The longest.
const MAX: usize = LENGTHS[LENGTHS.len() - 1];

/// Codes for which the copy of the tables pays.
pub(super) const WORTHWHILE: usize = 128;

/// Entries that are added at a time to those of the codes that are left; [`LENGTHS`] are multiples of it.
pub(super) const STEP: usize = 4;

#[repr(align(64))]
struct Tables([[f32; WIDTH]; MAX]);

thread_local! {
    static TABLES: RefCell<Tables> = const { RefCell::new(Tables([[0.0; WIDTH]; MAX])) };
}

/// Scans lists of codes by the same tables, of M of at least [`LENGTHS`]`[0]`; the last that was made.
pub(super) struct Scan<'a> {
    tables: &'a [[f32; WIDTH]],
    bounds: Bounds,
    /// Where the tier has one.
    sieve: Option<Sieve<'a>>,
}

impl<'a> Scan<'a> {
    /// - `n`: codes of all lists
    /// - `magnitude`: the largest that a sum and what is added to it are
    pub(super) fn new(
        tables: &'a [[f32; WIDTH]],
        n: usize,
        magnitude: f32,
        sieve: Option<Sieve<'a>>,
    ) -> Self {
        let copied = tables.len().min(MAX);
        TABLES.with_borrow_mut(|fixed| fixed.0[..copied].copy_from_slice(&tables[..copied]));
        Self { tables, bounds: Bounds::of(tables, n, magnitude), sieve }
    }

    /// As `scalar::scan`.
    pub(super) fn list(&mut self, codes: &PqCodes<'_>, shifts: Shifts<'_>, top: &mut TopK<'_>) {
        // Two copies: an addition to the sums of every code takes a tenth where there is nothing to add.
        if shifts.are_there() {
            self.stretches::<true>(codes, shifts, top);
        } else {
            self.stretches::<false>(codes, shifts, top);
        }
    }

    fn stretches<const SHIFTED: bool>(
        &mut self,
        codes: &PqCodes<'_>,
        shifts: Shifts<'_>,
        top: &mut TopK<'_>,
    ) {
        let typical = shifts.typical();
        Left::with(|left| {
            for first in (0..codes.n).step_by(STRETCH) {
                let stretch = first..codes.n.min(first + STRETCH);
                let sieve = self.sieve.as_mut().filter(|_| !SHIFTED);
                if sieve.is_some_and(|sieve| sieve.stretch(codes, stretch.clone(), left, top)) {
                    continue;
                }
                let worst = top.worst::<f32>();
                let length = LENGTHS[self.bounds.choose(f64::from(worst) - typical)];
                let form = match length {
                    8 => Self::first::<8, SHIFTED>,
                    12 => Self::first::<12, SHIFTED>,
                    16 => Self::first::<16, SHIFTED>,
                    20 => Self::first::<20, SHIFTED>,
                    32 => Self::first::<32, SHIFTED>,
                    48 => Self::first::<48, SHIFTED>,
                    64 => Self::first::<64, SHIFTED>,
                    _ => Self::first::<96, SHIFTED>,
                };
                let most = self.bounds.most(length, worst);
                form(codes, shifts, stretch, most, left);
                self.others(codes, shifts, length, left, top);
            }
        });
    }

    /// Leaves of a stretch the codes whose first `N` entries, and what is added, are at most `most`.
    fn first<const N: usize, const SHIFTED: bool>(
        codes: &PqCodes<'_>,
        shifts: Shifts<'_>,
        stretch: Range<usize>,
        most: f32,
        left: &mut Left,
    ) {
        left.count = 0;
        // Here, and not handed on: the address is then a constant of the code.
        TABLES.with_borrow(|fixed| {
            codes.runs(stretch, |first, run| {
                for (i, code) in run.chunks_exact(codes.subspaces).enumerate() {
                    let Some(prefix) = code.first_chunk::<N>() else { return };
                    let sum = sum(&fixed.0, prefix);
                    let shift = if SHIFTED { shifts.at(first + i) } else { 0.0 };
                    left.keep(first + i, sum, sum + shift <= most);
                }
            });
        });
    }

    /// Adds the other entries, a few at a time, to the sums of those that are left, and takes in what is left at the end.
    #[inline(never)]
    fn others(
        &self,
        codes: &PqCodes<'_>,
        shifts: Shifts<'_>,
        mut length: usize,
        left: &mut Left,
        top: &mut TopK<'_>,
    ) {
        let code_of = |position: usize| &codes.codes[position * codes.subspaces..][..codes.subspaces];
        let mut worst = top.worst::<f32>();
        while length + STEP < codes.subspaces && left.count > FEW {
            let most = self.bounds.most(length + STEP, worst);
            if most == f32::INFINITY {
                // Nothing is ruled out.
                break;
            }
            let Some(tables) = self.tables[length..].first_chunk::<STEP>() else { return };
            let count = left.count;
            left.count = 0;
            for i in 0..count {
                let (position, sum) = (left.positions[i] as usize, left.sums[i]);
                let Some(entries) = code_of(position)[length..].first_chunk::<STEP>() else { return };
                let sum = scalar::go_on(sum, tables, entries);
                left.keep(position, sum, sum + shifts.at(position) <= most);
            }
            length += STEP;
        }
        for (position, sum) in left.positions.iter().zip(&left.sums).take(left.count) {
            let (position, sum) = (*position as usize, *sum);
            let score = scalar::go_on(sum, &self.tables[length..], &code_of(position)[length..])
                + shifts.at(position);
            if score <= worst {
                worst = codes.take(position, score, top);
            }
        }
    }
}

/// In the order of [`crate::pq_tables::sum_entries`].
#[inline(always)]
fn sum<const N: usize>(tables: &[[f32; WIDTH]; MAX], code: &[u8; N]) -> f32 {
    let mut sum = 0.0;
    for (g, word) in code.as_chunks::<4>().0.iter().enumerate() {
        // A word and not its bytes, which would be loaded one by one.
        let word = u32::from_le_bytes(*word);
        let entry = |i: usize| tables[4 * g + i][(word >> (8 * i) & 255) as usize];
        let four = entry(0) + entry(1) + entry(2) + entry(3);
        sum = if g == 0 { four } else { sum + four };
    }
    sum
}
