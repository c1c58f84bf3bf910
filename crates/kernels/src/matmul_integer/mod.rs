//! Products of two activations of 8 bits, and the step from their sums to 8 bits, with zero points and scales that are values of the network
//! (ONNX `MatMulInteger`, `QLinearMatMul`). Weights that are constants go to `affine_gemm`, which packs them.
//!
//! `y[m, n] = sum over k of (a[m, k] - za[m]) * (b[k, n] - zb[n])`, exact in int32. As zb does not depend on k, it is
//! `sum (a - za) * b - zb[n] * sum (a - za)`: one multiply-add of int32 lanes per product, columns side by side in plain loops that the compiler turns into
//! vectors, 4 lanes a time. An operand of int16 pairs (`affine_gemm`) would do twice as much, but b comes by rows, and packing it costs as much as a few rows of a.

mod requantize;

pub(crate) use requantize::check_lengths;
pub use requantize::requantize;

use crate::convert::Byte;
use crate::error::{Op, Result, What, check_range, check_shape, checked_area};

const OP: Op = Op::MatmulInteger;

/// A product `[m, k]` by `[k, n]` of bytes.
#[derive(Clone, Copy, Debug)]
pub struct MatmulInteger {
    m: usize,
    n: usize,
    k: usize,
}

impl MatmulInteger {
    /// # Errors
    /// `Range` where a size is 0 or k above 2^14: 2^14 products of two differences of 8-bit numbers fit int32; `Memory` where an operand does not fit memory.
    pub fn new(m: usize, n: usize, k: usize) -> Result<Self> {
        check_range(OP, What::Rows, 1, 1 << 24, m as i64)?;
        check_range(OP, What::Columns, 1, 1 << 24, n as i64)?;
        check_range(OP, What::Depth, 1, 1 << 14, k as i64)?;
        for (rows, columns) in [(m, k), (k, n), (m, n)] {
            checked_area(OP, checked_area(OP, rows, columns)?, 4)?;
        }
        Ok(Self { m, n, k })
    }

    /// Elements of a, b and y.
    pub fn lengths(&self) -> [usize; 3] {
        [self.m * self.k, self.k * self.n, self.m * self.n]
    }

    /// `za` has one element or m, `zb` one or n.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run<A: Byte, B: Byte>(&self, a: &[A], za: &[A], b: &[B], zb: &[B], y: &mut [i32]) -> Result<()> {
        for (expected, got) in self.lengths().into_iter().zip([a.len(), b.len(), y.len()]) {
            check_shape(OP, What::Length, expected, got)?;
        }
        for (all, got) in [(self.m, za.len()), (self.n, zb.len())] {
            if got != 1 {
                check_shape(OP, What::ZeroPoint, all, got)?;
            }
        }
        let of = |zero_points: &[B], at: usize| -> i32 { zero_points[at % zero_points.len()].into() };
        for (row, (a, y)) in a.chunks_exact(self.k).zip(y.chunks_exact_mut(self.n)).enumerate() {
            let za: i32 = za[row % za.len()].into();
            y.fill(0);
            let mut sum = 0;
            for (a, b) in a.iter().zip(b.chunks_exact(self.n)) {
                let a = (*a).into() - za;
                sum += a;
                for (y, b) in y.iter_mut().zip(b) {
                    *y += a * (*b).into();
                }
            }
            for (n, y) in y.iter_mut().enumerate() {
                *y -= of(zb, n) * sum;
            }
        }
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
pub mod naive {
    //! The definition in i64.

    /// `a [m, k]`, `za` one or m, `b [k, n]`, `zb` one or n.
    #[must_use]
    pub fn matmul(a: &[i64], za: &[i64], b: &[i64], zb: &[i64], [m, n, k]: [usize; 3]) -> Vec<i64> {
        let term = |row: usize, column: usize, at: usize| {
            (a[row * k + at] - za[row % za.len()]) * (b[at * n + column] - zb[column % zb.len()])
        };
        (0..m * n).map(|i| (0..k).map(|at| term(i / n, i % n, at)).sum()).collect()
    }
}
