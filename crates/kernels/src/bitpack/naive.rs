//! The oracle: -1, 0 or +1 per value, without packing.

/// ONNX `Sign`: 0 for ±0 and NaN.
pub fn sign(x: f32) -> i32 {
    i32::from(x > 0.0) - i32::from(x < 0.0)
}

/// As a bit has it: +1 for everything that is not below 0.
pub fn sign_bit(x: f32) -> i32 {
    if x < 0.0 { -1 } else { 1 }
}

/// As plane `bit` has it: +1 where the bit of the code is set.
pub fn plane_bit(code: u8, bit: usize) -> i32 {
    if code >> bit & 1 == 1 { 1 } else { -1 }
}

/// `y[oy, ox, c]` = the largest `x[iy, ix, c]` over the taps of a window inside the image, for one image `[h, w, c]` of ±1.
pub fn max_pool(x: &[i32], channels: usize, geometry: &crate::geometry::Geometry) -> Vec<i32> {
    let [height, width] = geometry.output;
    let mut y = Vec::new();
    for (oy, ox, c) in
        (0..height * width * channels).map(|i| (i / channels / width, i / channels % width, i % channels))
    {
        let rows = geometry.inside(0, oy).map(|ky| geometry.source(0, oy, ky));
        let pixels =
            rows.flat_map(|iy| geometry.inside(1, ox).map(move |kx| (iy, geometry.source(1, ox, kx))));
        y.extend(pixels.map(|(iy, ix)| x[(iy * geometry.input[1] + ix) * channels + c]).max());
    }
    y
}
