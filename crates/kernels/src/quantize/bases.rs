//! Weights as sums of binary bases, w ≈ Σ ±a[i]: what multi-bit binary quantizers do to every weight.
//!
//! Bit i of a code is base i: 0 for +a[i], 1 for -a[i]. Coefficients are `[groups, bases]`. A level is the sum over ascending i in f32, as it is decoded; residuals
//! and fits are in f64.

use super::OP;
use super::grouping::Grouping;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};

/// The most bases: a code is a byte.
const MAX_BASES: usize = 8;
const MAX_LEVELS: usize = 1 << MAX_BASES;

/// A base depends on those before it where less than this part of its squared length is orthogonal to them.
const INDEPENDENT: f64 = 1.0 / (1_u64 << 40) as f64;

/// One more base, the sign of what the first `bases` (0..=7) leave: sets bit `bases` of each code where `x - Σ ±a[i] < 0`, clears all above the bases, and writes the mean of
/// `|x - Σ ±a[i]|` per group.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` for another number of bases.
pub fn residual_signs(
    grouping: &Grouping,
    x: &[f32],
    bases: usize,
    coefficients: &[f32],
    codes: &mut [u8],
    mean: &mut [f32],
) -> Result<()> {
    check_range(OP, What::Bits, 0, MAX_BASES as i64 - 1, bases as i64)?;
    check(grouping, x, bases, coefficients, codes)?;
    grouping.check(x.len(), &[mean.len()])?;
    let groups = grouping.split(x).zip(grouping.split_mut(codes));
    for (group, ((x, codes), mean)) in groups.zip(mean).enumerate() {
        let coefficients = &coefficients[group * bases..][..bases];
        let mut sum = 0.0;
        for (x, code) in x.iter().zip(codes.iter_mut()) {
            let terms = coefficients.iter().enumerate();
            let rest = terms.fold(f64::from(*x), |rest, (base, a)| rest - signed(*code, base, f64::from(*a)));
            *code = *code & ((1 << bases) - 1) | u8::from(rest < 0.0) << bases;
            sum += rest.abs();
        }
        *mean = (sum / codes.len() as f64) as f32;
    }
    Ok(())
}

/// The least-squares coefficients of given codes, per group the solution of `BᵀB a = Bᵀx`; a base that depends on those before it gets 0.
///
/// Sums run over ascending index for each code, then over ascending codes.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where `bases` is not 1..=8 or a code has another bit.
pub fn fit_bases(
    grouping: &Grouping,
    x: &[f32],
    codes: &[u8],
    bases: usize,
    coefficients: &mut [f32],
) -> Result<()> {
    check_range(OP, What::Bits, 1, MAX_BASES as i64, bases as i64)?;
    check(grouping, x, bases, coefficients, codes)?;
    let levels = 1 << bases;
    if let Some(&code) = codes.iter().find(|&&code| usize::from(code) >= levels) {
        return Err(KernelError::new(ErrorCode::Range, OP, What::Code, levels as i64 - 1, i64::from(code)));
    }
    let (mut sums, mut counts) = ([0.0; MAX_LEVELS], [0_u32; MAX_LEVELS]);
    let groups = grouping.split(x).zip(grouping.split(codes));
    for ((x, codes), coefficients) in groups.zip(coefficients.chunks_exact_mut(bases)) {
        sums[..levels].fill(0.0);
        counts[..levels].fill(0);
        for (&x, &code) in x.iter().zip(codes) {
            sums[usize::from(code)] += f64::from(x);
            counts[usize::from(code)] += 1;
        }
        let mut normal = Normal::new(bases);
        for (code, (&sum, &count)) in (0..=u8::MAX).zip(sums[..levels].iter().zip(&counts[..levels])) {
            if count > 0 {
                normal.add(code, sum, f64::from(count));
            }
        }
        normal.solve(codes.len() as f64 * INDEPENDENT, coefficients);
    }
    Ok(())
}

/// Normal equations of at most 8 bases.
struct Normal {
    bases: usize,
    gram: [[f64; MAX_BASES]; MAX_BASES],
    moments: [f64; MAX_BASES],
}

impl Normal {
    const fn new(bases: usize) -> Self {
        Self { bases, gram: [[0.0; MAX_BASES]; MAX_BASES], moments: [0.0; MAX_BASES] }
    }

    /// `count` weights of one code and their sum.
    fn add(&mut self, code: u8, sum: f64, count: f64) {
        for i in 0..self.bases {
            self.moments[i] += signed(code, i, sum);
            for j in 0..=i {
                self.gram[i][j] += signed(code, i, signed(code, j, count));
            }
        }
    }

