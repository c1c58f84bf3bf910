//! Two tensors into one, element by element.

use super::OP;
use crate::error::{Result, What, check_shape};

/// `x = y` where the mask is not 0.
///
/// # Errors
/// `Shape` where the lengths differ.
pub fn choose(x: &mut [f32], y: &[f32], mask: &[u8]) -> Result<()> {
    check_shape(OP, What::Length, x.len(), y.len())?;
    check_shape(OP, What::Length, x.len(), mask.len())?;
    for ((x, y), mask) in x.iter_mut().zip(y).zip(mask) {
        if *mask != 0 {
            *x = *y;
        }
    }
    Ok(())
}

/// `x = f32((x + weight * y) / (1 + weight))`, each step in f64.
///
/// # Errors
/// As [`choose`].
pub fn mix(x: &mut [f32], y: &[f32], weight: f64) -> Result<()> {
    check_shape(OP, What::Length, x.len(), y.len())?;
    for (x, y) in x.iter_mut().zip(y) {
        *x = ((f64::from(*x) + weight * f64::from(*y)) / (1.0 + weight)) as f32;
    }
    Ok(())
}
