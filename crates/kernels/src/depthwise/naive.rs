//! The definition with signed coordinates, in i64: exact for integers of any type.

use crate::geometry::Geometry;

/// One image: `x [h, w, channels]` with zero points taken out, `w [outputs, taps]`; `[h', w', outputs]`.
#[must_use]
pub fn depthwise(x: &[i64], g: &Geometry, channels: usize, w: &[i64]) -> Vec<i64> {
    let (taps, window) = (g.window.taps(), g.window);
    let outputs = w.len() / taps;
    let mut y = Vec::new();
    for at in 0..g.output_pixels() * outputs {
        let (pixel, o) = (at / outputs, at % outputs);
        let (oy, ox) = (pixel / g.output[1], pixel % g.output[1]);
        let mut sum = 0;
        for tap in 0..taps {
            let (ky, kx) = (tap / window.kernel[1], tap % window.kernel[1]);
            let iy = (oy * window.strides[0] + ky * window.dilations[0]) as i64 - window.pads[0] as i64;
            let ix = (ox * window.strides[1] + kx * window.dilations[1]) as i64 - window.pads[1] as i64;
            if (0..g.input[0] as i64).contains(&iy) && (0..g.input[1] as i64).contains(&ix) {
                let pixel = iy as usize * g.input[1] + ix as usize;
                sum += x[pixel * channels + o / (outputs / channels)] * w[o * taps + tap];
            }
        }
        y.push(sum);
    }
    y
}
