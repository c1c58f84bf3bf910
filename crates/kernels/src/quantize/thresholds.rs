//! Codes by thresholds.

use super::OP;
use super::grouping::Grouping;
use crate::error::{Result, What, check_range, check_shape};

/// `code = how many thresholds are <= x / scale[g]`. At most 255, ascending.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there are more thresholds than codes.
pub fn threshold_codes(
    grouping: &Grouping,
    x: &[f32],
    thresholds: &[f32],
    scale: &[f32],
    codes: &mut [u8],
) -> Result<()> {
    grouping.check(x.len(), &[scale.len()])?;
    check_range(OP, What::Threshold, 0, 255, thresholds.len() as i64)?;
    check_shape(OP, What::Codes, x.len(), codes.len())?;
    for ((x, codes), &scale) in grouping.split(x).zip(grouping.split_mut(codes)).zip(scale) {
        for (&x, code) in x.iter().zip(codes) {
            let x = x / scale;
            *code = thresholds.partition_point(|&threshold| threshold <= x) as u8;
        }
    }
    Ok(())
}
