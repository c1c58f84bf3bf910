//! The first entries of a code, at a number of subspaces known to the compiler and tables at an address that is; the others where [`Bounds`] do not rule the code out.

use core::cell::RefCell;
use core::ops::Range;

use super::bounds::Bounds;
use super::{PqCodes, WIDTH, scalar};
use crate::top_k::TopK;

/// Numbers of entries for which there is code.
pub(super) const LENGTHS: [usize; 13] = [8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96];

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

/// As `scalar::scan`, of M of at least [`LENGTHS`]`[0]`.
///
/// - `magnitude`: the largest sum of magnitudes of entries
pub(super) fn scan(codes: &PqCodes<'_>, tables: &[f32], magnitude: f32, top: &mut TopK<'_>) {
    let tables = tables.as_chunks::<WIDTH>().0;
    TABLES.with_borrow_mut(|fixed| {
        let copied = tables.len().min(MAX);
        fixed.0[..copied].copy_from_slice(&tables[..copied]);
        let bounds = Bounds::of(tables, codes.n, magnitude);
        for first in (0..codes.n).step_by(STRETCH) {
            let stretch = first..codes.n.min(first + STRETCH);
            let form = match LENGTHS[bounds.choose(top.worst())] {
                8 => from_prefix::<8>,
                12 => from_prefix::<12>,
                16 => from_prefix::<16>,
                20 => from_prefix::<20>,
                24 => from_prefix::<24>,
                28 => from_prefix::<28>,
                32 => from_prefix::<32>,
                40 => from_prefix::<40>,
                48 => from_prefix::<48>,
                56 => from_prefix::<56>,
                64 => from_prefix::<64>,
                80 => from_prefix::<80>,
                _ => from_prefix::<96>,
            };
            form(codes, stretch, tables, fixed, &bounds, top);
        }
    });
}

fn from_prefix<const N: usize>(
    codes: &PqCodes<'_>,
    stretch: Range<usize>,
    tables: &[[f32; WIDTH]],
    fixed: &Tables,
    bounds: &Bounds,
    top: &mut TopK<'_>,
) {
    let mut worst = top.worst::<f32>();
    let mut most = bounds.most(N, worst);
    codes.runs(stretch, |first, run| {
        for (i, code) in run.chunks_exact(codes.subspaces).enumerate() {
            let Some((prefix, rest)) = code.split_first_chunk::<N>() else { return };
            let sum = sum(&fixed.0, prefix);
            if sum <= most {
                let score = scalar::go_on(sum, &tables[N..], rest);
                if score <= worst {
                    worst = codes.take(first + i, score, top);
                    most = bounds.most(N, worst);
                }
            }
        }
    });
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
