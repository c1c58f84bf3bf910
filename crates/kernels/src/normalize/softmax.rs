//! Softmax along one axis.

use crate::error::{Op, Result, What, check_shape, checked_area};

const OP: Op = Op::Normalize;

/// `y[o, s, i] = exp(x[o, s, i] - max) / sum of those over s`, in place on `[outer, size, inner]`.
///
/// The maximum is taken and the sum is run over ascending s, the sum started at +0; exp is `libm::expf`. A NaN makes its whole row NaN.
///
/// # Errors
/// `Shape` where the length is not the product.
pub fn softmax(y: &mut [f32], outer: usize, size: usize, inner: usize) -> Result<()> {
    let block = checked_area(OP, size, inner)?;
    check_shape(OP, What::Length, checked_area(OP, outer, block)?, y.len())?;
    if block == 0 {
        return Ok(());
    }
    for y in y.chunks_exact_mut(block) {
        for i in 0..inner {
            let max = y[i..].iter().step_by(inner).fold(f32::NEG_INFINITY, |m, &v| if m < v { v } else { m });
            let mut sum = 0.0;
            for y in y[i..].iter_mut().step_by(inner) {
                *y = libm::expf(*y - max);
                sum += *y;
            }
            for y in y[i..].iter_mut().step_by(inner) {
                *y /= sum;
            }
        }
    }
    Ok(())
}
