//! Which weights share a scale, and statistics of each such group.

use super::OP;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// A `[rows, columns]` matrix whose rows are cut into groups of `group_size`, the last one shorter where it does not divide. Results per group are
/// `[rows, groups]`.
#[derive(Clone, Copy, Debug)]
pub struct Grouping {
    rows: usize,
    columns: usize,
    group_size: usize,
}

impl Grouping {
    /// `columns` and `group_size` at least 1.
    ///
    /// # Errors
    /// `Range` where one is 0, `Memory` where the matrix is larger than the address space.
    pub fn new(rows: usize, columns: usize, group_size: usize) -> Result<Self> {
        check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
        check_range(OP, What::GroupSize, 1, i64::MAX, group_size as i64)?;
        checked_area(OP, rows, columns)?;
        Ok(Self { rows, columns, group_size })
    }

    /// All weights.
    pub fn len(&self) -> usize {
        self.rows * self.columns
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All groups.
    pub fn groups(&self) -> usize {
        self.rows * self.columns.div_ceil(self.group_size)
    }

    /// Weights of a row.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Weights of a group.
    pub(crate) fn group_size(&self) -> usize {
        self.group_size
    }

    /// The group of the weight at a position.
    pub(crate) fn group_at(&self, position: usize) -> usize {
        position / self.columns * self.columns.div_ceil(self.group_size)
            + position % self.columns / self.group_size
    }

    /// Refuses slices that do not hold all weights and a value per group.
    pub(crate) fn check(&self, weights: usize, groups: &[usize]) -> Result<()> {
        check_shape(OP, What::Length, self.len(), weights)?;
        groups.iter().try_for_each(|&groups| check_shape(OP, What::Groups, self.groups(), groups))
    }

    /// The groups of `x`, in order.
    pub(crate) fn split<'a, T>(&self, x: &'a [T]) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
        let group_size = self.group_size;
        x.chunks_exact(self.columns).flat_map(move |row| row.chunks(group_size))
    }

    /// As [`Self::split`].
    pub(crate) fn split_mut<'a, T>(&self, x: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> + use<'a, T> {
        let group_size = self.group_size;
        x.chunks_exact_mut(self.columns).flat_map(move |row| row.chunks_mut(group_size))
    }
}

/// The largest |x| of each group.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn abs_max(grouping: &Grouping, x: &[f32], y: &mut [f32]) -> Result<()> {
    grouping.check(x.len(), &[y.len()])?;
    for (x, y) in grouping.split(x).zip(y) {
        *y = x.iter().fold(0.0, |max, x| if max < x.abs() { x.abs() } else { max });
    }
    Ok(())
}

/// The smallest and the largest x of each group, -0 being smaller than +0; x holds no NaN.
///
/// # Errors
/// As [`abs_max`].
pub fn min_max(grouping: &Grouping, x: &[f32], min: &mut [f32], max: &mut [f32]) -> Result<()> {
    grouping.check(x.len(), &[min.len(), max.len()])?;
    for (x, (low, high)) in grouping.split(x).zip(min.iter_mut().zip(max)) {
        (*low, *high) = (f32::INFINITY, f32::NEG_INFINITY);
        for x in x {
            if x.total_cmp(low).is_lt() {
                *low = *x;
            }
            if x.total_cmp(high).is_gt() {
                *high = *x;
            }
        }
    }
    Ok(())
}

/// The mean of |x| over those above the group's threshold (0 where none is), and their number.
///
/// # Errors
/// As [`abs_max`].
pub fn mean_abs_above(
    grouping: &Grouping,
    x: &[f32],
    threshold: &[f32],
    mean: &mut [f32],
    count: &mut [u32],
) -> Result<()> {
    grouping.check(x.len(), &[threshold.len(), mean.len(), count.len()])?;
    let results = mean.iter_mut().zip(count);
    for ((x, &threshold), (mean, count)) in grouping.split(x).zip(threshold).zip(results) {
        let above = x.iter().map(|x| x.abs()).filter(|&x| x > threshold);
        let (sum, n) = above.fold((0.0, 0), |(sum, n): (f64, u32), x| (sum + f64::from(x), n + 1));
        *mean = if n == 0 { 0.0 } else { (sum / f64::from(n)) as f32 };
        *count = n;
    }
    Ok(())
}
