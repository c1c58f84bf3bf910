//! M known to the compiler, and tables at an address that is: see the docs of the family.

use core::cell::RefCell;

use super::{PqCodes, WIDTH};
use crate::top_k::TopK;

/// The largest M that is unrolled.
const MAX: usize = 96;

/// Codes for which the copy of the tables pays.
pub(super) const WORTHWHILE: usize = 128;

#[repr(align(64))]
struct Tables([[f32; WIDTH]; MAX]);

thread_local! {
    static TABLES: RefCell<Tables> = const { RefCell::new(Tables([[0.0; WIDTH]; MAX])) };
}

/// As `scalar::scan`.
pub(super) fn scan<const M: usize>(codes: &PqCodes<'_>, tables: &[f32], top: &mut TopK<'_>) {
    TABLES.with_borrow_mut(|fixed| {
        fixed.0.as_flattened_mut()[..M * WIDTH].copy_from_slice(tables);
        let mut worst = top.worst::<f32>();
        codes.runs(|first, run| {
            for (i, code) in run.as_chunks::<M>().0.iter().enumerate() {
                let score = score(&fixed.0, code);
                if score <= worst {
                    worst = codes.take(first + i, score, top);
                }
            }
        });
    });
}

/// In the order of [`crate::pq_tables::sum_entries`].
#[inline(always)]
fn score<const M: usize>(tables: &[[f32; WIDTH]; MAX], code: &[u8; M]) -> f32 {
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
