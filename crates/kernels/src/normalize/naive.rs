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

/// Layer (`centered`) or RMS normalization of one row.
#[must_use]
pub fn row_norm(x: &[f64], scale: &[f32], bias: &[f32], epsilon: f64, centered: bool) -> Vec<f64> {
    let count = x.len() as f64;
    let mean = if centered { x.iter().sum::<f64>() / count } else { 0.0 };
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let bias = |c: usize| bias.get(c).map_or(0.0, |b| f64::from(*b));
    let one =
        |(c, x): (usize, &f64)| (x - mean) / (variance + epsilon).sqrt() * f64::from(scale[c]) + bias(c);
    x.iter().enumerate().map(one).collect()
}
