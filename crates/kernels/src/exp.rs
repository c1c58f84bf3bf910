//! exp as one chain of rounded f32 operations without a branch, so that a loop over it becomes vector code of the same bits.

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

/// `e^x` within 2 units in the last place; +0 below -86.99, infinite above 88.72. A NaN stays.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, then the polynomial of Cephes' `expf` (Moshier 1989) for `e^r`, times 2^n in two steps.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = if x < LOW { LOW } else { x };
    let x = if HIGH < x { HIGH } else { x };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let p = ((((1.987_569_1e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r
        + 1.666_666_5e-1)
        * r
        + 0.5;
    let p = p * (r * r) + r + 1.0;
    // 2^(n - 1): n reaches 128, which has no exponent of its own.
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(126 << 23));
    p * scale * 2.0
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn is_exp() {
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
