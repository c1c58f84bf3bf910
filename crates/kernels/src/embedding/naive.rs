//! By one element at a time, in f64.

/// The mean of the rows of `x [rows][columns]` whose `keep` is not 0; zeros where there is none.
#[must_use]
pub fn masked_mean(x: &[f32], columns: usize, keep: &[i32]) -> Vec<f64> {
    let kept: Vec<&[f32]> =
        x.chunks_exact(columns).zip(keep).filter(|(_, keep)| **keep != 0).map(|(row, _)| row).collect();
    (0..columns)
        .map(|c| kept.iter().map(|row| f64::from(row[c])).sum::<f64>() / kept.len().max(1) as f64)
        .collect()
}
