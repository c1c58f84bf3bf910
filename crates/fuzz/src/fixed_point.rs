//! Integer requantization equals the definition in 128 bits.

use arbitrary::Arbitrary;
use lowbit_kernels::fixed_point::{Codes, Factor, Rounding, naive, requantize};

/// A factor and sums.
#[derive(Arbitrary, Debug)]
pub struct Case {
    multiplier: u32,
    exponent: u8,
    zero_point: i8,
    once: bool,
    sums: Vec<i32>,
}

impl Case {
    /// Panics where a result differs.
    pub fn check(&self) {
        let (multiplier, exponent) = ((self.multiplier >> 1) as i32, i32::from(self.exponent % 62) - 31);
        let factor = Factor::new(multiplier, exponent).expect("in range");
        let codes = Codes { zero_point: self.zero_point.into(), clamp: (-128, 127) };
        let mut y = vec![0_i8; self.sums.len()];
        let rounding = if self.once { Rounding::Once } else { Rounding::Twice };
        let exact = if self.once { naive::scaled_once } else { naive::scaled };
        requantize(&self.sums, 1, None, &[factor], rounding, codes, &mut y).expect("lengths");
        for (x, y) in self.sums.iter().zip(y) {
            let scaled = exact((*x).into(), multiplier.into(), exponent);
            assert_eq!(i64::from(y), (scaled + i64::from(self.zero_point)).clamp(-128, 127), "{self:?}");
        }
    }
}