    /// By G = L D Lᵀ, leaving out each base whose d is at most `least`.
    fn solve(&self, least: f64, solution: &mut [f32]) {
        let mut lower = [[0.0; MAX_BASES]; MAX_BASES];
        let (mut d, mut y) = ([0.0; MAX_BASES], [0.0; MAX_BASES]);
        for j in 0..self.bases {
            let (mut pivot, mut value) = (self.gram[j][j], self.moments[j]);
            for p in 0..j {
                pivot -= lower[j][p] * lower[j][p] * d[p];
                value -= lower[j][p] * y[p];
            }
            if pivot <= least {
                continue;
            }
            (d[j], y[j]) = (pivot, value);
            for i in j + 1..self.bases {
                let entry = (0..j).fold(self.gram[i][j], |entry, p| entry - lower[i][p] * lower[j][p] * d[p]);
                lower[i][j] = entry / pivot;
            }
        }
        let mut a = [0.0; MAX_BASES];
        for j in (0..self.bases).rev().filter(|&j| d[j] > 0.0) {
            a[j] = (j + 1..self.bases).fold(y[j] / d[j], |value, i| value - lower[i][j] * a[i]);
        }
        for (solution, a) in solution.iter_mut().zip(a) {
            *solution = a as f32;
        }
    }
}

/// The code of the nearest of the 2^bases levels of each group: x goes above the midpoint of two neighbours where it is greater in f64; the lowest code of equally near ones.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where `bases` is not 1..=8.
pub fn nearest_bases(
    grouping: &Grouping,
    x: &[f32],
    bases: usize,
    coefficients: &[f32],
    codes: &mut [u8],
) -> Result<()> {
    check_range(OP, What::Bits, 1, MAX_BASES as i64, bases as i64)?;
    check(grouping, x, bases, coefficients, codes)?;
    let groups = grouping.split(x).zip(grouping.split_mut(codes));
    for ((x, codes), coefficients) in groups.zip(coefficients.chunks_exact(bases)) {
        let tree = Tree::new(coefficients);
        for (&x, code) in x.iter().zip(codes) {
            *code = tree.nearest(f64::from(x));
        }
    }
    Ok(())
}

/// The levels of one group in ascending order, for a binary search.
struct Tree {
    /// A power of two.
    size: usize,
    /// A weight above bound i belongs to level i + 1 or a higher one.
    bounds: [f64; MAX_LEVELS],
    codes: [u8; MAX_LEVELS],
}

impl Tree {
    fn new(coefficients: &[f32]) -> Self {
        let size = 1 << coefficients.len();
        let mut levels = [(0.0, 0); MAX_LEVELS];
        for (level, code) in levels[..size].iter_mut().zip(0..) {
            let terms = coefficients.iter().enumerate();
            *level = (terms.fold(0.0, |sum: f32, (base, &a)| sum + signed(code, base, a)), code);
        }
        levels[..size].sort_unstable_by(|(a, c), (b, d)| a.total_cmp(b).then(c.cmp(d)));
        let (mut bounds, mut codes) = ([f64::INFINITY; MAX_LEVELS], [0; MAX_LEVELS]);
        let (mut last, mut above) = (0, f32::NAN);
        for &(level, code) in &levels[..size] {
            // Of equal levels only the first, which has the lowest code.
            if level == above {
                continue;
            }
            if !above.is_nan() {
                let middle = f64::midpoint(f64::from(above), f64::from(level));
                // No f32 lies between: what is equal to the midpoint goes up where the upper code is the lower one.
                bounds[last] = if code < codes[last] { middle.next_down() } else { middle };
                last += 1;
            }
            (above, codes[last]) = (level, code);
        }
        Self { size, bounds, codes }
    }

    fn nearest(&self, x: f64) -> u8 {
        let (mut at, mut step) = (0, self.size / 2);
        while step > 0 {
            at += if x > self.bounds[at + step - 1] { step } else { 0 };
            step /= 2;
        }
        self.codes[at]
    }
}

/// Bit i of a code set where x lies below threshold i of its group: `thresholds [groups, bits]`.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where `bits` is not 1..=8.
pub fn base_codes(
    grouping: &Grouping,
    x: &[f32],
    bits: usize,
    thresholds: &[f32],
    codes: &mut [u8],
) -> Result<()> {
    check_range(OP, What::Bits, 1, MAX_BASES as i64, bits as i64)?;
    check(grouping, x, bits, thresholds, codes)?;
    let groups = grouping.split(x).zip(grouping.split_mut(codes));
    for ((x, codes), thresholds) in groups.zip(thresholds.chunks_exact(bits)) {
        for (x, code) in x.iter().zip(codes) {
            *code = thresholds.iter().enumerate().fold(0, |code, (bit, t)| code | u8::from(x < t) << bit);
        }
    }
    Ok(())
}

/// a with the sign of base i in a code.
#[inline(always)]
fn signed<T: core::ops::Neg<Output = T>>(code: u8, base: usize, a: T) -> T {
    if code >> base & 1 == 0 { a } else { -a }
}

fn check(grouping: &Grouping, x: &[f32], bases: usize, coefficients: &[f32], codes: &[u8]) -> Result<()> {
    grouping.check(x.len(), &[])?;
    check_shape(OP, What::Codebook, checked_area(OP, grouping.groups(), bases)?, coefficients.len())?;
    check_shape(OP, What::Codes, x.len(), codes.len())
}
