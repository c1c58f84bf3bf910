//! GELU and `SiLU`: x times a gate between 0 and 1.

use core::f32::consts::FRAC_1_SQRT_2;

use crate::exp::exp;

/// Formula 7.1.26 of Abramowitz and Stegun (1964): `erfc(z) = (a_1 t + a_2 t² + ...) e^(-z²)` with `t = 1 / (1 + p z)`, for z >= 0 within 1.5e-7.
const P: f32 = 0.327_591_1;
const A: [f32; 5] = [0.254_829_6, -0.284_496_74, 1.421_413_7, -1.453_152, 1.061_405_4];
/// sqrt(2 / pi)
const SQRT_2_PI: f32 = 0.797_884_6;

/// `y = y * Φ(y)`, Φ the normal distribution: `y (1 + erf(y / √2)) / 2` (Hendrycks and Gimpel 2016), Φ within 1e-7.
pub fn gelu(y: &mut [f32]) {
    for y in y {
        let x = *y;
        // From 14 on the tail is 0, also where x is infinite.
        let near = if x < -14.0 { -14.0 } else { x };
        let near = if 14.0 < near { 14.0 } else { near };
        let z = near.abs() * FRAC_1_SQRT_2;
        let t = 1.0 / (1.0 + P * z);
        let p = t * (A[0] + t * (A[1] + t * (A[2] + t * (A[3] + t * A[4]))));
        let tail = near * (0.5 * p * exp(-(z * z)));
        *y = if x < 0.0 { tail } else { x - tail };
    }
}

/// `y = y (1 + tanh(√(2 / π) (y + 0.044715 y³))) / 2`, computed as `y / (1 + e^(-2 ...))`.
pub fn gelu_tanh(y: &mut [f32]) {
    for y in y {
        let x = *y;
        let inner = SQRT_2_PI * (x + 0.044_715 * (x * x * x));
        *y = x / (1.0 + exp(-2.0 * inner));
    }
}

/// `y = y / (1 + e^-y)` (also called Swish; Elfwing, Uchibe and Doya 2017)
pub fn silu(y: &mut [f32]) {
    for y in y {
        *y /= 1.0 + exp(-*y);
    }
}
