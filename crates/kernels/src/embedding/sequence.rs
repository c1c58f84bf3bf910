//! Sequences `[batch, positions, columns]`.

use super::OP;
use crate::error::{Result, What, check_range, check_shape, checked_area};

/// `y[b, s, c] += table[s + offset, c]` of `y [batch, positions, columns]`, table `[limit, columns]`.
///
/// # Errors
/// `Range` where a position lies behind the table, `Shape` where a slice does not have its length.
pub fn add_positions(
    y: &mut [f32],
    positions: usize,
    table: &[f32],
    columns: usize,
    offset: usize,
) -> Result<()> {
    check_range(OP, What::Columns, 1, i64::from(u32::MAX), columns as i64)?;
    check_range(OP, What::Positions, 1, (table.len() / columns) as i64 - offset as i64, positions as i64)?;
    let sequence = checked_area(OP, positions, columns)?;
    check_shape(OP, What::Length, 0, y.len() % sequence)?;
    let rows = &table[offset * columns..][..sequence];
    for y in y.chunks_exact_mut(sequence) {
        for (y, row) in y.iter_mut().zip(rows) {
            *y += row;
        }
    }
    Ok(())
}

/// `y[b, c] = (Σ_s x[b, s, c]) / n` over the positions whose `keep` is not 0, n of them, each sum one chain over ascending s started at +0; zeros where n is 0.
///
/// # Errors
/// `Shape` where a slice does not have its length.
pub fn masked_mean<T: Copy + Into<i64>>(
    x: &[f32],
    keep: &[T],
    [batch, positions, columns]: [usize; 3],
    y: &mut [f32],
) -> Result<()> {
    let sequence = checked_area(OP, positions, columns)?;
    check_range(OP, What::Columns, 1, i64::from(u32::MAX), columns as i64)?;
    check_range(OP, What::Positions, 1, i64::from(u32::MAX), positions as i64)?;
    check_shape(OP, What::Length, checked_area(OP, batch, sequence)?, x.len())?;
    check_shape(OP, What::Length, checked_area(OP, batch, positions)?, keep.len())?;
    check_shape(OP, What::Length, checked_area(OP, batch, columns)?, y.len())?;
    let batches = x.chunks_exact(sequence).zip(keep.chunks_exact(positions));
    for ((x, keep), y) in batches.zip(y.chunks_exact_mut(columns)) {
        y.fill(0.0);
        let mut kept = 0_usize;
        for (x, keep) in x.chunks_exact(columns).zip(keep) {
            if (*keep).into() == 0 {
                continue;
            }
            kept += 1;
            for (y, x) in y.iter_mut().zip(x) {
                *y += x;
            }
        }
        let count = kept.max(1) as f32;
        for y in y {
            *y /= count;
        }
    }
    Ok(())
}
