//! Histograms of magnitudes.

use super::OP;
use super::grouping::Grouping;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// Whose magnitudes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Of every x.
    Both,
    /// Of x >= 0.
    Positive,
    /// Of x < 0.
    Negative,
}

/// Per group, how many |x| of a side lie in each of `bins` equal parts of 0..=top (`counts [groups, bins]`), and the sum of their squares in f64 over ascending
/// position (`squares`, like counts, or none). The bin is `floor(|x| * bins / top)` in f64; what lies beyond is in the last one, all of it in the first where top is 0.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there is no bin.
pub fn histogram(
    grouping: &Grouping,
    x: &[f32],
    side: Side,
    top: &[f32],
    bins: usize,
    counts: &mut [u32],
    squares: &mut [f64],
) -> Result<()> {
    grouping.check(x.len(), &[top.len()])?;
    check_range(OP, What::Codebook, 1, i64::MAX, bins as i64)?;
    let cells = checked_area(OP, grouping.groups(), bins)?;
    check_shape(OP, What::Length, cells, counts.len())?;
    if !squares.is_empty() {
        check_shape(OP, What::Length, cells, squares.len())?;
    }
    counts.fill(0);
    squares.fill(0.0);
    for (group, (x, &top)) in grouping.split(x).zip(top).enumerate() {
        let of_side = x.iter().filter(|&&x| match side {
            Side::Both => true,
            Side::Positive => x >= 0.0,
            Side::Negative => x < 0.0,
        });
        for &x in of_side {
            let magnitude = f64::from(x.abs());
            // 0 / 0 is NaN, which casts to 0.
            let bin = (magnitude * bins as f64 / f64::from(top)) as usize;
            let cell = group * bins + bin.min(bins - 1);
            counts[cell] += 1;
            if let Some(sum) = squares.get_mut(cell) {
                *sum += magnitude * magnitude;
            }
        }
    }
    Ok(())
}
