//! The steps of optimised product quantization: vectors turned, and the rotation that brings them nearest to what their codes stand for.

use super::OP;
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};

/// The longest vectors.
const MAX_ROTATED: usize = 1024;

/// Sweeps of the Jacobi iteration; it converges quadratically, in six to ten.
const SWEEPS: usize = 30;

/// Columns this orthogonal are left as they are.
const ORTHOGONAL: f64 = 1e-14;

fn check_square(d: usize, cells: usize) -> Result<()> {
    check_range(OP, What::Columns, 1, MAX_ROTATED as i64, d as i64)?;
    check_shape(OP, What::Length, d * d, cells)
}

/// `y_i = R x_i` for every vector, `transposed [d, d]` being R's columns one after another; each number a chain over ascending index in f32.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there are not 1..=1024 numbers to a vector.
pub fn rotate(x: &[f32], d: usize, transposed: &[f32], y: &mut [f32]) -> Result<()> {
    check_square(d, transposed.len())?;
    check_shape(OP, What::Length, 0, x.len() % d)?;
    check_shape(OP, What::Length, x.len(), y.len())?;
    y.fill(0.0);
    for (x, y) in x.chunks_exact(d).zip(y.chunks_exact_mut(d)) {
        for (&x, column) in x.iter().zip(transposed.chunks_exact(d)) {
            for (y, r) in y.iter_mut().zip(column) {
                *y += r * x;
            }
        }
    }
    Ok(())
}

/// What the old rotation counts beside the vectors: enough that no singular value is 0, too little to be seen.
const KEPT: f64 = 1e-9;

/// `a [d, d]`, a rotation on entry, times 1e-9 `Σ|x_i|²`, plus `Σ y_i x_iᵀ` in f64 over ascending i, y being what `codes [subspaces, vectors]` stand for in `codebooks [subspaces, entries, d / subspaces]`.
///
/// # Errors
/// As [`rotate`]; `Range` where a code names no entry.
pub fn cross(
    x: &[f32],
    d: usize,
    codes: &[u8],
    codebooks: &[f32],
    subspaces: usize,
    a: &mut [f64],
) -> Result<()> {
    check_square(d, a.len())?;
    check_range(OP, What::Subspaces, 1, d as i64, subspaces as i64)?;
    check_shape(OP, What::Length, 0, x.len() % d + d % subspaces + codebooks.len() % d)?;
    let (count, part, book) = (x.len() / d, d / subspaces, codebooks.len() / subspaces);
    check_shape(OP, What::Codes, checked_area(OP, count, subspaces)?, codes.len())?;
    let power = x.iter().fold(0.0, |sum, &x| sum + f64::from(x) * f64::from(x));
    let kept = KEPT * if power > 0.0 { power } else { 1.0 };
    for a in a.iter_mut() {
        *a *= kept;
    }
    for (i, x) in x.chunks_exact(d).enumerate() {
        for (row, a) in a.chunks_exact_mut(d).enumerate() {
            let (s, j) = (row / part, row % part);
            let code = usize::from(codes[s * count + i]);
            let entries = book / part;
            check_range(OP, What::Code, 0, entries as i64 - 1, code as i64)?;
            let y = f64::from(codebooks[s * book + code * part + j]);
            for (a, &x) in a.iter_mut().zip(x) {
                *a += y * f64::from(x);
            }
        }
    }
    Ok(())
}

/// The orthogonal matrix nearest to `a`, which maximises tr(Rᵀ a): U Vᵀ of the singular value decomposition a = U S Vᵀ (Schönemann 1966). It is written to `a`.
///
/// One-sided Jacobi: pairs of columns are turned until all are orthogonal.
///
/// # Errors
/// As [`rotate`]; `Range` where a singular value is 0 or none of the numbers is finite.
pub fn nearest_rotation(a: &mut [f64], d: usize) -> Result<()> {
    check_square(d, a.len())?;
    // Row p is column p of a, later of U S; row p of v is column p of V.
    let mut u = Buffer::<f64>::zeroed(OP, d * d)?;
    let mut v = Buffer::<f64>::zeroed(OP, d * d)?;
    for p in 0..d {
        for q in 0..d {
            u[p * d + q] = a[q * d + p];
        }
        v[p * d + p] = 1.0;
    }
    for _ in 0..SWEEPS {
        let mut turned = false;
        for p in 0..d {
            for q in p + 1..d {
                let (up, uq) = pair(&mut u, d, p, q);
                let (alpha, beta, gamma) = (dot(up, up), dot(uq, uq), dot(up, uq));
                if gamma.abs() <= ORTHOGONAL * (alpha * beta).sqrt() {
                    continue;
                }
                turned = true;
                let zeta = (beta - alpha) / (2.0 * gamma);
                let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let c = 1.0 / (1.0 + t * t).sqrt();
                turn(up, uq, c, c * t);
                let (vp, vq) = pair(&mut v, d, p, q);
                turn(vp, vq, c, c * t);
            }
        }
        if !turned {
            break;
        }
    }
    a.fill(0.0);
    for (p, (u, v)) in u.chunks_exact(d).zip(v.chunks_exact(d)).enumerate() {
        let length = dot(u, u).sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return Err(KernelError::new(ErrorCode::Range, OP, What::Scale, 1, p as i64));
        }
        for (row, u) in a.chunks_exact_mut(d).zip(u) {
            for (a, v) in row.iter_mut().zip(v) {
                *a += u / length * v;
            }
        }
    }
    Ok(())
}

/// Rows p < q.
fn pair(m: &mut [f64], d: usize, p: usize, q: usize) -> (&mut [f64], &mut [f64]) {
    let (low, high) = m.split_at_mut(q * d);
    (&mut low[p * d..][..d], &mut high[..d])
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).fold(0.0, |sum, (x, y)| sum + x * y)
}

fn turn(x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}
