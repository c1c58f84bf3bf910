//! The oracle: unpacked values, one multiplication at a time.

/// `sum_k x[k] * w[n][k]` for every column; `x` holds -1, 0 and +1, `w` holds ±1, `[columns, K]`.
pub fn sums(x: &[i32], w: &[i32]) -> Vec<i32> {
    w.chunks_exact(x.len()).map(|w| x.iter().zip(w).map(|(x, w)| x * w).sum()).collect()
}
