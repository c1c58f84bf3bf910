//! The Gram matrix of a layer's inputs, H = f · `XᵀX`, and quadratic forms by it.

use super::OP;
use super::tile::{Panels, SIDE, continue_tile};
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::quantize::{Grid, Grouping};
use crate::tier::Tier;

/// Samples that are packed at a time.
const BLOCK: usize = 64;

/// Adds `x [samples, columns]` to the upper half of `h [columns, columns]`: `h[i][j] += Σ_s x[s][order[i]] * x[s][order[j]]` for i <= j (cells of tiles that cross the diagonal
/// too). An empty `order` is that of the columns.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where `order` names a column that is not there, `Memory`.
pub fn gram(tier: Tier, x: &[f32], columns: usize, order: &[u32], h: &mut [f64]) -> Result<()> {
    check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
    check_shape(OP, What::Length, 0, x.len() % columns)?;
    check_shape(OP, What::Length, checked_area(OP, columns, columns)?, h.len())?;
    check_order(columns, order)?;
    let mut panels = Panels::new(columns, BLOCK)?;
    for x in x.chunks(BLOCK * columns) {
        let at = |j: usize| order.get(j).map_or(j, |&column| column as usize);
        panels.fill(columns, x.len() / columns, |s, j| f64::from(x[s * columns + at(j)]));
        for i in (0..columns).step_by(SIDE) {
            for j in (i..columns).step_by(SIDE) {
                let (a, b) = (panels.panel(i / SIDE), panels.panel(j / SIDE));
                continue_tile(tier, h, columns, [i, j], [columns, columns], a, b);
            }
        }
    }
    Ok(())
}

/// Refuses an order that is neither empty nor as long as the columns, or names one beyond them.
pub(super) fn check_order(columns: usize, order: &[u32]) -> Result<()> {
    if order.is_empty() {
        return Ok(());
    }
    check_shape(OP, What::Columns, columns, order.len())?;
    order.iter().try_for_each(|&at| check_range(OP, What::Columns, 0, columns as i64 - 1, i64::from(at)))
}

/// Multiplies by `factor` and mirrors the upper half into the lower one.
///
/// # Errors
/// `Shape` where `h` is not square.
pub fn finish_gram(h: &mut [f64], columns: usize, factor: f64) -> Result<()> {
    check_shape(OP, What::Length, checked_area(OP, columns, columns)?, h.len())?;
    for i in 0..columns {
        for j in i..columns {
            let value = h[i * columns + j] * factor;
            h[i * columns + j] = value;
            h[j * columns + i] = value;
        }
    }
    Ok(())
}

/// The diagonal of `h [columns, columns]`.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn diagonal(h: &[f64], values: &mut [f64]) -> Result<()> {
    let columns = values.len();
    check_shape(OP, What::Length, checked_area(OP, columns, columns)?, h.len())?;
    for (value, h) in values.iter_mut().zip(h.iter().step_by(columns + 1)) {
        *value = *h;
    }
    Ok(())
}

/// `d H_gg dᵀ` for every group of every row of d = x - y, with the symmetric `H_gg` of the group's columns: the squared error of what the group adds to the output.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn quadratic(grouping: &Grouping, x: &[f32], y: &[f32], h: &[f64], forms: &mut [f64]) -> Result<()> {
    check_shape(OP, What::Length, x.len(), y.len())?;
    grouping.check(x.len(), &[])?;
    forms_of(grouping, h, forms, |position, d| {
        for (i, d) in d.iter_mut().enumerate() {
            *d = f64::from(x[position + i]) - f64::from(y[position + i]);
        }
    })
}

/// The same for d = x - what the grid makes of it.
///
/// # Errors
/// As [`quadratic`], and of [`Grid::codes`].
pub fn grid_quadratic(
    grouping: &Grouping,
    grid: &Grid<'_>,
    x: &[f32],
    h: &[f64],
    forms: &mut [f64],
) -> Result<()> {
    grid.check(grouping, x)?;
    forms_of(grouping, h, forms, |position, d| {
        for (i, d) in d.iter_mut().enumerate() {
            let x = x[position + i];
            *d = f64::from(x) - f64::from(grid.value(x, grouping.group_at(position + i)));
        }
    })
}

/// `fill(position, d)` writes the differences of the group whose first weight is at `position`.
fn forms_of(
    grouping: &Grouping,
    h: &[f64],
    forms: &mut [f64],
    fill: impl Fn(usize, &mut [f64]),
) -> Result<()> {
    let columns = grouping.columns();
    check_shape(OP, What::Length, checked_area(OP, columns, columns)?, h.len())?;
    check_shape(OP, What::Groups, grouping.groups(), forms.len())?;
    let mut d = vec![0.0; grouping.group_size().min(columns)];
    let mut position = 0;
    for form in forms {
        let start = position % columns;
        let size = grouping.group_size().min(columns - start);
        let d = &mut d[..size];
        fill(position, d);
        *form = 0.0;
        for (i, &di) in d.iter().enumerate() {
            // Most weights of a fine grid are somewhere else than their level; those that are not add nothing.
            if di == 0.0 {
                continue;
            }
            let row = &h[(start + i) * columns + start..][..size];
            *form += di * row.iter().zip(&*d).fold(0.0, |sum, (h, d)| sum + h * d);
        }
        position += size;
    }
    Ok(())
}
