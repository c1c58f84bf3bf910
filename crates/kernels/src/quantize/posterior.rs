//! What depends on how sure a weight is, and sums of differences per group.

use super::OP;
use super::grouping::Grouping;
use crate::error::{Result, What, check_shape};

/// y = x where curvature·x² >= `least` (in f64), else 0.
///
/// # Errors
/// `Shape` where the lengths differ.
pub fn prune(x: &[f32], curvature: &[f32], least: f64, y: &mut [f32]) -> Result<()> {
    check_shape(OP, What::Length, x.len(), curvature.len())?;
    check_shape(OP, What::Length, x.len(), y.len())?;
    for ((x, h), y) in x.iter().zip(curvature).zip(y) {
        let saliency = f64::from(*h) * f64::from(*x) * f64::from(*x);
        *y = if saliency >= least { *x } else { 0.0 };
    }
    Ok(())
}

/// Per group, Σ|x - y| in f64.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn abs_errors(grouping: &Grouping, x: &[f32], y: &[f32], sums: &mut [f64]) -> Result<()> {
    grouping.check(x.len(), &[sums.len()])?;
    check_shape(OP, What::Length, x.len(), y.len())?;
    for ((x, y), sum) in grouping.split(x).zip(grouping.split(y)).zip(sums) {
        *sum = x.iter().zip(y).fold(0.0, |sum, (x, y)| sum + (f64::from(*x) - f64::from(*y)).abs());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_uncertain_goes() {
        let mut y = [9.0; 4];
        prune(&[2.0, -2.0, 0.5, 0.0], &[1.0, 0.99, 16.0, 1e9], 4.0, &mut y).expect("valid");
        assert_eq!(y, [2.0, 0.0, 0.5, 0.0]);
        assert!(prune(&[1.0], &[], 0.0, &mut y[..1]).is_err());
    }

    #[test]
    fn differences_by_group() {
        let grouping = Grouping::new(2, 3, 2).expect("valid");
        let mut sums = [9.0; 4];
        abs_errors(&grouping, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.0; 6], &mut sums).expect("valid");
        assert_eq!(sums, [3.0, 3.0, 9.0, 6.0]);
        assert!(abs_errors(&grouping, &[1.0; 6], &[0.0; 5], &mut sums).is_err());
    }
}
