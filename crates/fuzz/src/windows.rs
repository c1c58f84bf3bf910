//! Rows of taps are moved as the definition says, and adding them up puts every element back as often as it was taken.

use arbitrary::Arbitrary;
use lowbit_kernels::windows::{Axis, PoolNd, Reduction, Windows, naive};

use crate::cycle;

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    axes: [[u8; 7]; 3],
    channels: [u8; 2],
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let axes = self.axes.map(|sizes| {
            let [input, output, kernel, stride, dilation, before, after] = sizes.map(usize::from);
            Axis {
                input: input % 6 + 1,
                output: output % 5 + 1,
                kernel: kernel % 3 + 1,
                stride: stride % 3 + 1,
                dilation: dilation % 3 + 1,
                before: before % 4,
                after: after % 4,
            }
        });
        let [groups, depth] = self.channels.map(|channels| usize::from(channels % 4) + 1);
        let channels = groups * depth;
        let windows = Windows::new(axes).expect("sizes");
        let (pixels, taps) = (windows.pixels(), windows.taps());
        let exact = naive::taps(axes);
        let x: Vec<u8> = cycle(self.values, pixels * channels, 0).collect();
        let mut rows = vec![0; windows.places() * taps * channels];
        windows.unfold(&x, [1, channels, groups], 77, &mut rows).expect("lengths");
        let mut taken = vec![0; pixels];
        for (i, y) in rows.iter().enumerate() {
            let (c, rest) = (i % depth, i / depth);
            let (tap, rest) = (rest % taps, rest / taps);
            let (group, place) = (rest % groups, rest / groups);
            let pixel = exact[place][tap].0;
            assert_eq!(*y, pixel.map_or(77, |pixel| x[pixel * channels + group * depth + c]), "{self:?}");
            if let (Some(pixel), 0, 0) = (pixel, c, group) {
                taken[pixel] += 1;
            }
        }
        let ones = vec![1.0; rows.len()];
        let mut sums = vec![f32::NAN; x.len()];
        windows.fold(&ones, [1, channels, groups], None, &mut sums).expect("lengths");
        for (pixel, sums) in sums.chunks_exact(channels).enumerate() {
            assert!(sums.iter().all(|sum| *sum == taken[pixel] as f32), "{self:?}");
        }
        // A place without a tap inside is refused.
        let Ok(pool) = PoolNd::new(windows, Reduction::Max) else { return };
        let (mut y, mut indices) = (vec![0; windows.places()], vec![0; windows.places()]);
        pool.max(&x[..pixels], 1, &mut y, Some(&mut indices), false).expect("lengths");
        for ((y, at), taps) in y.iter().zip(&indices).zip(&exact) {
            let largest = taps.iter().filter_map(|(pixel, _)| pixel.map(|pixel| x[pixel])).max();
            assert_eq!((Some(*y), *y), (largest, x[*at as usize]), "{self:?}");
        }
    }
}
