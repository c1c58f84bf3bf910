//! The product of two activations: the right one is cut into the same panels on the fly.

use super::blocked::{DEPTH, Panels, Part, Product, scratch_lines};
use super::panels::{WIDE, padded_columns};
use super::with_tile;
use crate::buffer::{Arena, lines_for};
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::tier::Tier;

const OP: Op = Op::MatmulF32;

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

    /// Lines of scratch that [`Self::run`] takes.
    pub fn scratch_lines(&self) -> usize {
        scratch_lines(self.m, DEPTH.min(self.k), false) + lines_for::<f32>(padded_columns(self.n))
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
        // -0 and not +0: x + -0 is x for every x, so that adding no bias changes nothing, not even the sign of a zero.
        let none = scratch.take::<f32>(padded_columns(self.n));
        none.fill(-0.0);
        let product = Product {
            n: self.n,
            k: self.k,
            depth: DEPTH.min(self.k),
            bias: none,
            clamp: (f32::NEG_INFINITY, f32::INFINITY),
            stride: self.n,
        };
        with_tile!(tier, T => product.run::<T, _>(&Right { b, n: self.n }, a, y, scratch.rest()));
        Ok(())
    }
}

/// The right factor, row-major.
struct Right<'a> {
    b: &'a [f32],
    n: usize,
}

impl Panels for Right<'_> {
    const READY: bool = false;
    const NARROW: bool = true;

    fn part<'a>(&'a self, part: Part, room: &'a mut [f32]) -> &'a [f32] {
        let Part { first, width, real, start, depth } = part;
        let room = &mut room[..depth * width];
        let rows = self.b[start * self.n..].chunks(self.n);
        for (out, row) in room.chunks_exact_mut(width).zip(rows) {
            if let (true, Some(row)) = (real == WIDE, row[first..].first_chunk::<WIDE>()) {
                out.copy_from_slice(row);
                continue;
            }
            out[..real].copy_from_slice(&row[first..][..real]);
            out[real..].fill(0.0);
        }
        room
    }
}
