//! Pooling equals the oracle: exactly for integers and maxima, within float summation for means.

use lowbit_kernels::error::{ErrorCode, Op, What};
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::pool::{Pool, PoolElement, Reduction, naive};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

fn cases() -> impl Iterator<Item = (u64, Geometry, usize)> {
    (0..400_u64).filter_map(|seed| {
        let mut random = Random::new(seed);
        let mut size = |low, high| random.int(low, high) as usize;
        let window = Window {
            kernel: [size(1, 4), size(1, 4)],
            strides: [size(1, 3), size(1, 3)],
            dilations: [size(1, 2), size(1, 2)],
            pads: [size(0, 1), size(0, 1), size(0, 1), size(0, 1)],
        };
        let geometry = Geometry::new(Op::Pool, [size(1, 9), size(1, 9)], window).ok()?;
        let channels = [1, 3, 8, 17, 64, 65, 130][size(0, 6)];
        Pool::new(geometry, channels, Reduction::Max).ok()?;
        Some((seed, geometry, channels))
    })
}

/// The oracle's results of both images of a batch.
fn oracle(x: &[f64], g: &Geometry, channels: usize) -> Vec<(f64, f64, usize)> {
    let images = x.chunks_exact(g.input_pixels() * channels);
    images.flat_map(|x| naive::pool(x, g.input, g.output, channels, g.window)).collect()
}

fn pooled<T: PoolElement>(g: Geometry, channels: usize, reduction: Reduction, x: &[T]) -> Vec<T> {
    let pool = Pool::new(g, channels, reduction).expect("valid");
    let mut y = vec![T::default(); 2 * pool.output_len()];
    pool.run(x, 2, &mut y).expect("valid");
    y
}

/// All three reductions of an integer type whose values are `low..=high`.
fn integers<T: PoolElement + Into<f64>>(seed: u64, g: Geometry, channels: usize, one: fn(&mut Random) -> T) {
    let what = format!("{} seed {seed} {g:?} channels {channels}", core::any::type_name::<T>());
    let x = Random::new(seed).many(2 * g.input_pixels() * channels, one);
    let exact = oracle(&x.iter().map(|x| (*x).into()).collect::<Vec<f64>>(), &g, channels);
    let wide = |y: Vec<T>| y.into_iter().map(Into::into).collect::<Vec<f64>>();
    let max: Vec<f64> = exact.iter().map(|e| e.0).collect();
    assert_eq!(wide(pooled(g, channels, Reduction::Max, &x)), max, "{what}");
    if T::AVERAGES {
        let mean = |outside: f64| {
            let taps = g.window.taps();
            move |e: &(f64, f64, usize)| {
                ((e.1 + outside * (taps - e.2) as f64) / taps as f64).round_ties_even()
            }
        };
        let inside: Vec<f64> = exact.iter().map(|e| (e.1 / e.2 as f64).round_ties_even()).collect();
        assert_eq!(wide(pooled(g, channels, Reduction::Average, &x)), inside, "{what}");
        let padded: Vec<f64> = exact.iter().map(mean(7.0)).collect();
        assert_eq!(
            wide(pooled(g, channels, Reduction::AverageWithPadding { padding: 7 }, &x)),
            padded,
            "{what}"
        );
    }
}

fn floats(seed: u64, g: Geometry, channels: usize) {
    let x = Random::new(seed).many(2 * g.input_pixels() * channels, Random::float);
    let exact = oracle(&x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>(), &g, channels);
    for (y, e) in pooled(g, channels, Reduction::Max, &x).iter().zip(&exact) {
        assert_eq!(f64::from(*y), e.0, "seed {seed} {g:?}");
    }
    for (reduction, count) in
        [(Reduction::Average, None), (Reduction::AverageWithPadding { padding: 0 }, Some(g.window.taps()))]
    {
        for (y, e) in pooled(g, channels, reduction, &x).iter().zip(&exact) {
            let mean = e.1 / count.unwrap_or(e.2) as f64;
            // At most 16 terms below 1: the error stays far below 16 roundings of the sum.
            assert!((f64::from(*y) - mean).abs() < 1e-6, "seed {seed} {g:?}: {y} for {mean}");
        }
    }
}

pub(crate) fn check(_: Tier) {
    let mut checked = 0;
    for (seed, geometry, channels) in cases() {
        integers(seed, geometry, channels, |r| r.int(-128, 127) as i8);
        integers(seed, geometry, channels, |r| r.int(0, 255) as u8);
        integers(seed, geometry, channels, |r| r.int(-(1 << 30), 1 << 29));
        floats(seed, geometry, channels);
        checked += 1;
    }
    assert!(checked > 150, "{checked} cases fit");
    special_values();
    refusals();
}

/// A NaN anywhere makes the maximum the canonical NaN; infinities and the first of two zeros stay.
fn special_values() {
    let window = Window { kernel: [1, 2], strides: [1, 2], ..Window::POINT };
    let geometry = Geometry::new(Op::Pool, [1, 10], window).expect("fits");
    let odd_nan = f32::from_bits(0xffc0_1234);
    let x = [odd_nan, 1.0, 1.0, odd_nan, -0.0, 0.0, 0.0, -0.0, f32::NEG_INFINITY, f32::NEG_INFINITY];
    let mut y = [0.0; 5];
    Pool::new(geometry, 1, Reduction::Max).expect("valid").run(&x, 1, &mut y).expect("valid");
    let nan = 0x7fc0_0000;
    assert_eq!(y.map(f32::to_bits), [nan, nan, (-0.0_f32).to_bits(), 0, f32::NEG_INFINITY.to_bits()]);
}

fn refusals() {
    let padded = Window { kernel: [2, 2], pads: [2, 0, 0, 0], ..Window::POINT };
    let geometry = Geometry::new(Op::Pool, [3, 3], padded).expect("fits");
    let error = Pool::new(geometry, 1, Reduction::Max).expect_err("a window of padding only");
    assert_eq!((error.code, error.what), (ErrorCode::Range, What::Padding));
    let geometry = Geometry::new(Op::Pool, [3, 3], Window::POINT).expect("fits");
    assert_eq!(Pool::new(geometry, 0, Reduction::Max).map_err(|e| e.what).err(), Some(What::Channels));
    let average = Pool::new(geometry, 1, Reduction::Average).expect("valid");
    assert_eq!(average.run(&[0_i32; 9], 1, &mut [0; 9]).map_err(|e| e.code), Err(ErrorCode::Range));
    assert_eq!(average.run(&[0_i8; 8], 1, &mut [0; 9]).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(average.run(&[0_i8; 9], 1, &mut [0; 8]).map_err(|e| e.code), Err(ErrorCode::Shape));
}
