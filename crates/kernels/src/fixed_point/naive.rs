//! The definitions, in 128 bits and by divisions.

/// `numerator / 2^bits` to the nearest, a half up, or away from 0.
fn rounded(numerator: i128, bits: u32, away: bool) -> i128 {
    let unit = 1_i128 << bits;
    let (floor, rest) = (numerator.div_euclid(unit), numerator.rem_euclid(unit));
    let up = match (2 * rest).cmp(&unit) {
        core::cmp::Ordering::Less => false,
        core::cmp::Ordering::Equal => bits > 0 && (!away || numerator > 0),
        core::cmp::Ordering::Greater => true,
    };
    floor + i128::from(up)
}

/// `x * multiplier * 2^(exponent - 31)` by the two roundings.
#[must_use]
pub fn scaled(x: i64, multiplier: i64, exponent: i32) -> i64 {
    let wide =
        (i128::from(x) * (1_i128 << exponent.max(0))).clamp(i128::from(i32::MIN), i128::from(i32::MAX));
    rounded(rounded(wide * i128::from(multiplier), 31, false), (-exponent).max(0) as u32, true) as i64
}

/// The same by one rounding.
#[must_use]
pub fn scaled_once(x: i64, multiplier: i64, exponent: i32) -> i64 {
    let exact = rounded(i128::from(x) * i128::from(multiplier), (31 - exponent) as u32, false);
    exact.clamp(i128::from(i32::MIN), i128::from(i32::MAX)) as i64
}

/// The mean of codes, a half away from 0.
#[must_use]
pub fn mean(codes: &[i64]) -> i64 {
    let (sum, count) = (codes.iter().sum::<i64>(), codes.len() as i64);
    let magnitude = (2 * sum.abs() + count) / (2 * count);
    sum.signum() * magnitude
}
