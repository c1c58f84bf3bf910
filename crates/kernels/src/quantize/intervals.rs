//! k-means of single weights: sorted, a cluster is an interval, and a pass costs what its ends cost.

use super::OP;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// Values of a run, whose sums are kept.
const RUN: usize = 64;

/// Pairs of a value and its weight by ascending values as [`sort`](super::sort) has them, equal ones by their weights.
pub fn sort_pairs(pairs: &mut [f32]) {
    pairs.as_chunks_mut().0.sort_unstable_by(|[a, v]: &[f32; 2], [b, w]| a.total_cmp(b).then(v.total_cmp(w)));
}

/// Pairs of a value and a weight, which is at least `floor`.
///
/// # Errors
/// `Shape` where the lengths differ.
pub fn pair(x: &[f32], weights: &[f32], floor: f32, pairs: &mut [f32]) -> Result<()> {
    check_shape(OP, What::Length, x.len(), weights.len())?;
    check_shape(OP, What::Length, checked_area(OP, x.len(), 2)?, pairs.len())?;
    for ((pair, &x), &weight) in pairs.as_chunks_mut().0.iter_mut().zip(x).zip(weights) {
        *pair = [x, if weight > floor { weight } else { floor }];
    }
    Ok(())
}

/// f64 sums of values in f64 steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    weight: f64,
    moment: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.weight += other.weight;
        self.moment += other.moment;
    }
}

/// The sums of each run of 64 sorted values: `runs [values / 64 rounded up, 2]`, weight and weight times value.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn run_sums(sorted: &[f32], weighted: bool, runs: &mut [f64]) -> Result<()> {
    let values = Values::new(sorted, weighted)?;
    check_shape(OP, What::Length, 2 * values.len().div_ceil(RUN), runs.len())?;
    for (run, [weight, moment]) in runs.as_chunks_mut().0.iter_mut().enumerate() {
        let sums = values.sums(run * RUN, ((run + 1) * RUN).min(values.len()));
        (*weight, *moment) = (sums.weight, sums.moment);
    }
    Ok(())
}

/// Of each interval of sorted values, the first up to `bounds[0]`, the second up to `bounds[1]` and so on, the last one all above: `result [bounds + 1, 4]`, its
/// weight, the sum of weight times value, its smallest and largest value (all 0 where there is none). Sums run over ascending index within a run of 64 and then over
/// ascending runs.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn interval_sums(
    sorted: &[f32],
    weighted: bool,
    runs: &[f64],
    bounds: &[f64],
    result: &mut [f64],
) -> Result<()> {
    let values = Values::new(sorted, weighted)?;
    check_shape(OP, What::Length, 2 * values.len().div_ceil(RUN), runs.len())?;
    check_shape(OP, What::Length, 4 * (bounds.len() + 1), result.len())?;
    let runs = runs.as_chunks::<2>().0;
    let mut from = 0;
    for (interval, result) in result.as_chunks_mut().0.iter_mut().enumerate() {
        let to = bounds.get(interval).map_or(values.len(), |&bound| values.end(from, bound));
        let mut sums = Sums::default();
        let mut at = from;
        while at < to {
            let end = (at / RUN + 1) * RUN;
            if at.is_multiple_of(RUN) && end <= to {
                let [weight, moment] = runs[at / RUN];
                sums.add(Sums { weight, moment });
            } else {
                sums.add(values.sums(at, end.min(to)));
            }
            at = end;
        }
        let [low, high] = if from < to { [values.at(from).0, values.at(to - 1).0] } else { [0.0; 2] };
        *result = [sums.weight, sums.moment, f64::from(low), f64::from(high)];
        from = to.max(from);
    }
    Ok(())
}

/// Sorted values with or without weights.
struct Values<'a> {
    floats: &'a [f32],
    step: usize,
}

impl<'a> Values<'a> {
    fn new(floats: &'a [f32], weighted: bool) -> Result<Self> {
        let step = 1 + usize::from(weighted);
        check_range(OP, What::Length, 1, i64::MAX, floats.len() as i64)?;
        check_shape(OP, What::Length, 0, floats.len() % step)?;
        Ok(Self { floats, step })
    }

    fn len(&self) -> usize {
        self.floats.len() / self.step
    }

    fn at(&self, index: usize) -> (f32, f32) {
        let start = index * self.step;
        (self.floats[start], if self.step == 2 { self.floats[start + 1] } else { 1.0 })
    }

    fn sums(&self, from: usize, to: usize) -> Sums {
        let mut sums = Sums::default();
        for index in from..to {
            let (value, weight) = self.at(index);
            sums.add(Sums { weight: f64::from(weight), moment: f64::from(weight) * f64::from(value) });
        }
        sums
    }

    /// The first index at or after `from` whose value is above `bound`.
    fn end(&self, from: usize, bound: f64) -> usize {
        let (mut low, mut high) = (from, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if f64::from(self.at(middle).0) <= bound {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
