//! Means of codes.

use super::{Codes, OP};
use crate::convert::Byte;
use crate::error::{KernelError, Result, What, check_range, check_shape, checked_area};
use crate::geometry::Geometry;

/// Channels that are summed at a time, without memory beyond the stack.
const BLOCK: usize = 64;

/// The mean of the codes of the taps inside the image, halves away from 0: `x [batch, h, w, channels]` to `y [batch, h', w', channels]`. Only the clamp of `codes` counts: the scale of x is
/// that of y.
///
/// # Errors
/// `Range` where channels is 0, a window lies wholly outside the image or has more than 2^16 taps, or codes are not of the type; `Shape` where a slice does not have its length.
pub fn average<T: Byte>(
    geometry: Geometry,
    channels: usize,
    x: &[T],
    batch: usize,
    codes: Codes,
    y: &mut [T],
) -> Result<()> {
    check_range(OP, What::Channels, 1, 1 << 24, channels as i64)?;
    let [taps_down, taps_across] = geometry.window.kernel;
    check_range(OP, What::Taps, 1, 1 << 16, checked_area(OP, taps_down, taps_across)? as i64)?;
    for axis in 0..2 {
        if let Some(at) = (0..geometry.output[axis]).find(|&at| geometry.inside(axis, at).is_empty()) {
            return Err(KernelError::range(OP, What::Padding, 0, at));
        }
    }
    codes.check::<T>()?;
    let image = checked_area(OP, geometry.input_pixels(), channels)?;
    let result = checked_area(OP, geometry.output_pixels(), channels)?;
    check_shape(OP, What::Length, checked_area(OP, batch, image)?, x.len())?;
    check_shape(OP, What::Length, checked_area(OP, batch, result)?, y.len())?;
    for (x, y) in x.chunks_exact(image).zip(y.chunks_exact_mut(result)) {
        for (at, y) in y.chunks_exact_mut(channels).enumerate() {
            let place = [at / geometry.output[1], at % geometry.output[1]];
            for (block, y) in y.chunks_mut(BLOCK).enumerate() {
                pixel(geometry, channels, x, place, block * BLOCK, codes, y);
            }
        }
    }
    Ok(())
}

/// The channels from `first` on of the output pixel at `place`.
fn pixel<T: Byte>(
    geometry: Geometry,
    channels: usize,
    x: &[T],
    place: [usize; 2],
    first: usize,
    codes: Codes,
    y: &mut [T],
) {
    let mut sums = [0_i32; BLOCK];
    let mut count = 0;
    for ky in geometry.inside(0, place[0]) {
        for kx in geometry.inside(1, place[1]) {
            let pixel =
                geometry.source(0, place[0], ky) * geometry.input[1] + geometry.source(1, place[1], kx);
            for (sum, x) in sums.iter_mut().zip(&x[pixel * channels + first..][..y.len()]) {
                *sum += (*x).into();
            }
            count += 1;
        }
    }
    for (y, sum) in y.iter_mut().zip(sums) {
        let half = if sum < 0 { -(count / 2) } else { count / 2 };
        *y = T::from_i32(((sum + half) / count).clamp(codes.clamp.0, codes.clamp.1));
    }
}
