//! What the first entries of a code say about its score: the others add at least the least of each of their tables.

use super::WIDTH;
use super::prefix::LENGTHS;

/// Codes from which it pays to look through the tables.
const WORTHWHILE: usize = 2048;

/// Standard deviations that a typical sum must be beyond the bound. Sums of real codes are further apart than those of independent entries: at 3 about one code in ten passes, and 1 in 100 at 5.
const BEYOND: f64 = 3.0;

const LANES: usize = 8;

/// Of the first entries, by their number.
#[derive(Clone, Copy, Default)]
struct Prefix {
    /// The least that the others add.
    rest: f64,
    /// Mean and variance of the sum, were every code as likely.
    mean: f64,
    variance: f64,
}

pub(super) struct Bounds {
    subspaces: usize,
    /// Of each of [`LENGTHS`] that is at most M; empty for few codes.
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
                if LENGTHS.contains(&m) {
                    prefixes.push(prefix);
                }
                let (least, mean, variance) = moments(table);
                prefix = Prefix {
                    rest: prefix.rest + least,
                    mean: prefix.mean + mean,
                    variance: prefix.variance + variance,
                };
            }
            // Least so far becomes least of what is left.
            for each in &mut prefixes {
                each.rest = prefix.rest - each.rest;
            }
            if LENGTHS.contains(&subspaces) {
                prefixes.push(Prefix { rest: 0.0, ..prefix });
            }
        }
        Self { subspaces, prefixes, rounding }
    }

    /// Which of [`LENGTHS`]: the shortest whose sum is typically enough to know that the score is above the worst, else the longest that there is.
    pub(super) fn choose(&self, worst: f64) -> usize {
        let tells = |prefix: &Prefix| {
            let away = prefix.mean + prefix.rest - worst;
            away > BEYOND * prefix.variance.sqrt()
        };
        let longest = LENGTHS.iter().rposition(|length| *length <= self.subspaces).unwrap_or(0);
        self.prefixes.iter().position(tells).unwrap_or(longest)
    }

    /// What the first `length` entries sum up to at most, where the score is not above the worst.
    #[inline(never)]
    pub(super) fn most(&self, length: usize, worst: f32) -> f32 {
        if length == self.subspaces {
            return worst;
        }
        let known = LENGTHS.iter().position(|each| *each == length).and_then(|at| self.prefixes.get(at));
        known.map_or(f32::INFINITY, |prefix| (f64::from(worst) - prefix.rest + self.rounding) as f32)
    }
}

/// The least, the mean and the variance.
fn moments(table: &[f32; WIDTH]) -> (f64, f64, f64) {
    // Lanes of their own, which become vectors.
    let (mut least, mut sum, mut squares) = ([f32::INFINITY; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
    for entries in table.as_chunks::<LANES>().0 {
        for (lane, entry) in entries.iter().enumerate() {
            least[lane] = if *entry < least[lane] { *entry } else { least[lane] };
            sum[lane] += *entry;
            squares[lane] += entry * entry;
        }
    }
    let total = |lanes: [f32; LANES]| lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>() / WIDTH as f64;
    let mean = total(sum);
    let least = least.iter().fold(f32::INFINITY, |least, lane| least.min(*lane));
    (f64::from(least), mean, (total(squares) - mean * mean).max(0.0))
}
