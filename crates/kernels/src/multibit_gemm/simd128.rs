//! The end in vectors of four columns; what is left of a row goes through the scalar form, which rounds alike.

use super::{Output, scalar};
use crate::v128::{
    f32x4_add, f32x4_convert_i32x4, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_store,
    i32x4_load,
};

/// As [`scalar::combine`], all columns.
pub(super) fn combine(output: &Output, sums: &[i32], pitch: usize, beta: &[f32], y: &mut [f32]) {
    let n = y.len();
    let (low, high) = (f32x4_splat(output.clamp[0]), f32x4_splat(output.clamp[1]));
    let gamma = f32x4_splat(beta[beta.len() - 1]);
    let whole = n / 4 * 4;
    for c in (0..whole).step_by(4) {
        let mut total = f32x4_splat(0.0);
        for at in (c..output.alpha.len()).step_by(n) {
            let mut s = f32x4_splat(0.0);
            for (sums, beta) in sums.chunks_exact(pitch).zip(beta) {
                let dots = f32x4_convert_i32x4(i32x4_load(&sums[at..]));
                s = f32x4_add(s, f32x4_mul(dots, f32x4_splat(*beta)));
            }
            s = f32x4_add(s, f32x4_mul(f32x4_load(&output.weight_sums[at..]), gamma));
            total = f32x4_add(total, f32x4_mul(s, f32x4_load(&output.alpha[at..])));
        }
        let v = f32x4_add(total, f32x4_load(&output.bias[c..]));
        f32x4_store(&mut y[c..], f32x4_pmin(f32x4_pmax(v, low), high));
    }
    scalar::combine(output, sums, pitch, beta, whole, &mut y[whole..]);
}
