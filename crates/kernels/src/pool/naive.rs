//! The definition with signed coordinates, in f64.

use crate::geometry::Window;

/// `[h, w]`, `[h', w']`, channels of one image; returns for every output `(max, sum of inside taps, inside taps)`.
#[must_use]
pub fn pool(
    x: &[f64],
    input: [usize; 2],
    output: [usize; 2],
    channels: usize,
    window: Window,
) -> Vec<(f64, f64, usize)> {
    let mut y = Vec::new();
    for oy in 0..output[0] {
        for ox in 0..output[1] {
            for c in 0..channels {
                let mut result = (f64::NEG_INFINITY, 0.0, 0);
                for ky in 0..window.kernel[0] {
                    for kx in 0..window.kernel[1] {
                        let iy = (oy * window.strides[0] + ky * window.dilations[0]) as i64
                            - window.pads[0] as i64;
                        let ix = (ox * window.strides[1] + kx * window.dilations[1]) as i64
                            - window.pads[1] as i64;
                        if (0..input[0] as i64).contains(&iy) && (0..input[1] as i64).contains(&ix) {
                            let value = x[(iy as usize * input[1] + ix as usize) * channels + c];
                            result = (result.0.max(value), result.1 + value, result.2 + 1);
                        }
                    }
                }
                y.push(result);
            }
        }
    }
    y
}
