//! Magnitude pruning: which weights stay, and taking those out and putting them back.

use super::OP;
use crate::error::{Result, What, check_range, check_shape};

/// Bits of a magnitude that the first histogram looks at; the second one looks at the others.
const HIGH: u32 = 16;
const LOW: u32 = 31 - HIGH;

/// The bits of |x|: ordered as the magnitudes are.
const fn magnitude(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

/// `mask` = 0 at the `pruned` smallest magnitudes, those of lower index first where they tie, and at all zeros; 1 at the others.
///
/// Exact, in three passes: a histogram of the upper 16 bits of the magnitudes, one of the lower 15 where the threshold lies, and the comparison.
///
/// # Errors
/// `Range` where more are pruned than there are, `Shape` where the lengths differ.
pub fn magnitude_mask(x: &[f32], pruned: usize, mask: &mut [u8]) -> Result<()> {
    check_shape(OP, What::Codes, x.len(), mask.len())?;
    check_range(OP, What::Length, 0, x.len() as i64, pruned as i64)?;
    let (high, left) = bin_of(1 << HIGH, pruned, x.iter().map(|&x| magnitude(x) >> LOW));
    let lower = x.iter().map(|&x| magnitude(x)).filter(|bits| bits >> LOW == high);
    let (low, mut ties) = bin_of(1 << LOW, left, lower.map(|bits| bits & ((1 << LOW) - 1)));
    let threshold = high << LOW | low;
    for (x, mask) in x.iter().zip(mask) {
        let bits = magnitude(*x);
        let tied = bits == threshold && ties > 0;
        ties -= usize::from(tied);
        *mask = u8::from(bits >= threshold && bits != 0 && !tied);
    }
    Ok(())
}

/// The bin that the `rank`-th value (from 1) falls into, and how many of that bin the first `rank` values have; bin 0 and 0 for rank 0.
fn bin_of(bins: usize, rank: usize, values: impl Iterator<Item = u32>) -> (u32, usize) {
    let mut counts = vec![0_usize; bins];
    for value in values {
        counts[value as usize] += 1;
    }
    let mut left = rank;
    for (bin, &count) in counts.iter().enumerate() {
        if left <= count {
            return (bin as u32, left);
        }
        left -= count;
    }
    (0, 0)
}

/// The elements whose mask is 1, in order: as many as `kept` has room for.
///
/// # Errors
/// `Shape` where the lengths differ, or there are not that many.
pub fn compress<T: Copy>(x: &[T], mask: &[u8], kept: &mut [T]) -> Result<()> {
    check_shape(OP, What::Codes, x.len(), mask.len())?;
    check_shape(OP, What::Length, kept.len(), ones(mask))?;
    let all = x.iter().zip(mask).filter(|&(_, &mask)| mask == 1).map(|(x, _)| *x);
    for (to, from) in kept.iter_mut().zip(all) {
        *to = from;
    }
    Ok(())
}

/// The way back: `kept` where the mask is 1, `fill` elsewhere.
///
/// # Errors
/// As [`compress`].
pub fn expand<T: Copy>(kept: &[T], mask: &[u8], fill: T, x: &mut [T]) -> Result<()> {
    check_shape(OP, What::Codes, x.len(), mask.len())?;
    check_shape(OP, What::Length, kept.len(), ones(mask))?;
    let mut kept = kept.iter();
    for (x, &mask) in x.iter_mut().zip(mask) {
        *x = if mask == 1 { kept.next().copied().unwrap_or(fill) } else { fill };
    }
    Ok(())
}

fn ones(mask: &[u8]) -> usize {
    mask.iter().map(|&mask| usize::from(mask == 1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By a stable sort.
    fn naive_mask(x: &[f32], pruned: usize) -> Vec<u8> {
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|&a, &b| x[a].abs().total_cmp(&x[b].abs()));
        let mut mask = vec![1; x.len()];
        for (rank, &i) in order.iter().enumerate() {
            if rank < pruned || x[i] == 0.0 {
                mask[i] = 0;
            }
        }
        mask
    }

    #[test]
    fn magnitude_mask_is_that_of_a_stable_sort() {
        let mut state = 1_u32;
        let mut x: Vec<f32> = (0..999)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Few values with many ties, of both signs, some close to each other.
                (f32::from((state >> 24) as u8) - 128.0)
                    * (1.0 + f32::from((state >> 22) as u8 & 3) * f32::EPSILON)
            })
            .collect();
        x.extend([0.0, -0.0, f32::MIN_POSITIVE / 8.0, f32::MAX, -f32::MAX]);
        for pruned in 0..=x.len() {
            let mut mask = vec![7; x.len()];
            magnitude_mask(&x, pruned, &mut mask).unwrap();
            assert_eq!(mask, naive_mask(&x, pruned), "{pruned}");
        }
        assert!(magnitude_mask(&x, x.len() + 1, &mut vec![0; x.len()]).is_err());
        assert!(magnitude_mask(&x, 0, &mut [0]).is_err());
    }

    #[test]
    fn expand_puts_back_what_compress_took() {
        let (x, mask) = ([1.0, 2.0, 3.0, 4.0], [0, 1, 1, 0]);
        let mut kept = [0.0; 2];
        compress(&x, &mask, &mut kept).unwrap();
        assert_eq!(kept, [2.0, 3.0]);
        let mut back = [9.0; 4];
        expand(&kept, &mask, 0.0, &mut back).unwrap();
        assert_eq!(back, [0.0, 2.0, 3.0, 0.0]);
        assert!(compress(&x, &mask, &mut [0.0; 3]).is_err());
        assert!(expand(&[1.0], &mask, 0.0, &mut back).is_err());
        assert!(expand(&kept, &mask[1..], 0.0, &mut back).is_err());
    }
}
