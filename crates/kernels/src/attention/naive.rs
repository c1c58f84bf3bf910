//! The formula in f64, one query at a time.

use super::Attention;

/// `mask(b, h, s, t)` is added to the scaled dots.
#[must_use]
pub fn attention(
    sizes: &Attention,
    [q, k, v]: [&[f32]; 3],
    mask: impl Fn(usize, usize, usize, usize) -> f64,
) -> Vec<f64> {
    let Attention { batch, queries, keys, heads, kv_heads, depth, scale, causal } = *sizes;
    let mut y = vec![0.0; batch * queries * heads * depth];
    for b in 0..batch {
        for h in 0..heads {
            let kv = h / (heads / kv_heads);
            for s in 0..queries {
                let q = &q[((b * queries + s) * heads + h) * depth..][..depth];
                let row = |x: &'_ [f32], t: usize, i: usize| {
                    f64::from(x[((b * keys + t) * kv_heads + kv) * depth + i])
                };
                let score = |t: usize| {
                    if causal && t + queries > s + keys {
                        return f64::NEG_INFINITY;
                    }
                    (0..depth).map(|i| f64::from(q[i]) * row(k, t, i)).sum::<f64>() * f64::from(scale)
                        + mask(b, h, s, t)
                };
                let scores: Vec<f64> = (0..keys).map(score).collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if largest == f64::NEG_INFINITY {
                    continue;
                }
                let weights: Vec<f64> = scores.iter().map(|x| (x - largest).exp()).collect();
                let total: f64 = weights.iter().sum();
                for i in 0..depth {
                    let sum: f64 = weights.iter().enumerate().map(|(t, w)| w * row(v, t, i)).sum();
                    y[((b * queries + s) * heads + h) * depth + i] = sum / total;
                }
            }
        }
    }
    y
}
