//! The definition, in f64, on unpacked values: the oracle of the tests.

/// `y[i][j] = clamp(sum over k of x[i][k] * w[j][k] + bias[j])`, and beside it the sum of the absolute terms, which bounds the error of
/// any f32 summation: `|f32 - exact| <= (k + 2) * 2^-24 * magnitude` to first order.
#[must_use]
pub fn gemm_f32(x: &[f32], w: &[f32], bias: &[f32], k: usize, clamp: (f32, f32)) -> Vec<(f64, f64)> {
    let rows = x.chunks_exact(k);
    rows.flat_map(|row| {
        w.chunks_exact(k).enumerate().map(move |(j, column)| {
            let terms = row.iter().zip(column).map(|(&a, &b)| f64::from(a) * f64::from(b));
            let bias = f64::from(bias.get(j).copied().unwrap_or(0.0));
            let sum = terms.clone().sum::<f64>() + bias;
            let magnitude = terms.map(f64::abs).sum::<f64>() + bias.abs();
            (sum.max(f64::from(clamp.0)).min(f64::from(clamp.1)), magnitude)
        })
    })
    .collect()
}
