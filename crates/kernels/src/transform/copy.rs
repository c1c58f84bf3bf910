//! Rows into wider rows: concatenation and padding.

use super::{MAX_AXES, OP, elements};
use crate::buffer::Element;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// Copies `rows` rows of `row` elements; in y they start `stride` elements apart. One input of a concatenation.
///
/// # Errors
/// `Range` where the stride is shorter than a row, `Shape` where x is not `rows * row` long or y ends before the last row.
pub fn copy_rows<T: Element>(x: &[T], rows: usize, row: usize, y: &mut [T], stride: usize) -> Result<()> {
    check_shape(OP, What::Length, checked_area(OP, rows, row)?, x.len())?;
    check_range(OP, What::Stride, row as i64, i64::MAX, stride as i64)?;
    if x.is_empty() {
        return Ok(());
    }
    let needed = checked_area(OP, rows - 1, stride)?.saturating_add(row);
    check_range(OP, What::Length, needed as i64, i64::MAX, y.len() as i64)?;
    for (x, y) in x.chunks_exact(row).zip(y.chunks_mut(stride)) {
        y[..row].copy_from_slice(x);
    }
    Ok(())
}

/// Constant padding of any axes of one shape.
#[derive(Clone, Debug)]
pub struct Pad {
    /// Size in x, elements before, size in y; outermost first.
    axes: Vec<(usize, usize, usize)>,
    lengths: [usize; 2],
}

impl Pad {
    /// `before` and `after` have one count per axis.
    ///
    /// # Errors
    /// `Range` where there are more than 8 axes, `Shape` where the counts do not fit the shape, `Memory`.
    pub fn new(shape: &[usize], before: &[usize], after: &[usize]) -> Result<Self> {
        let input = elements(shape)?;
        check_shape(OP, What::Axis, shape.len(), before.len())?;
        check_shape(OP, What::Axis, shape.len(), after.len())?;
        let mut padded = [0; MAX_AXES];
        let mut axes = Vec::new();
        for (i, &size) in shape.iter().enumerate() {
            check_range(OP, What::Padding, 0, 1 << 30, before[i] as i64)?;
            check_range(OP, What::Padding, 0, 1 << 30, after[i] as i64)?;
            padded[i] = size.saturating_add(before[i]).saturating_add(after[i]);
            axes.push((size, before[i], padded[i]));
        }
        let output = elements(&padded[..shape.len()])?;
        Ok(Self { axes, lengths: [input, output] })
    }

    /// Elements of x and y.
    pub fn lengths(&self) -> [usize; 2] {
        self.lengths
    }

    /// Fills y with `value` and copies x into its place.
    ///
    /// # Errors
    /// `Shape` where x or y does not have its length.
    pub fn run<T: Element>(&self, x: &[T], value: T, y: &mut [T]) -> Result<()> {
        check_shape(OP, What::Length, self.lengths[0], x.len())?;
        check_shape(OP, What::Length, self.lengths[1], y.len())?;
        y.fill(value);
        if !x.is_empty() {
            place(&self.axes, x, y);
        }
        Ok(())
    }
}

fn place<T: Element>(axes: &[(usize, usize, usize)], x: &[T], y: &mut [T]) {
    match *axes {
        [] => y.copy_from_slice(x),
        [(size, before, _)] => y[before..][..size].copy_from_slice(x),
        [(size, before, padded), ref inner @ ..] => {
            let (x_len, y_len) = (x.len() / size, y.len() / padded);
            let targets = y.chunks_exact_mut(y_len).skip(before);
            for (x, y) in x.chunks_exact(x_len).zip(targets) {
                place(inner, x, y);
            }
        }
    }
}
