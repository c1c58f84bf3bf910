//! Searches over sorted weights.

use super::OP;
use super::grouping::Grouping;
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range};

/// Ascending, -0 before +0; x holds no NaN.
pub fn sort(x: &mut [f32]) {
    x.sort_unstable_by(f32::total_cmp);
}

/// Values between two of the sums that are kept.
const RUN: usize = 64;

/// Passes of an alternation; N(0,1) settles in about 30.
const PASSES: usize = 200;

/// A scale α per group that Σ(x - α q)² does not make better by turns of q = the nearest of ± `levels` (ascending from 0 on, the larger one of equally near ones) and
/// α = Σ x q / Σ q², from `scale` on. |x| are sorted once, so that a turn costs what the ends of the levels' intervals cost. A group in which no level but 0 is the nearest keeps its scale.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there is no level, `Memory`.
pub fn level_scale(grouping: &Grouping, x: &[f32], levels: &[f32], scale: &mut [f32]) -> Result<()> {
    grouping.check(x.len(), &[scale.len()])?;
    check_range(OP, What::Codebook, 1, 256, levels.len() as i64)?;
    let longest = grouping.split(x).map(<[f32]>::len).max().unwrap_or(0);
    let mut magnitudes = Buffer::<f32>::zeroed(OP, longest)?;
    let mut sums = Buffer::<f64>::zeroed(OP, longest / RUN + 1)?;
    for (x, scale) in grouping.split(x).zip(scale) {
        let magnitudes = &mut magnitudes[..x.len()];
        for (magnitude, x) in magnitudes.iter_mut().zip(x) {
            *magnitude = x.abs();
        }
        sort(magnitudes);
        for (run, values) in magnitudes.chunks_exact(RUN).enumerate() {
            sums[run + 1] = values.iter().fold(sums[run], |sum, &m| sum + f64::from(m));
        }
        let sum_before = |end: usize| {
            let run = end / RUN;
            magnitudes[run * RUN..end].iter().fold(sums[run], |sum, &m| sum + f64::from(m))
        };
        for _ in 0..PASSES {
            let (mut dot, mut power, mut start, mut before) = (0.0, 0.0, 0, 0.0);
            for (i, &level) in levels.iter().enumerate() {
                let rest = &magnitudes[start..];
                let end = start
                    + levels.get(i + 1).map_or(rest.len(), |&next| {
                        let middle = f64::from(*scale) * (f64::from(level) + f64::from(next)) / 2.0;
                        rest.partition_point(|&m| f64::from(m) < middle)
                    });
                let (level, sum) = (f64::from(level), sum_before(end));
                dot += level * (sum - before);
                power += level * level * (end - start) as f64;
                (start, before) = (end, sum);
            }
            let next = if power > 0.0 { (dot / power) as f32 } else { *scale };
            if next == *scale {
                break;
            }
            *scale = next;
        }
    }
    Ok(())
}

/// The scale α of the best ternary weights of each group, the global minimum of Σ(x - αt)² over α >= 0 and t in {-1, 0, +1}: with S(k) the sum of the k largest |x|, the k of
/// largest S(k)² / k (the first of equal ones) and α = S(k) / k.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Memory`.
pub fn ternary_scale(grouping: &Grouping, x: &[f32], scale: &mut [f32]) -> Result<()> {
    grouping.check(x.len(), &[scale.len()])?;
    let longest = grouping.split(x).map(<[f32]>::len).max().unwrap_or(0);
    let mut magnitudes = Buffer::<f32>::zeroed(OP, longest)?;
    for (x, scale) in grouping.split(x).zip(scale) {
        let magnitudes = &mut magnitudes[..x.len()];
        for (magnitude, x) in magnitudes.iter_mut().zip(x) {
            *magnitude = x.abs();
        }
        sort(magnitudes);
        let (mut sum, mut count, mut most, mut best) = (0.0, 0.0, 0.0, 0.0);
        for &magnitude in magnitudes.iter().rev() {
            sum += f64::from(magnitude);
            count += 1.0;
            let explained = sum * sum / count;
            if explained > most {
                (most, best) = (explained, sum / count);
            }
        }
        *scale = best as f32;
    }
    Ok(())
}
