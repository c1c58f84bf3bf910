//! The definition with signed coordinates.

use super::Axis;

/// For every place, in order, the taps in order: the pixel, or nothing outside the image, and whether padding counts there.
#[must_use]
pub fn taps(axes: [Axis; 3]) -> Vec<Vec<(Option<usize>, bool)>> {
    let [d, h, w] = axes;
    let at = |axis: Axis, place: usize, tap: usize| {
        let at = (place * axis.stride + tap * axis.dilation) as i64 - axis.before as i64;
        ((0..axis.input as i64).contains(&at).then_some(at as usize), at < (axis.input + axis.after) as i64)
    };
    let grid = |size: fn(&Axis) -> usize| {
        let [d, h, w] = axes.map(|axis| size(&axis));
        (0..d).flat_map(move |i| (0..h).flat_map(move |j| (0..w).map(move |k| [i, j, k])))
    };
    grid(|axis| axis.output)
        .map(|place| {
            grid(|axis| axis.kernel)
                .map(|tap| {
                    let (z, z_counts) = at(d, place[0], tap[0]);
                    let (y, y_counts) = at(h, place[1], tap[1]);
                    let (x, x_counts) = at(w, place[2], tap[2]);
                    let pixel = z.zip(y).zip(x).map(|((z, y), x)| (z * h.input + y) * w.input + x);
                    (pixel, z_counts && y_counts && x_counts)
                })
                .collect()
        })
        .collect()
}
