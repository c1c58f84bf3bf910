//! The oracle: unpacked values, in the documented order.

use super::MultibitOutput;

/// A row of y: `x` `[P, K]` and `w` `[M, N, K]` hold ±1, `beta` `[P + 1]`, `output.alpha` `[M, N]`, `output.bias` `[N]`.
pub fn row(x: &[i32], w: &[i32], k: usize, beta: &[f32], output: MultibitOutput<'_>) -> Vec<f32> {
    let MultibitOutput { alpha, bias, clamp: [low, high] } = output;
    let n = bias.len();
    let dot = |x: &[i32], w: &[i32]| x.iter().zip(w).map(|(x, w)| x * w).sum::<i32>() as f32;
    let column = |c: usize| {
        let mut total = 0.0;
        for (i, plane) in w.chunks_exact(n * k).enumerate() {
            let b = &plane[c * k..][..k];
            let dots = x.chunks_exact(k).map(|a| dot(a, b)).chain([b.iter().sum::<i32>() as f32]);
            total += alpha[i * n + c] * beta.iter().zip(dots).fold(0.0, |s, (beta, dot)| s + beta * dot);
        }
        let y = total + bias[c];
        if y < low {
            low
        } else if high < y {
            high
        } else {
            y
        }
    };
    (0..n).map(column).collect()
}
