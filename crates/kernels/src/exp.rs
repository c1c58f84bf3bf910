//! exp as one chain of rounded f32 operations without a branch, so that a loop over it becomes vector code of the same bits.

use core::hint::black_box;

/// log2(e)
const LOG2_E: f32 = core::f32::consts::LOG2_E;
/// ln 2 in two parts, of which products of the first by whole numbers below 2^9 are exact (Cody and Waite 1980).
#[expect(clippy::excessive_precision, reason = "exact, with zeros behind")]
const LN_2: [f32; 2] = [0.693_359_375, -2.121_944_4e-4];
/// 1.5 * 2^23: adding it rounds to the nearest integer, ties to even, and leaves that integer in the low bits.
const ROUND: f32 = 12_582_912.0;
/// Below, 2^n would be no normal number, and the result is 0.
const LOW: f32 = -87.3;
/// Above, the result is infinite.
const HIGH: f32 = 88.73;
/// The polynomial of Cephes' `expf` (Moshier 1989) for `e^r`, highest power first, without its last two terms `r + 1`.
const POLYNOMIAL: [f32; 6] =
    [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

/// exp, made ready before a loop. Its constants pass through `black_box`: V8 makes a constant vector anew at every use, three instructions each.
#[derive(Clone, Copy)]
pub(crate) struct Exp {
    range: [f32; 2],
    log2_e: f32,
    round: f32,
    ln_2: [f32; 2],
    polynomial: [f32; 6],
    one: f32,
    /// Exponent bits of 1/2.
    half: u32,
}

impl Exp {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        black_box(Self {
            range: [LOW, HIGH],
            log2_e: LOG2_E,
            round: ROUND,
            ln_2: LN_2,
            polynomial: POLYNOMIAL,
            one: 1.0,
            half: 126 << 23,
        })
    }

    /// `e^x` within 2 units in the last place; +0 below -86.99, infinite above 88.72. A NaN stays.
    ///
    /// x = n ln 2 + r with |r| <= ln 2 / 2, then a polynomial for `e^r`, times 2^n in two steps.
    #[inline(always)]
    pub(crate) fn of(&self, x: f32) -> f32 {
        let Self { range: [low, high], log2_e, round, ln_2, polynomial, one, half } = *self;
        let x = if x < low { low } else { x };
        let x = if high < x { high } else { x };
        let shifted = x * log2_e + round;
        let n = shifted - round;
        let r = x - n * ln_2[0] - n * ln_2[1];
        let [a, b, c, d, e, f] = polynomial;
        let p = ((((a * r + b) * r + c) * r + d) * r + e) * r + f;
        let p = p * (r * r) + r + one;
        // 2^(n - 1): n reaches 128, which has no exponent of its own.
        let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(half));
        p * scale * 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::Exp;

    #[test]
    fn is_exp() {
        let of = Exp::new();
        let exp = |x| of.of(x);
        let mut worst: f64 = 0.0;
        for i in -86_900..88_700 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - exact).abs() / exact);
        }
        assert!(worst < 2.0 * f64::from(f32::EPSILON), "{worst}");
        assert_eq!([exp(f32::NEG_INFINITY), exp(-1000.0), exp(-87.0)], [0.0; 3]);
        assert_eq!([exp(f32::INFINITY), exp(89.0), exp(1000.0)], [f32::INFINITY; 3]);
        assert_eq!([exp(0.0), exp(-0.0)], [1.0; 2]);
        assert!(exp(f32::NAN).is_nan());
    }
}
