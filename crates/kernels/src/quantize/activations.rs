//! Ranges of activations: a tally of what was seen, and what flows back through a clipped quantizer.

use super::OP;
use crate::error::{Result, What, check_shape};

/// Adds x to the tally of equally wide bins around 0, `per_unit` of them to 1: element x falls into bin floor(x · `per_unit`) + bins / 2, those beyond into the outermost.
pub fn tally(x: &[f32], per_unit: f64, counts: &mut [u32]) {
    let (Some(last), half) = (counts.len().checked_sub(1), counts.len() as i32 / 2) else { return };
    for x in x {
        // Saturating.
        let bin = (f64::from(*x) * per_unit).floor() as i32;
        counts[(bin.saturating_add(half).max(0) as usize).min(last)] += 1;
    }
}

/// Sums over the gradient of a quantizer's output, by where x lies; in f64 over ascending index.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClipSums {
    /// Σ g over x <= low.
    pub below: f64,
    /// Σ g over x >= high.
    pub above: f64,
    /// Σ g (round(x / step) - x / step) over the x between, ties to even.
    pub inside: f64,
}

/// Straight through inside, nothing outside: dx = g where low < x < high, else 0.
///
/// # Errors
/// `Shape` where the lengths differ.
pub fn clip_gradients(
    x: &[f32],
    gradient: &[f32],
    low: f32,
    high: f32,
    step: f64,
    dx: &mut [f32],
) -> Result<ClipSums> {
    check_shape(OP, What::Length, x.len(), gradient.len())?;
    check_shape(OP, What::Length, x.len(), dx.len())?;
    let mut sums = ClipSums::default();
    for ((&x, &g), dx) in x.iter().zip(gradient).zip(dx) {
        *dx = 0.0;
        if x <= low {
            sums.below += f64::from(g);
        } else if x >= high {
            sums.above += f64::from(g);
        } else {
            *dx = g;
            let steps = f64::from(x) / step;
            sums.inside += f64::from(g) * (steps.round_ties_even() - steps);
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_half_open() {
        let mut counts = [0; 8];
        tally(&[0.0, -0.0, 0.24, 0.25, -0.01, -0.25, -0.26, 0.99, 1.0, 9e9, -9e9], 4.0, &mut counts);
        // [-1, -0.75) | [-0.5, -0.25) | [-0.25, 0) | [0, 0.25) | [0.25, 0.5) | [0.75, 1) and above
        assert_eq!(counts, [1, 0, 1, 2, 3, 1, 0, 3]);
        tally(&[1.0], 1.0, &mut []);
    }

    #[test]
    fn gradients_stop_at_the_ends() {
        let mut dx = [9.0; 5];
        let x = [-1.0, 0.0, 0.6, 2.0, 3.0];
        let sums = clip_gradients(&x, &[1.0, 2.0, 4.0, 8.0, 16.0], 0.0, 2.0, 0.5, &mut dx).expect("valid");
        assert_eq!(dx, [0.0, 0.0, 4.0, 0.0, 0.0]);
        assert_eq!((sums.below, sums.above), (3.0, 24.0));
        assert!((sums.inside - 4.0 * (1.0 - 1.2)).abs() < 1e-6);
        assert!(clip_gradients(&x, &[], 0.0, 1.0, 1.0, &mut dx).is_err());
    }
}
