//! The specification of the end: one column at a time, in the order that the docs of the family give.

use super::Output;

/// `y` = the columns from `first` on of a row whose sums are `[P, pitch]`; `beta` is `[P + 1]`.
pub(super) fn combine(
    output: &Output,
    sums: &[i32],
    pitch: usize,
    beta: &[f32],
    first: usize,
    y: &mut [f32],
) {
    let (n, [low, high]) = (output.bias.len(), output.clamp);
    let gamma = beta[beta.len() - 1];
    for (c, y) in (first..n).zip(y) {
        let mut total = 0.0;
        for at in (c..output.alpha.len()).step_by(n) {
            let mut s = 0.0;
            for (sums, beta) in sums.chunks_exact(pitch).zip(beta) {
                s += sums[at] as f32 * beta;
            }
            s += output.weight_sums[at] * gamma;
            total += s * output.alpha[at];
        }
        let mut v = total + output.bias[c];
        if v < low {
            v = low;
        }
        if high < v {
            v = high;
        }
        *y = v;
    }
}
