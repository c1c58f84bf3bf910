//! Quantization of any floats saturates, and comes back within half a step.

use arbitrary::Arbitrary;
use lowbit_kernels::convert::{canonicalize_nans, count_nans, dequantize, quantize};
use lowbit_kernels::tier::Tier;

/// Any floats and any quantization.
#[derive(Arbitrary, Debug)]
pub struct Case {
    scale: u16,
    zero_point: i8,
    values: Vec<f32>,
}

impl Case {
    /// Panics where a result leaves the definition.
    pub fn check(&self) {
        let (scale, zero) = (f32::from(self.scale.max(1)) / 777.0, i32::from(self.zero_point));
        let mut codes = vec![0_i8; self.values.len()];
        quantize(Tier::Scalar, &self.values, scale, zero, &mut codes).expect("valid");
        let mut vectors = codes.clone();
        quantize(Tier::Simd128, &self.values, scale, zero, &mut vectors).expect("valid");
        assert_eq!(codes, vectors, "{self:?}");
        let mut back = vec![f32::NAN; codes.len()];
        dequantize(&codes, scale, zero, &mut back).expect("valid");
        for ((x, code), y) in self.values.iter().zip(&codes).zip(&back) {
            let quotient = x / scale;
            let exact = if quotient.is_nan() {
                zero
            } else {
                (f64::from(quotient).round_ties_even() + f64::from(zero)).clamp(-128.0, 127.0) as i32
            };
            assert_eq!(i32::from(*code), exact, "{x} {self:?}");
            assert_eq!(*y, (exact - zero) as f32 * scale, "{self:?}");
        }
        let mut values = self.values.clone();
        assert_eq!(count_nans(&values), values.iter().filter(|v| v.is_nan()).count(), "{self:?}");
        canonicalize_nans(&mut values);
        assert!(values.iter().all(|v| !v.is_nan() || v.to_bits() == 0x7fc0_0000), "{self:?}");
    }
}
