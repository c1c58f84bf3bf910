//! Rotation by a Hadamard matrix with random signs.

use super::OP;
use crate::error::{ErrorCode, KernelError, Result, What, check_shape};

/// Rotates every row of `x [rows, columns]`, in blocks of `size` (a power of two that divides the columns): `y = H D x / sqrt(size)` with Sylvester's H (its entry at row i, column j is -1 to the number of
/// ones in i & j) and D the diagonal of `signs [columns]` (1: negative). `inverse` gives `x = D H y / sqrt(size)`. Sums and differences of f32, log₂(size) deep, and one product.
///
/// # Errors
/// `Range` where the size is no power of two, `Shape` where it does not divide or a slice does not have its length.
pub fn hadamard(x: &mut [f32], columns: usize, size: usize, signs: &[u8], inverse: bool) -> Result<()> {
    if !size.is_power_of_two() {
        return Err(KernelError::new(ErrorCode::Range, OP, What::GroupSize, 1, size as i64));
    }
    check_shape(OP, What::GroupSize, 0, columns % size)?;
    check_shape(OP, What::Columns, columns, signs.len())?;
    check_shape(OP, What::Length, 0, x.len() % columns.max(1))?;
    let factor = (1.0 / (size as f64).sqrt()) as f32;
    for row in x.chunks_exact_mut(columns.max(1)) {
        if !inverse {
            flip(row, signs);
        }
        for block in row.chunks_exact_mut(size) {
            butterflies(block);
            for x in block {
                *x *= factor;
            }
        }
        if inverse {
            flip(row, signs);
        }
    }
    Ok(())
}

fn flip(row: &mut [f32], signs: &[u8]) {
    for (x, &sign) in row.iter_mut().zip(signs) {
        *x = if sign == 0 { *x } else { -*x };
    }
}

/// The fast Walsh-Hadamard transform, unscaled.
fn butterflies(x: &mut [f32]) {
    let mut half = 1;
    while half < x.len() {
        for pair in x.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}
