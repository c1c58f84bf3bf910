//! Sums from which every figure of an error follows.

use super::OP;
use crate::error::{Result, What, check_shape};

/// In f64 over ascending index.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ErrorSums {
    /// Sum of (x - y)².
    pub noise: f64,
    /// Sum of x².
    pub signal: f64,
    /// Sum of y².
    pub power: f64,
    /// Sum of x * y.
    pub dot: f64,
    /// The largest |x - y|; NaN where a difference is.
    pub max_abs: f64,
}

/// The sums of two tensors of one length.
///
/// # Errors
/// `Shape` where the lengths differ.
pub fn error_sums(x: &[f32], y: &[f32]) -> Result<ErrorSums> {
    check_shape(OP, What::Length, x.len(), y.len())?;
    let mut sums = ErrorSums::default();
    for (&x, &y) in x.iter().zip(y) {
        let (x, y) = (f64::from(x), f64::from(y));
        let difference = x - y;
        sums.noise += difference * difference;
        sums.signal += x * x;
        sums.power += y * y;
        sums.dot += x * y;
        let magnitude = difference.abs();
        // Not `max`, which would drop a NaN; once NaN, no comparison holds and it stays.
        if magnitude > sums.max_abs || magnitude.is_nan() {
            sums.max_abs = magnitude;
        }
    }
    Ok(sums)
}
