//! Gaussian mixtures over weights: the E-step of their fit, and the most responsible component.

use super::OP;
use crate::error::{Result, What, check_range, check_shape};

/// At most as many components as a code has values.
const MOST: usize = 256;

/// Log densities this far below the largest add nothing to an f64 sum: e^-40 is below 2^-57.
const NEGLIGIBLE: f64 = -40.0;

/// `Σ_j` `π_j` N(x; `μ_j`, `1/λ_j`) over 1 to 256 components. Sums over components take neighbours in pairs (the last two, the two before ...), what is left over first: where these
/// pairs mirror each other at 0, the mixture of -x is the mirrored mixture of x, bit for bit.
#[derive(Debug)]
pub struct Mixture {
    /// μ
    mean: Vec<f64>,
    /// λ / 2
    half_precision: Vec<f64>,
    /// ln π + ln λ / 2
    log_weight: Vec<f64>,
}

impl Mixture {
    /// π, μ and λ by component.
    ///
    /// # Errors
    /// `Shape` where the lengths differ, `Range` where there are none or more than 256.
    pub fn new(proportion: &[f64], mean: &[f64], precision: &[f64]) -> Result<Self> {
        check_range(OP, What::Codebook, 1, MOST as i64, mean.len() as i64)?;
        check_shape(OP, What::Codebook, mean.len(), proportion.len())?;
        check_shape(OP, What::Codebook, mean.len(), precision.len())?;
        let log_weight = |(p, l): (&f64, &f64)| libm::log(*p) + 0.5 * libm::log(*l);
        Ok(Self {
            mean: mean.to_vec(),
            half_precision: precision.iter().map(|l| 0.5 * l).collect(),
            log_weight: proportion.iter().zip(precision).map(log_weight).collect(),
        })
    }

    /// The E-step: per component Σ r, Σ r(x - μ), Σ r(x - μ)² over ascending x, in `sums [components, 3]`, with r its responsibility for x; and the log likelihood without
    /// its constant, Σ ln `Σ_j` `π_j` √`λ_j` e^(-λ_j (x - `μ_j)²/2`).
    ///
    /// # Errors
    /// `Shape` where `sums` does not have its length.
    pub fn expectation(&self, x: &[f32], sums: &mut [f64]) -> Result<f64> {
        let count = self.mean.len();
        check_shape(OP, What::Length, 3 * count, sums.len())?;
        sums.fill(0.0);
        let mut densities = [0.0; MOST];
        let densities = &mut densities[..count];
        let mut likelihood = 0.0;
        for &x in x {
            let x = f64::from(x);
            let (_, most) = self.log_densities(x, densities);
            for density in densities.iter_mut() {
                let below = *density - most;
                *density = if below > NEGLIGIBLE { libm::exp(below) } else { 0.0 };
            }
            let total = in_pairs(densities);
            likelihood += most + libm::log(total);
            for ((density, mean), sums) in densities.iter().zip(&self.mean).zip(sums.chunks_exact_mut(3)) {
                if *density > 0.0 {
                    let (responsibility, difference) = (density / total, x - mean);
                    sums[0] += responsibility;
                    sums[1] += responsibility * difference;
                    sums[2] += responsibility * difference * difference;
                }
            }
        }
        Ok(likelihood)
    }

    /// The component most responsible for each x, the lowest on a tie.
    ///
    /// # Errors
    /// `Shape` where the lengths differ.
    pub fn assign(&self, x: &[f32], codes: &mut [u8]) -> Result<()> {
        check_shape(OP, What::Codes, x.len(), codes.len())?;
        let mut densities = [0.0; MOST];
        for (x, code) in x.iter().zip(codes) {
            *code = self.log_densities(f64::from(*x), &mut densities[..self.mean.len()]).0 as u8;
        }
        Ok(())
    }

    /// Per component; the index and the value of the largest.
    #[inline(always)]
    fn log_densities(&self, x: f64, densities: &mut [f64]) -> (usize, f64) {
        let (mut best, mut most) = (0, f64::NEG_INFINITY);
        for (j, density) in densities.iter_mut().enumerate() {
            let difference = x - self.mean[j];
            *density = self.log_weight[j] - self.half_precision[j] * difference * difference;
            if *density > most {
                (best, most) = (j, *density);
            }
        }
        (best, most)
    }
}

fn in_pairs(values: &[f64]) -> f64 {
    // With an odd number one stands alone at the front, with an even number two do.
    let (first, pairs) = values.split_at(2 - values.len() % 2);
    let alone = first.iter().fold(0.0, |sum, v| sum + v);
    pairs.chunks_exact(2).fold(alone, |sum, pair| sum + (pair[0] + pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responsibilities_are_bayes_rule() {
        let mixture = Mixture::new(&[0.5, 0.25, 0.25], &[0.0, -2.0, 2.0], &[1.0, 4.0, 4.0]).expect("valid");
        let mut sums = [9.0; 9];
        let likelihood = mixture.expectation(&[1.0], &mut sums).expect("valid");
        let [zero, low, high] = [
            0.5 * libm::exp(-0.5),
            0.25 * 2.0 * libm::exp(-4.0 * 9.0 / 2.0),
            0.25 * 2.0 * libm::exp(-4.0 * 1.0 / 2.0),
        ];
        let total = zero + low + high;
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} {b}");
        close(likelihood, libm::log(total));
        close(sums[0], zero / total);
        close(sums[1], zero / total);
        close(sums[3], low / total);
        close(sums[6], high / total);
        close(sums[7], -high / total);
        close(sums[8], high / total);
    }

    #[test]
    fn the_most_responsible_takes_it() {
        let mixture = Mixture::new(&[0.98, 0.01, 0.01], &[0.0, -1.0, 1.0], &[4.0; 3]).expect("valid");
        let mut codes = [9; 4];
        // 0.5 + ln 98 / 4 = 1.646
        mixture.assign(&[1.64, 1.65, -1.65, 0.0], &mut codes).expect("valid");
        assert_eq!(codes, [0, 2, 1, 0]);
        assert!(Mixture::new(&[], &[], &[]).is_err());
        assert!(Mixture::new(&[1.0], &[0.0], &[]).is_err());
        assert!(mixture.assign(&[1.0], &mut codes).is_err());
    }

    #[test]
    fn a_component_without_weight_takes_nothing() {
        let mixture = Mixture::new(&[1.0, 0.0], &[0.0, 1.0], &[1.0; 2]).expect("valid");
        let (mut sums, mut codes) = ([9.0; 6], [9]);
        let likelihood = mixture.expectation(&[1.0], &mut sums).expect("valid");
        assert_eq!((likelihood, sums), (-0.5, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]));
        mixture.assign(&[1.0], &mut codes).expect("valid");
        assert_eq!(codes, [0]);
    }
}
