//! What is written by its place alone: numbers at equal distances, and matrices of which one side of a diagonal is cleared.

use super::OP;
use crate::buffer::Element;
use crate::error::{Result, What, check_shape, checked_area};

/// `y[i] = from(start + i * delta)`, computed in f64.
pub fn range<T: Element>(start: f64, delta: f64, from: fn(f64) -> T, y: &mut [T]) {
    for (i, y) in y.iter_mut().enumerate() {
        *y = from(start + i as f64 * delta);
    }
}

/// The part of matrices that lies on one side of a diagonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triangle {
    /// Of a matrix.
    pub rows: usize,
    /// Of a matrix.
    pub columns: usize,
    /// Its column in row 0.
    pub diagonal: i64,
    /// Whether what lies above it is kept, else what lies below; the diagonal itself always is.
    pub upper: bool,
}

impl Triangle {
    /// Copies matrices that follow one another, zeros in place of the other part.
    ///
    /// # Errors
    /// `Shape` where x and y differ in length, or hold no whole matrices.
    pub fn run<T: Element>(&self, x: &[T], y: &mut [T]) -> Result<()> {
        check_shape(OP, What::Length, x.len(), y.len())?;
        let matrix = checked_area(OP, self.rows, self.columns)?;
        if matrix == 0 {
            return check_shape(OP, What::Length, 0, x.len());
        }
        check_shape(OP, What::Length, 0, x.len() % matrix)?;
        let rows = x.chunks_exact(self.columns).zip(y.chunks_exact_mut(self.columns));
        for (row, (x, y)) in rows.enumerate() {
            let diagonal = self.diagonal.saturating_add((row % self.rows) as i64);
            let (kept, cleared) = if self.upper {
                let cut = diagonal.clamp(0, self.columns as i64) as usize;
                (cut..self.columns, 0..cut)
            } else {
                let cut = diagonal.saturating_add(1).clamp(0, self.columns as i64) as usize;
                (0..cut, cut..self.columns)
            };
            y[kept.clone()].copy_from_slice(&x[kept]);
            y[cleared].fill(T::default());
        }
        Ok(())
    }
}
