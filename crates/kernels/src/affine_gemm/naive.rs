//! The definition on unpacked values, in i64.

/// `sum[i][j] = Σ_k in ks (x[i][k] - zx) * w[j][k]`; `x [rows, k]` as stored, `w [n, k]` with zero points already subtracted.
#[must_use]
pub fn sums(x: &[i32], zx: i32, w: &[i32], k: usize, ks: core::ops::Range<usize>) -> Vec<i64> {
    let dot = |x: &[i32], w: &[i32]| ks.clone().map(|k| i64::from(x[k] - zx) * i64::from(w[k])).sum();
    x.chunks_exact(k).flat_map(|x| w.chunks_exact(k).map(move |w| (x, w))).map(|(x, w)| dot(x, w)).collect()
}
