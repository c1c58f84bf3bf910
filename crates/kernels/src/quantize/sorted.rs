//! Searches over sorted weights.

use super::OP;
use super::grouping::Grouping;
use crate::buffer::Buffer;
use crate::error::{Result, What, check_shape};

/// Ascending, -0 before +0; x holds no NaN.
pub fn sort(x: &mut [f32]) {
    x.sort_unstable_by(f32::total_cmp);
}

/// Cuts ascending x at ascending thresholds: part p holds what is above `thresholds[p - 1]` and not above `thresholds[p]`. `ends[p]` is the position behind it and
/// `sums[p]` its sum, over ascending index.
///
/// # Errors
/// `Shape` where there is not one part more than thresholds.
pub fn parts(x: &[f32], thresholds: &[f64], ends: &mut [u32], sums: &mut [f64]) -> Result<()> {
    check_shape(OP, What::Threshold, thresholds.len() + 1, ends.len())?;
    check_shape(OP, What::Threshold, thresholds.len() + 1, sums.len())?;
    let mut start = 0;
    for (part, (end, sum)) in ends.iter_mut().zip(sums).enumerate() {
        let rest = &x[start..];
        let length = thresholds
            .get(part)
            .map_or(rest.len(), |&threshold| rest.partition_point(|&x| f64::from(x) <= threshold));
        *sum = rest[..length].iter().fold(0.0, |sum, x| sum + f64::from(*x));
        start += length;
        *end = start as u32;
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
