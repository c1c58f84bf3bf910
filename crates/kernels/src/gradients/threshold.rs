//! Strom's threshold: what exceeds ±τ is sent as ±τ, the rest waits.

use super::OP;
use crate::error::{Result, What, check_shape};

/// With v = residual + x: a word `2 i + 1` where `v_i < -τ`, `2 i` where `v_i > τ`, in ascending order at the start of `words`, and their number. The residual
/// becomes v less what is sent, rounded to f32.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn threshold_take(x: &[f32], residual: &mut [f32], threshold: f32, words: &mut [u32]) -> Result<usize> {
    check_shape(OP, What::Length, x.len(), residual.len())?;
    check_shape(OP, What::Length, x.len(), words.len())?;
    let mut count = 0;
    for (i, (x, residual)) in x.iter().zip(residual).enumerate() {
        *residual += x;
        if residual.abs() > threshold {
            let negative = *residual < 0.0;
            words[count] = (i as u32) << 1 | u32::from(negative);
            count += 1;
            *residual -= if negative { -threshold } else { threshold };
        }
    }
    Ok(count)
}

/// ±τ where a word says so, 0 elsewhere. Returns the position of the first word that is beyond `y` or not above the one before: their number where all are
/// right.
pub fn threshold_apply(words: &[u32], threshold: f32, y: &mut [f32]) -> usize {
    y.fill(0.0);
    let mut next = 0;
    for (position, &word) in words.iter().enumerate() {
        let index = (word >> 1) as usize;
        if index < next || index >= y.len() {
            return position;
        }
        y[index] = if word & 1 == 0 { threshold } else { -threshold };
        next = index + 1;
    }
    words.len()
}
