//! The first entries of a code, at a number of subspaces known to the compiler and tables at an address that is; the others where [`Bounds`] do not rule the code out.

use core::cell::RefCell;
use core::ops::Range;

use super::bounds::Bounds;
use super::lists::Shifts;
use super::{PqCodes, WIDTH, scalar};
use crate::top_k::TopK;

/// Numbers of entries for which there is code.
pub(super) const LENGTHS: [usize; 8] = [8, 12, 16, 20, 32, 48, 64, 96];

/// The longest.
const MAX: usize = LENGTHS[LENGTHS.len() - 1];

/// Codes for which the copy of the tables pays.
pub(super) const WORTHWHILE: usize = 128;

/// Codes after which the worst candidate is looked at anew, to choose how many entries come first.
const STRETCH: usize = 2048;

#[repr(align(64))]
struct Tables([[f32; WIDTH]; MAX]);

thread_local! {
    static TABLES: RefCell<Tables> = const { RefCell::new(Tables([[0.0; WIDTH]; MAX])) };
}

/// Scans lists of codes by the same tables, of M of at least [`LENGTHS`]`[0]`; the last that was made.
pub(super) struct Scan<'a> {
    tables: &'a [[f32; WIDTH]],
    bounds: Bounds,
}

impl<'a> Scan<'a> {
    /// - `n`: codes of all lists
    /// - `magnitude`: the largest that a sum and what is added to it are
    pub(super) fn new(tables: &'a [f32], n: usize, magnitude: f32) -> Self {
        let tables = tables.as_chunks::<WIDTH>().0;
        let copied = tables.len().min(MAX);
        TABLES.with_borrow_mut(|fixed| fixed.0[..copied].copy_from_slice(&tables[..copied]));
        Self { tables, bounds: Bounds::of(tables, n, magnitude) }
    }

    /// As `scalar::scan`.
    pub(super) fn list(&self, codes: &PqCodes<'_>, shifts: Shifts<'_>, top: &mut TopK<'_>) {
        // Two copies: an addition to the sums of every code takes a tenth where there is nothing to add.
        if shifts.are_there() {
            self.stretches::<true>(codes, shifts, top);
        } else {
            self.stretches::<false>(codes, shifts, top);
        }
    }

    fn stretches<const SHIFTED: bool>(&self, codes: &PqCodes<'_>, shifts: Shifts<'_>, top: &mut TopK<'_>) {
        let typical = shifts.typical();
        for first in (0..codes.n).step_by(STRETCH) {
            let form = match LENGTHS[self.bounds.choose(f64::from(top.worst::<f32>()) - typical)] {
                8 => Self::stretch::<8, SHIFTED>,
                12 => Self::stretch::<12, SHIFTED>,
                16 => Self::stretch::<16, SHIFTED>,
                20 => Self::stretch::<20, SHIFTED>,
                32 => Self::stretch::<32, SHIFTED>,
                48 => Self::stretch::<48, SHIFTED>,
                64 => Self::stretch::<64, SHIFTED>,
                _ => Self::stretch::<96, SHIFTED>,
            };
            form(self, codes, shifts, first..codes.n.min(first + STRETCH), top);
        }
    }

    fn stretch<const N: usize, const SHIFTED: bool>(
        &self,
        codes: &PqCodes<'_>,
        shifts: Shifts<'_>,
        stretch: Range<usize>,
        top: &mut TopK<'_>,
    ) {
        let mut worst = top.worst::<f32>();
        let mut most = self.bounds.most(N, worst);
        // Here, and not handed on: the address is then a constant of the code.
        TABLES.with_borrow(|fixed| {
            codes.runs(stretch, |first, run| {
                for (i, code) in run.chunks_exact(codes.subspaces).enumerate() {
                    let Some((prefix, rest)) = code.split_first_chunk::<N>() else { return };
                    let sum = sum(&fixed.0, prefix);
                    let shift = if SHIFTED { shifts.at(first + i) } else { 0.0 };
                    if sum + shift <= most {
                        let score = scalar::go_on(sum, &self.tables[N..], rest) + shift;
                        if score <= worst {
                            worst = codes.take(first + i, score, top);
                            most = self.bounds.most(N, worst);
                        }
                    }
                }
            });
        });
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
