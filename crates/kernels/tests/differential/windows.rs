//! Windows equal the definition with signed coordinates: moves and maxima exactly, sums in the same order.

use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::windows::{Axis, PoolNd, Reduction, Windows, naive};

fn axis(random: &mut Random) -> Axis {
    let mut size = |low, high| random.int(low, high) as usize;
    let (input, kernel, stride) = (size(1, 6), size(1, 3), size(1, 3));
    let (dilation, before, after) = (size(1, 2), size(0, 2), size(0, 2));
    Axis { input, output: size(1, 4), kernel, stride, dilation, before, after }
}

fn cases() -> impl Iterator<Item = (Random, [Axis; 3])> {
    (0..600).map(|seed| {
        let mut random = Random::new(seed);
        let (height, width) = (axis(&mut random), axis(&mut random));
        let depth = if seed % 2 == 0 { Axis::POINT } else { axis(&mut random) };
        (random, [depth, height, width])
    })
}

fn moves(random: &mut Random, axes: [Axis; 3]) {
    let (batch, groups) = (2, random.int(1, 3) as usize);
    let channels = groups * random.int(1, 3) as usize;
    let windows = Windows::new(axes).expect("sizes");
    let (pixels, taps) = (windows.pixels(), windows.taps());
    let exact = naive::taps(axes);
    // Where element (b, place, tap, c) of the rows stands, and the pixel's element.
    let depth = channels / groups;
    let mut pairs = Vec::new();
    for b in 0..batch {
        for (place, list) in exact.iter().enumerate() {
            for (tap, (pixel, _)) in list.iter().enumerate() {
                for c in 0..channels {
                    let row = ((b * exact.len() + place) * groups + c / depth) * taps + tap;
                    let image = pixel.map(|pixel| (b * pixels + pixel) * channels + c);
                    pairs.push((row * depth + c % depth, image));
                }
            }
        }
    }
    let x = random.many(batch * pixels * channels, Random::float);
    let mut rows = vec![0.0; pairs.len()];
    windows.unfold(&x, [batch, channels, groups], 9.0, &mut rows).expect("lengths");
    for (row, image) in &pairs {
        assert_eq!(rows[*row], image.map_or(9.0, |image| x[image]), "{axes:?}");
    }
    let bias = random.many(channels, Random::float);
    for bias in [None, Some(bias.as_slice())] {
        let mut expected: Vec<f32> =
            (0..x.len()).map(|i| bias.map_or(0.0, |bias| bias[i % channels])).collect();
        for (row, image) in &pairs {
            if let Some(image) = image {
                expected[*image] += rows[*row];
            }
        }
        let mut y = vec![f32::NAN; x.len()];
        windows.fold(&rows, [batch, channels, groups], bias, &mut y).expect("lengths");
        assert_eq!(y, expected, "{axes:?}");
    }
}

