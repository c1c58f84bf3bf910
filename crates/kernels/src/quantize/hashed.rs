//! Shared weights of `HashedNets`.

use super::OP;
use super::decode::{hash_index, hash_word};
use crate::error::{Result, What, check_range, check_shape};

/// Of the shared values from `first` on, as many as there are `sums`: the f64 sum over ascending position of ±x of the weights that are hashed to each, and their number; `decode` gives
/// each weight the same sign and value. There are `values` of them in all, so that many can be summed in parts.
///
/// # Errors
/// `Shape` where the slices differ in length, `Range` where there are not 1..=2^22 values, or the part ends beyond them.
pub fn hashed_sums(
    x: &[f32],
    seed: u32,
    (values, first): (usize, usize),
    sums: &mut [f64],
    counts: &mut [u32],
) -> Result<()> {
    check_range(OP, What::Codebook, 1, 1 << 22, values as i64)?;
    check_shape(OP, What::Length, sums.len(), counts.len())?;
    let after = values.checked_sub(sums.len()).map_or(-1, |after| after as i64);
    check_range(OP, What::Length, 0, after, first as i64)?;
    sums.fill(0.0);
    counts.fill(0);
    for (position, &x) in x.iter().enumerate() {
        let word = hash_word(seed, position);
        let bucket = hash_index(word, values).wrapping_sub(first);
        if let (Some(sum), Some(count)) = (sums.get_mut(bucket), counts.get_mut(bucket)) {
            *sum += f64::from(if word & 1 == 0 { x } else { -x });
            *count += 1;
        }
    }
    Ok(())
}
