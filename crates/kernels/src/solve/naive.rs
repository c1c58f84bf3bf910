//! The definitions: sums one by one, and GPTQ as its paper derives it, by the inverse of the Hessian.

use crate::quantize::{Grid, Grouping};

/// `f · XᵀX`, whole.
pub fn gram(x: &[f32], columns: usize, factor: f64) -> Vec<f64> {
    let cell = |i: usize, j: usize| {
        x.chunks_exact(columns).fold(0.0, |sum, x| sum + f64::from(x[i]) * f64::from(x[j])) * factor
    };
    (0..columns * columns).map(|at| cell(at / columns, at % columns)).collect()
}

/// R of `h = R Rᵀ`, whole: 0 below the diagonal.
pub fn factor(h: &[f64], columns: usize) -> Vec<f64> {
    let mut r = vec![0.0; h.len()];
    for j in (0..columns).rev() {
        for i in (0..=j).rev() {
            let rest = (j + 1..columns)
                .rev()
                .fold(h[i * columns + j], |rest, k| rest - r[i * columns + k] * r[j * columns + k]);
            r[i * columns + j] = if i == j { rest.sqrt() } else { rest / r[j * (columns + 1)] };
        }
    }
    r
}

/// The inverse of a symmetric positive definite matrix, by Gauss and Jordan.
pub fn inverse(h: &[f64], columns: usize) -> Vec<f64> {
    let mut rows: Vec<Vec<f64>> = (0..columns)
        .map(|i| {
            let unit = (0..columns).map(|j| f64::from(u8::from(i == j)));
            h[i * columns..][..columns].iter().copied().chain(unit).collect()
        })
        .collect();
    for pivot in 0..columns {
        let head = rows[pivot][pivot];
        rows[pivot].iter_mut().for_each(|x| *x /= head);
        let chosen = rows[pivot].clone();
        for (i, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
            let factor = row[pivot];
            debug_assert!(i != pivot);
            row.iter_mut().zip(&chosen).for_each(|(x, y)| *x -= factor * y);
        }
    }
    rows.iter().flat_map(|row| row[columns..].to_vec()).collect()
}

/// GPTQ: `w_k` -= (`w_j` - `ŵ_j`) / [H⁻¹]_jj · [H⁻¹]_jk, then column j is taken out of H⁻¹.
pub fn gptq(grouping: &Grouping, grid: &Grid<'_>, columns: usize, w: &[f32], h: &[f64]) -> Vec<u8> {
    let first = inverse(h, columns);
    let mut codes = vec![0; w.len()];
    for (row, (w, codes)) in w.chunks_exact(columns).zip(codes.chunks_exact_mut(columns)).enumerate() {
        let mut w: Vec<f64> = w.iter().copied().map(f64::from).collect();
        let mut inverse = first.clone();
        for j in 0..columns {
            let group = grouping.group_at(row * columns + j);
            codes[j] = grid.code_of(w[j] as f32, group);
            let error = (w[j] - f64::from(grid.decoded(codes[j], group))) / inverse[j * (columns + 1)];
            for k in j + 1..columns {
                w[k] -= error * inverse[j * columns + k];
            }
            let taken: Vec<f64> = (0..columns).map(|k| inverse[j * columns + k]).collect();
            for i in j + 1..columns {
                for k in j + 1..columns {
                    inverse[i * columns + k] -= taken[i] * taken[k] / taken[j];
                }
            }
        }
    }
    codes
}
