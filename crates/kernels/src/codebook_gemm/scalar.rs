//! The specification on packed data.

use super::Decode;
use super::pack::{COLUMNS, Levels, Run};
use crate::gemm_f32::scalar::Scalar;

impl Decode for Scalar {
    fn weights(codes: &Run<'_>, levels: &Levels, zeros: &[f32], scales: &[f32], out: &mut [f32]) {
        for (codes, out) in codes.positions().zip(out.chunks_exact_mut(COLUMNS)) {
            for (column, (out, scale)) in out.iter_mut().zip(scales).enumerate() {
                let level = levels.values[codes.code(column)];
                // x - 0 is x, so that taking nothing out needs no second form.
                *out = (level - zeros.get(column).unwrap_or(&0.0)) * scale;
            }
        }
    }

    fn partial_dots(x: &[f32], codebook: &[f32], lut: &mut [f32]) {
        lut.fill(0.0);
        for (&x, centroids) in x.iter().zip(codebook.chunks_exact(lut.len())) {
            for (sum, &c) in lut.iter_mut().zip(centroids) {
                *sum += x * c;
            }
        }
    }
}
