//! GELU and SiLU: x times a gate between 0 and 1.

use core::f32::consts::FRAC_1_SQRT_2;

use crate::exp::exp;
use crate::lanes::{Each, Lanes, map};
use crate::tier::Tier;

/// Formula 7.1.26 of Abramowitz and Stegun (1964): `erfc(z) = (a_1 t + a_2 t² + ...) e^(-z²)` with `t = 1 / (1 + p z)`, for z >= 0 within 1.5e-7.
const P: f32 = 0.327_591_1;
const A: [f32; 5] = [0.254_829_6, -0.284_496_74, 1.421_413_7, -1.453_152, 1.061_405_4];
/// sqrt(2 / pi)
const SQRT_2_PI: f32 = 0.797_884_6;

/// `y = y * Φ(y)`, Φ the normal distribution: `y (1 + erf(y / √2)) / 2` (Hendrycks and Gimpel 2016), Φ within 1e-7.
pub fn gelu(tier: Tier, y: &mut [f32]) {
    map(tier, y, Gelu);
}

/// `y = y (1 + tanh(√(2 / π) (y + 0.044715 y³))) / 2`, computed as `y / (1 + e^(-2 ...))`.
pub fn gelu_tanh(tier: Tier, y: &mut [f32]) {
    map(tier, y, GeluTanh);
}

/// `y = y / (1 + e^-y)` (also called Swish; Elfwing, Uchibe and Doya 2017)
pub fn silu(tier: Tier, y: &mut [f32]) {
    map(tier, y, Silu);
}

struct Gelu;
struct GeluTanh;
struct Silu;

impl Each for Gelu {
    #[inline(always)]
    fn of<L: Lanes>(&self, x: L) -> L {
        let c = L::splat;
        // From 14 on the tail is 0, also where x is infinite.
        let near = magnitude(x.max(c(-14.0)).min(c(14.0)));
        let z = near.mul(c(FRAC_1_SQRT_2));
        let t = c(1.0).div(c(1.0).add(c(P).mul(z)));
        let p = A.iter().rev().skip(1).fold(c(A[4]), |p, &next| p.mul(t).add(c(next))).mul(t);
        let tail = near.mul(c(0.5).mul(p).mul(exp(c(0.0).sub(z.mul(z)))));
        x.max(c(0.0)).sub(tail)
    }
}

impl Each for GeluTanh {
    #[inline(always)]
    fn of<L: Lanes>(&self, x: L) -> L {
        let c = L::splat;
        let inner = c(SQRT_2_PI).mul(x.add(c(0.044_715).mul(x.mul(x).mul(x))));
        x.div(c(1.0).add(exp(c(-2.0).mul(inner))))
    }
}

impl Each for Silu {
    #[inline(always)]
    fn of<L: Lanes>(&self, x: L) -> L {
        x.div(L::splat(1.0).add(exp(L::splat(0.0).sub(x))))
    }
}

/// The larger of x and -x.
#[inline(always)]
fn magnitude<L: Lanes>(x: L) -> L {
    x.max(L::splat(0.0).sub(x))
}
