//! Local response normalization (Krizhevsky et al. 2012).

use crate::error::{Op, Result, What, check_range, check_shape, checked_area};

const OP: Op = Op::Normalize;

/// `y = x / (bias + alpha / size * sum of x^2 over the channels c - floor((size - 1) / 2) ..= c + ceil((size - 1) / 2))^beta` over `x [outer, channels, inner]`, the sum
/// one chain over ascending channels, the power by `libm`.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` where there is no channel or `size` is 0.
pub fn local_response(
    x: &[f32],
    [outer, channels, inner]: [usize; 3],
    size: usize,
    [alpha, beta, bias]: [f32; 3],
    y: &mut [f32],
) -> Result<()> {
    check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
    check_range(OP, What::Geometry, 1, 1 << 24, size as i64)?;
    let image = checked_area(OP, channels, inner)?;
    check_shape(OP, What::Length, checked_area(OP, outer, image)?, x.len())?;
    check_shape(OP, What::Length, x.len(), y.len())?;
    if image == 0 {
        return Ok(());
    }
    for (x, y) in x.chunks_exact(image).zip(y.chunks_exact_mut(image)) {
        for (c, y) in y.chunks_exact_mut(inner).enumerate() {
            let around = c.saturating_sub((size - 1) / 2)..(c + size / 2 + 1).min(channels);
            y.fill(0.0);
            for x in x[around.start * inner..around.end * inner].chunks_exact(inner) {
                y.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * x);
            }
            for (y, x) in y.iter_mut().zip(&x[c * inner..]) {
                *y = x / libm::powf(bias + alpha / size as f32 * *y, beta);
            }
        }
    }
    Ok(())
}
