//! Moments of groups, and the scale of least squared error for given codes.

use super::OP;
use super::grouping::Grouping;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape};

/// Mean and standard deviation of each group, sqrt(Σ(x - mean)² / n).
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn moments(grouping: &Grouping, x: &[f32], mean: &mut [f64], deviation: &mut [f64]) -> Result<()> {
    grouping.check(x.len(), &[mean.len(), deviation.len()])?;
    for (x, (mean, deviation)) in grouping.split(x).zip(mean.iter_mut().zip(deviation)) {
        let n = x.len() as f64;
        *mean = x.iter().fold(0.0, |sum, x| sum + f64::from(*x)) / n;
        let squares = x.iter().map(|x| f64::from(*x) - *mean).fold(0.0, |sum, d| sum + d * d);
        *deviation = (squares / n).sqrt();
    }
    Ok(())
}

/// The two sums of the scale α = Σ h x q / Σ h q² that minimises Σ h (x - α q)², with `q = levels[code]` (1..=256 of them) and the importance h of each weight (1 where there
/// is none).
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where a code names no level.
pub fn scale_sums(
    grouping: &Grouping,
    x: &[f32],
    codes: &[u8],
    levels: &[f32],
    importance: &[f32],
    dot: &mut [f64],
    power: &mut [f64],
) -> Result<()> {
    grouping.check(x.len(), &[dot.len(), power.len()])?;
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    check_range(OP, What::Codebook, 1, 256, levels.len() as i64)?;
    if let Some(&code) = codes.iter().find(|&&code| usize::from(code) >= levels.len()) {
        let last = levels.len() as i64 - 1;
        return Err(KernelError::new(ErrorCode::Range, OP, What::Code, last, i64::from(code)));
    }
    if !importance.is_empty() {
        check_shape(OP, What::Length, x.len(), importance.len())?;
    }
    let mut at = 0;
    for ((x, codes), (dot, power)) in
        grouping.split(x).zip(grouping.split(codes)).zip(dot.iter_mut().zip(power))
    {
        let importance = importance.get(at..at + x.len()).unwrap_or_default();
        at += x.len();
        (*dot, *power) = (0.0, 0.0);
        for (i, (&x, &code)) in x.iter().zip(codes).enumerate() {
            let q = f64::from(levels[usize::from(code)]);
            let weighted = f64::from(*importance.get(i).unwrap_or(&1.0)) * q;
            *dot += weighted * f64::from(x);
            *power += weighted * q;
        }
    }
    Ok(())
}
