//! GELU and `SiLU`: x times a gate between 0 and 1.

use core::f32::consts::FRAC_1_SQRT_2;
use core::hint::black_box;

use crate::exp::Exp;

/// Formula 7.1.26 of Abramowitz and Stegun (1964): `erfc(z) = (a_1 t + a_2 t² + ...) e^(-z²)` with `t = 1 / (1 + p z)`, for z >= 0 within 1.5e-7.
const P: f32 = 0.327_591_1;
const A: [f32; 5] = [0.254_829_6, -0.284_496_74, 1.421_413_7, -1.453_152, 1.061_405_4];
/// sqrt(2 / pi)
const SQRT_2_PI: f32 = 0.797_884_6;

/// `y = y * Φ(y)`, Φ the normal distribution: `y (1 + erf(y / √2)) / 2` (Hendrycks and Gimpel 2016), Φ within 1e-7.
pub fn gelu(y: &mut [f32]) {
    let exp = Exp::new();
    // Through `black_box` for the same reason as the constants of exp.
    let (p, [a, b, c, d, e], bound, root, half, [one, minus]) =
        black_box((P, A, 14.0_f32, FRAC_1_SQRT_2, 0.5_f32, [1.0_f32, -1.0]));
    for y in y {
        let x = *y;
        // From 14 on the tail is 0, also where x is infinite.
        let near = if bound < x.abs() { bound } else { x.abs() };
        let z = near * root;
        let t = one / (one + p * z);
        let sum = t * (a + t * (b + t * (c + t * (d + t * e))));
        let tail = near * (half * sum * exp.of(z * z * minus));
        *y = (if x < 0.0 { 0.0 } else { x }) - tail;
    }
}

/// `y = y (1 + tanh(√(2 / π) (y + 0.044715 y³))) / 2`, computed as `y / (1 + e^(-2 ...))`.
pub fn gelu_tanh(y: &mut [f32]) {
    let exp = Exp::new();
    for y in y {
        let x = *y;
        let inner = SQRT_2_PI * (x + 0.044_715 * (x * x * x));
        *y = x / (1.0 + exp.of(-2.0 * inner));
    }
}

/// `y = y / (1 + e^-y)` (also called Swish; Elfwing, Uchibe and Doya 2017)
pub fn silu(y: &mut [f32]) {
    let exp = Exp::new();
    for y in y {
        *y /= 1.0 + exp.of(-*y);
    }
}
