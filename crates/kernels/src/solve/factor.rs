//! H + λI = R Rᵀ with an upper triangular R.

use super::OP;
use super::tile::{Panels, SIDE, continue_tile};
use crate::buffer::Buffer;
use crate::error::{KernelError, Result, What, check_shape, checked_area};
use crate::tier::Tier;

/// Columns that are factored before the rest is brought up to date.
const BLOCK: usize = 32;

/// Puts R of `h + damping I = R Rᵀ` in the place of the upper half of `h [columns, columns]`, of which it reads only that; what lies below the diagonal is no part of the result. This is Cholesky's
/// algorithm from the last column to the first, so that R⁻¹ is the upper factor U of H⁻¹ = Uᵀ U with which GPTQ is written (`gptq.rs` says why nothing is inverted).
///
/// # Errors
/// `Shape` where `h` is not square, `Range` (`Pivot`, got: its column) where the matrix is not positive definite, `Memory`.
pub fn factor(tier: Tier, h: &mut [f64], columns: usize, damping: f64) -> Result<()> {
    check_shape(OP, What::Length, checked_area(OP, columns, columns)?, h.len())?;
    for j in 0..columns {
        h[j * (columns + 1)] += damping;
    }
    let mut block = Buffer::<f64>::zeroed(OP, checked_area(OP, BLOCK, columns)?)?;
    let (mut negative, mut panels) = (Panels::new(columns, BLOCK)?, Panels::new(columns, BLOCK)?);
    let mut end = columns;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        // Column j of the block, its rows 0..=j, at [j - start][row].
        for i in 0..end {
            for j in start.max(i)..end {
                block[(j - start) * columns + i] = h[i * columns + j];
            }
        }
        factor_block(&mut block, columns, start, end)?;
        for i in 0..end {
            for j in start.max(i)..end {
                h[i * columns + j] = block[(j - start) * columns + i];
            }
        }
        // What is left of it: h[i][j] -= Σ R[i][c] * R[j][c], c from the last column of the block to its first.
        let at = |k: usize, i: usize| block[(end - 1 - k - start) * columns + i];
        negative.fill(start, end - start, |k, i| -at(k, i));
        panels.fill(start, end - start, at);
        for i in (0..start).step_by(SIDE) {
            for j in (i..start).step_by(SIDE) {
                let (a, b) = (negative.panel(i / SIDE), panels.panel(j / SIDE));
                continue_tile(tier, h, columns, [i, j], [start, start], a, b);
            }
        }
        end = start;
    }
    Ok(())
}

/// The last columns first: each divided by the root of its diagonal, and taken out of those before it.
fn factor_block(block: &mut [f64], stride: usize, start: usize, end: usize) -> Result<()> {
    for j in (start..end).rev() {
        let (before, column) = block.split_at_mut((j - start) * stride);
        let column = &mut column[..=j];
        let pivot = column[j];
        // A NaN is not positive either.
        if !(pivot > 0.0 && pivot < f64::INFINITY) {
            return Err(KernelError::range(OP, What::Pivot, 0, j));
        }
        let root = pivot.sqrt();
        for value in &mut column[..j] {
            *value /= root;
        }
        column[j] = root;
        for (other, values) in (start..j).zip(before.chunks_exact_mut(stride)) {
            let factor = column[other];
            for (value, &r) in values[..=other].iter_mut().zip(&*column) {
                *value -= r * factor;
            }
        }
    }
    Ok(())
}
