//! Shared weights of `HashedNets`.

use super::OP;
use super::decode::{hash_index, hash_word};
use crate::error::{Result, What, check_range, check_shape};

/// Per shared value, the f64 sum over ascending position of ±x of the weights that are hashed to it, and their number; `decode` gives each weight the same sign and value.
///
/// # Errors
/// `Shape` where the slices differ in length, `Range` where there are not 1..=2^22 values.
pub fn hashed_sums(x: &[f32], seed: u32, sums: &mut [f64], counts: &mut [u32]) -> Result<()> {
    check_range(OP, What::Codebook, 1, 1 << 22, sums.len() as i64)?;
    check_shape(OP, What::Length, sums.len(), counts.len())?;
    sums.fill(0.0);
    counts.fill(0);
    for (position, &x) in x.iter().enumerate() {
        let word = hash_word(seed, position);
        let bucket = hash_index(word, sums.len());
        sums[bucket] += f64::from(if word & 1 == 0 { x } else { -x });
        counts[bucket] += 1;
    }
    Ok(())
}
