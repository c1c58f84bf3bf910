//! The product of two activations: the right one is cut into the same panels on the fly.

use super::panels::{WIDE, panels};
use super::{Tile, finish, with_tile};
use crate::buffer::{Arena, lines_for};
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::tier::Tier;

const OP: Op = Op::MatmulF32;

/// Rows whose sums are held at once.
const ROWS: usize = 64;

/// `y[M, N] = a[M, K] · b[K, N]`, both row-major f32, in the order of [`super::GemmF32`] without bias or clamp.
#[derive(Clone, Copy, Debug)]
pub struct MatmulF32 {
    m: usize,
    n: usize,
    k: usize,
}

impl MatmulF32 {
    /// Fixes the sizes, each at least 1.
    ///
    /// # Errors
    /// `Range` where a size is 0, `Memory` where a product of two leaves the address space.
    pub fn new(m: usize, n: usize, k: usize) -> Result<Self> {
        for (what, size) in [(What::Rows, m), (What::Columns, n), (What::Depth, k)] {
            check_range(OP, what, 1, i64::from(u32::MAX), size as i64)?;
        }
        checked_area(OP, m, k)?;
        checked_area(OP, n, k)?;
        checked_area(OP, m, n)?;
        checked_area(OP, k, WIDE * size_of::<f32>())?;
        Ok(Self { m, n, k })
    }

    /// Lines of scratch that [`Self::run`] takes: one panel of b.
    pub fn scratch_lines(&self) -> usize {
        lines_for::<f32>(self.k * WIDE)
    }

    /// Computes one product: `a [m, k]`, `b [k, n]`, `y [m, n]`.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(
        &self,
        tier: Tier,
        a: &[f32],
        b: &[f32],
        y: &mut [f32],
        scratch: &mut Arena<'_>,
    ) -> Result<()> {
        check_shape(OP, What::Length, self.m * self.k, a.len())?;
        check_shape(OP, What::Length, self.k * self.n, b.len())?;
        check_shape(OP, What::Length, self.m * self.n, y.len())?;
        let panel = scratch.take::<f32>(self.k * WIDE);
        with_tile!(tier, T => self.compute::<T>(a, b, y, panel));
        Ok(())
    }

    fn compute<T: Tile>(&self, a: &[f32], b: &[f32], y: &mut [f32], panel: &mut [f32]) {
        let mut acc = [0.0; ROWS * WIDE];
        // -0 and not +0: x + -0 is x for every x, so that adding no bias changes nothing, not even the sign of a zero.
        let none = [-0.0; WIDE];
        for (first, width, real) in panels(self.n) {
            let panel = &mut panel[..self.k * width];
            for (out, row) in panel.chunks_exact_mut(width).zip(b.chunks_exact(self.n)) {
                out[..real].copy_from_slice(&row[first..][..real]);
                out[real..].fill(0.0);
            }
            for (a, y) in a.chunks(ROWS * self.k).zip(y.chunks_mut(ROWS * self.n)) {
                let acc = &mut acc[..a.len() / self.k * width];
                acc.fill(0.0);
                T::accumulate(a, self.k, panel, width, acc);
                let clamp = (f32::NEG_INFINITY, f32::INFINITY);
                finish::<T>(acc, width, &none[..real], clamp, &mut y[first..], self.n);
            }
        }
    }
}
