//! The formulas in f64.

/// Softmax of one row.
#[must_use]
pub fn softmax(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = x.iter().map(|v| (v - max).exp()).sum();
    x.iter().map(|v| (v - max).exp() / sum).collect()
}

/// Batch normalization of one value.
#[must_use]
pub fn batch_norm(x: f64, scale: f64, bias: f64, mean: f64, variance: f64, epsilon: f64) -> f64 {
    (x - mean) / (variance + epsilon).sqrt() * scale + bias
}
