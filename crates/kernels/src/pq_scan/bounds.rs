//! What the first entries of a code say about its score: the others add at least the least of each of their tables.

use super::WIDTH;
use super::prefix::{LENGTHS, STEP};

/// Codes from which it pays to look through the tables.
pub(super) const WORTHWHILE: usize = 2048;

const LANES: usize = 8;

/// Of the first entries, by their number.
#[derive(Clone, Copy, Default)]
struct Prefix {
    /// The least that the others add.
    rest: f64,
    /// Mean of the sum, were every code as likely.
    mean: f64,
}

pub(super) struct Bounds {
    subspaces: usize,
    /// Of 0, [`STEP`], 2 [`STEP`], .. entries, fewer than M; empty for few codes.
    prefixes: Vec<Prefix>,
    /// More than what rounding changes in a score.
    rounding: f64,
}

impl Bounds {
    /// - `tables`: `[M][256]`, M of at least 8, finite
    /// - `n`: codes
    /// - `magnitude`: the largest that a sum and what is added to it are
    pub(super) fn of(tables: &[[f32; WIDTH]], n: usize, magnitude: f32) -> Self {
        let subspaces = tables.len();
        // M additions and that of the shift, each with a rounding of at most 2^-24 of the magnitude, and as much for the difference in `most`, twice.
        let rounding = (subspaces + 6) as f64 * f64::from(magnitude) * 2.0_f64.powi(-23);
        let mut prefixes = Vec::new();
        if n >= WORTHWHILE {
            let mut prefix = Prefix::default();
            for (m, table) in tables.iter().enumerate() {
                if m.is_multiple_of(STEP) {
                    prefixes.push(prefix);
                }
                let (least, mean) = least_and_mean(table);
                prefix = Prefix { rest: prefix.rest + least, mean: prefix.mean + mean };
            }
            // Least so far becomes least of what is left.
            for each in &mut prefixes {
                each.rest = prefix.rest - each.rest;
            }
        }
        Self { subspaces, prefixes, rounding }
    }

    /// Which of [`LENGTHS`]: the shortest whose typical sum says that the score is above the worst, else the longest that there is. More entries at first would leave fewer codes, and take longer than going on with those does.
    pub(super) fn choose(&self, worst: f64) -> usize {
        let tells = |length: &usize| {
            self.prefixes.get(length / STEP).is_some_and(|prefix| prefix.mean + prefix.rest > worst)
        };
        let longest = LENGTHS.iter().rposition(|length| *length <= self.subspaces).unwrap_or(0);
        LENGTHS[..longest].iter().position(tells).unwrap_or(longest)
    }

    /// What the first `length` entries, a multiple of [`STEP`], sum up to at most, where the score is not above the worst.
    pub(super) fn most(&self, length: usize, worst: f32) -> f32 {
        if length == self.subspaces {
            return worst;
        }
        self.prefixes
            .get(length / STEP)
            .map_or(f32::INFINITY, |prefix| (f64::from(worst) - prefix.rest + self.rounding) as f32)
    }
}

fn least_and_mean(table: &[f32; WIDTH]) -> (f64, f64) {
    // Lanes of their own, which become vectors.
    let (mut least, mut sum) = ([f32::INFINITY; LANES], [0.0_f32; LANES]);
    for entries in table.as_chunks::<LANES>().0 {
        for (lane, entry) in entries.iter().enumerate() {
            least[lane] = if *entry < least[lane] { *entry } else { least[lane] };
            sum[lane] += *entry;
        }
    }
    let mean = sum.iter().map(|lane| f64::from(*lane)).sum::<f64>() / WIDTH as f64;
    (f64::from(least.iter().fold(f32::INFINITY, |least, lane| least.min(*lane))), mean)
}