fn pools(random: &mut Random, axes: [Axis; 3]) -> bool {
    let windows = Windows::new(axes).expect("sizes");
    let exact = naive::taps(axes);
    let Ok(pool) = PoolNd::new(windows, Reduction::Max) else {
        assert!(exact.iter().any(|taps| taps.iter().all(|(pixel, _)| pixel.is_none())), "{axes:?}");
        return false;
    };
    let [pixels, places] = pool.lengths();
    let planes = 3;
    // Few different values, so that some are equal.
    let bytes = random.many(planes * pixels, |random| random.int(0, 9) as u8);
    let x: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte) - 4.0).collect();
    let (mut y, mut y_bytes) = (vec![0.0; planes * places], vec![0; planes * places]);
    let (mut rows, mut columns) = (vec![0; y.len()], vec![0; y.len()]);
    pool.max(&x, planes, &mut y, Some(&mut rows), false).expect("lengths");
    pool.max(&bytes, planes, &mut y_bytes, Some(&mut columns), true).expect("lengths");
    let run = |reduction| {
        let mut y = vec![f32::NAN; planes * places];
        PoolNd::new(windows, reduction).expect("valid").run(&x, planes, &mut y).expect("lengths");
        y
    };
    let (mean, padded) = (run(Reduction::Average), run(Reduction::AverageWithPadding));
    let norms = [run(Reduction::Norm(1)), run(Reduction::Norm(2)), run(Reduction::Norm(3))];
    let [depth, height, width] = axes.map(|axis| axis.input);
    for i in 0..planes * places {
        let (plane, taps) = (i / places * pixels, &exact[i % places]);
        let inside: Vec<usize> = taps.iter().filter_map(|(pixel, _)| *pixel).collect();
        // The first of the largest.
        let largest = inside.iter().map(|pixel| bytes[plane + pixel]).max().expect("a tap");
        let at = *inside.iter().find(|pixel| bytes[plane + **pixel] == largest).expect("it");
        assert_eq!((y[i], y_bytes[i]), (f32::from(largest) - 4.0, largest), "{axes:?}");
        assert_eq!(rows[i], (plane + at) as i64, "{axes:?}");
        let (d, h, w) = (at / height / width, at / width % height, at % width);
        assert_eq!(columns[i], (plane + d + depth * (h + height * w)) as i64, "{axes:?}");
        let sum: f32 = inside.iter().map(|pixel| x[plane + pixel]).sum();
        assert_eq!(mean[i], sum / inside.len() as f32, "{axes:?}");
        assert_eq!(padded[i], sum / taps.iter().filter(|(_, counts)| *counts).count() as f32, "{axes:?}");
        for (p, norm) in norms.iter().enumerate() {
            let powers = inside.iter().map(|pixel| f64::from(x[plane + pixel].abs()).powi(p as i32 + 1));
            let exact = powers.sum::<f64>().powf(1.0 / (p as f64 + 1.0));
            assert!((f64::from(norm[i]) - exact).abs() <= 1e-5 * exact, "{axes:?}: {} for {exact}", norm[i]);
        }
    }
    true
}

pub(crate) fn check(_: Tier) {
    let mut pooled = 0;
    for (mut random, axes) in cases() {
        moves(&mut random, axes);
        pooled += u32::from(pools(&mut random, axes));
    }
    assert!(pooled > 50, "{pooled} cases pool");
    not_numbers();
    refusals();
}

/// The first NaN is the maximum, written as the canonical one.
fn not_numbers() {
    let line = Axis { input: 4, kernel: 4, ..Axis::POINT };
    let windows = Windows::new([Axis::POINT, Axis::POINT, line]).expect("sizes");
    let (mut y, mut at) = ([0.0], [0]);
    let odd = f32::from_bits(0xffc0_1234);
    let pool = PoolNd::new(windows, Reduction::Max).expect("valid");
    pool.max(&[1.0, odd, 2.0, odd], 1, &mut y, Some(&mut at), false).expect("lengths");
    assert_eq!((y[0].to_bits(), at[0]), (0x7fc0_0000, 1));
}

fn refusals() {
    let zero = Axis { stride: 0, ..Axis::POINT };
    let error = Windows::new([Axis::POINT, zero, Axis::POINT]).expect_err("no stride");
    assert_eq!((error.code, error.what), (ErrorCode::Range, What::Geometry));
    let windows = Windows::new([Axis::POINT; 3]).expect("sizes");
    let what = |result: Result<(), lowbit_kernels::error::KernelError>| result.map_err(|e| e.what);
    assert_eq!(what(windows.unfold(&[0_u8; 3], [1, 3, 2], 0, &mut [0; 3])), Err(What::Groups));
    assert_eq!(what(windows.unfold(&[0_u8; 2], [1, 3, 1], 0, &mut [0; 3])), Err(What::Length));
    assert_eq!(what(windows.fold(&[0.0; 3], [1, 3, 1], Some(&[0.0]), &mut [0.0; 3])), Err(What::Bias));
    let max = PoolNd::new(windows, Reduction::Max).expect("valid");
    assert_eq!(what(max.run(&[0.0], 1, &mut [0.0])), Err(What::Kind));
    assert_eq!(PoolNd::new(windows, Reduction::Norm(0)).map(|_| ()).map_err(|e| e.what), Err(What::Kind));
    let far = Axis { before: 5, ..Axis::POINT };
    let padding = PoolNd::new(Windows::new([Axis::POINT, Axis::POINT, far]).expect("sizes"), Reduction::Max);
    assert_eq!(padding.map(|_| ()).map_err(|e| e.what), Err(What::Padding));
}
