//! Stochastic rounding to a uniform grid.

use super::OP;
use super::grouping::Grouping;
use super::random::Random;
use crate::error::{Result, What, check_range, check_shape};

/// With `q = (x - offset[g]) / scale[g]` in f64: code = clamp(floor(q) + d + zero, `min_code`, `max_code`), where d is 1 with probability q - floor(q) and 0 otherwise, so
/// that the mean of what the codes stand for is x wherever the grid reaches.
#[derive(Clone, Copy, Debug)]
pub struct StochasticGrid<'a> {
    /// Per group; negative ones count downwards.
    pub scale: &'a [f32],
    /// Per group, or empty: 0.
    pub offset: &'a [f32],
    /// Within ±2^20.
    pub zero: i32,
    /// 0..=255, at most `max_code`.
    pub min_code: i32,
    /// 0..=255
    pub max_code: i32,
}

/// An x within two roundings to f32 of a level is on it: what was rounded once stays where it is.
const ROUNDING: f64 = 1.0 / 4_194_304.0;

impl StochasticGrid<'_> {
    /// The code of every x. Each takes one number of the generator, needed or not, so that a weight's draw does not depend on the others.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Range` where a code's bound or the zero is out of range.
    pub fn codes(&self, grouping: &Grouping, x: &[f32], random: &mut Random, codes: &mut [u8]) -> Result<()> {
        grouping.check(x.len(), &[self.scale.len()])?;
        if !self.offset.is_empty() {
            check_shape(OP, What::ZeroPoint, grouping.groups(), self.offset.len())?;
        }
        check_shape(OP, What::Codes, x.len(), codes.len())?;
        check_range(OP, What::ZeroPoint, -(1 << 20), 1 << 20, i64::from(self.zero))?;
        check_range(OP, What::Code, 0, 255, i64::from(self.max_code))?;
        check_range(OP, What::Code, 0, i64::from(self.max_code), i64::from(self.min_code))?;
        for (group, (x, codes)) in grouping.split(x).zip(grouping.split_mut(codes)).enumerate() {
            let scale = f64::from(self.scale[group]);
            let offset = f64::from(self.offset.get(group).copied().unwrap_or(0.0));
            for (x, code) in x.iter().zip(codes) {
                let steps = round((f64::from(*x) - offset) / scale, random.bits32());
                *code = (steps + self.zero).clamp(self.min_code, self.max_code) as u8;
            }
        }
        Ok(())
    }
}

/// `draw` is uniform over 32 bits. 0 / 0 counts as 0.
#[inline(always)]
fn round(q: f64, draw: u32) -> i32 {
    let nearest = q.round_ties_even();
    let steps = if (q - nearest).abs() <= q.abs() * ROUNDING {
        nearest
    } else {
        let floor = q.floor();
        floor + f64::from(u8::from(f64::from(draw) < (q - floor) * 4_294_967_296.0))
    };
    // A NaN becomes 0.
    (steps as i32).clamp(-(1 << 24), 1 << 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_the_probability() {
        assert_eq!(round(2.25, (1 << 30) - 1), 3);
        assert_eq!(round(2.25, 1 << 30), 2);
        assert_eq!(round(-2.25, (3 << 30) - 1), -2);
        assert_eq!(round(-2.25, 3 << 30), -3);
        assert_eq!(round(-1e-10, u32::MAX), 0);
    }

    #[test]
    fn a_level_stays() {
        for draw in [0, u32::MAX] {
            assert_eq!(round(7.0, draw), 7);
            assert_eq!(round(7.0 * (1.0 + 2.0_f64.powi(-23)), draw), 7);
            assert_eq!(round(-7.0 * (1.0 - 2.0_f64.powi(-23)), draw), -7);
            assert_eq!(round(f64::NAN, draw), 0);
            assert_eq!(round(f64::INFINITY, draw), 1 << 24);
        }
    }

    #[test]
    fn each_weight_takes_one_number() {
        let grouping = Grouping::new(1, 5, 2).expect("valid");
        let grid = StochasticGrid { scale: &[1.0, 0.5, 0.0], offset: &[], zero: 4, min_code: 1, max_code: 7 };
        let mut random = Random::new([1, 2, 3, 4]);
        let mut codes = [99; 5];
        grid.codes(&grouping, &[-9.0, 0.0, 0.5, 100.0, 0.0], &mut random, &mut codes).expect("valid");
        assert_eq!(codes, [1, 4, 5, 7, 4]);
        let mut other = Random::new([1, 2, 3, 4]);
        for _ in 0..5 {
            other.bits32();
        }
        assert_eq!(random.state(), other.state());
    }
}
