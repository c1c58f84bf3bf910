//! The oracle: unpacked integers, one multiplication at a time.

/// `Σ_k (x[k] - zero_point) * w[n][k]` for every column; `w` is `[columns, K]`.
pub fn sums(x: &[i32], zero_point: i32, w: &[i32]) -> Vec<i32> {
    w.chunks_exact(x.len()).map(|w| x.iter().zip(w).map(|(x, w)| (x - zero_point) * w).sum()).collect()
}
