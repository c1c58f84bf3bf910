//! What sorting would tell, by selection: the r-th smallest in linear time.

use super::OP;
use super::grouping::Grouping;
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// Per group, the elements of x (of |x| with `magnitudes`) that would stand at the given positions if the group were sorted ascending, -0 before +0: `ranks` and
/// `y [groups, R]`, the ranks of a group ascending from 0. x holds no NaN.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where a rank is beyond its group or below the one before it, `Memory`.
pub fn order_statistics(
    grouping: &Grouping,
    x: &[f32],
    magnitudes: bool,
    ranks: &[u32],
    y: &mut [f32],
) -> Result<()> {
    grouping.check(x.len(), &[])?;
    check_shape(OP, What::Length, ranks.len(), y.len())?;
    if grouping.is_empty() {
        return Ok(());
    }
    let each = ranks.len() / grouping.groups();
    check_shape(OP, What::Groups, checked_area(OP, grouping.groups(), each)?, ranks.len())?;
    let longest = grouping.split(x).map(<[f32]>::len).max().unwrap_or(0);
    let mut copy = Buffer::zeroed(OP, longest)?;
    if each == 0 {
        return Ok(());
    }
    for ((x, ranks), y) in grouping.split(x).zip(ranks.chunks_exact(each)).zip(y.chunks_exact_mut(each)) {
        let mut lowest = 0;
        for &rank in ranks {
            check_range(OP, What::Length, lowest, x.len() as i64 - 1, i64::from(rank))?;
            lowest = i64::from(rank);
        }
        let copy = &mut copy[..x.len()];
        copy.copy_from_slice(x);
        if magnitudes {
            for x in copy.iter_mut() {
                *x = x.abs();
            }
        }
        select(copy, 0, ranks, y);
    }
    Ok(())
}

/// The middle rank first, then those below it among what is not greater, those above among what is not less. `first` is the rank of x[0].
fn select(x: &mut [f32], first: usize, ranks: &[u32], y: &mut [f32]) {
    let middle = ranks.len() / 2;
    let Some(&rank) = ranks.get(middle) else { return };
    let at = rank as usize - first;
    y[middle] = *x.select_nth_unstable_by(at, f32::total_cmp).1;
    select(&mut x[..=at], first, &ranks[..middle], &mut y[..middle]);
    select(&mut x[at..], first + at, &ranks[middle + 1..], &mut y[middle + 1..]);
}

/// Sets `mask` to 1 at the largest |x| where it is 0 until `count` elements are set, the lowest position first among equal ones; all others stay.
///
/// # Errors
/// `Shape` where the lengths differ, `Range` where count is below the number of those set or above that of all, `Memory`.
pub fn largest(x: &[f32], count: usize, mask: &mut [u8]) -> Result<()> {
    check_shape(OP, What::Length, x.len(), mask.len())?;
    let set = mask.iter().filter(|&&m| m != 0).count();
    check_range(OP, What::Length, set as i64, x.len() as i64, count as i64)?;
    let wanted = count - set;
    if wanted == 0 {
        return Ok(());
    }
    let mut free = Buffer::zeroed(OP, x.len() - set)?;
    for (free, (x, _)) in free.iter_mut().zip(x.iter().zip(mask.iter()).filter(|(_, mask)| **mask == 0)) {
        *free = x.abs();
    }
    let at = free.len() - wanted;
    let (_, &mut least, above) = free.select_nth_unstable_by(at, f32::total_cmp);
    // Of those that equal the least chosen one, as many as the greater ones leave.
    let mut equal = wanted - above.iter().filter(|&&x| x > least).count();
    for (x, mask) in x.iter().zip(mask).filter(|(_, mask)| **mask == 0) {
        let chosen = x.abs() > least || (x.abs() == least && equal > 0);
        if chosen && x.abs() == least {
            equal -= 1;
        }
        *mask = u8::from(chosen);
    }
    Ok(())
}
