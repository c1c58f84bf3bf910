//! Passes along axes equal one sum over all of them; nearest copies exactly; weights are a partition of 1.

use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::{ErrorCode, Op, What};
use lowbit_kernels::resize::{Axis, Coordinates, Filter, Method, Nearest, Resize, Taps, naive};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

const FILTERS: [Filter; 7] = [
    Filter::Nearest(Nearest::RoundPreferFloor),
    Filter::Nearest(Nearest::RoundPreferCeil),
    Filter::Nearest(Nearest::Floor),
    Filter::Nearest(Nearest::Ceil),
    Filter::Linear,
    Filter::Cubic(-0.75),
    Filter::Cubic(-0.5),
];

fn draw(seed: u64) -> (Random, Vec<Axis>, Method) {
    let mut random = Random::new(seed);
    let axes = (0..random.int(1, 4))
        .map(|_| {
            let (input, output) = (random.int(1, 7) as usize, random.int(1, 9) as usize);
            let output = if random.int(0, 2) == 0 { input } else { output };
            let start = random.float() * 0.3;
            Axis { input, output, scale: output as f32 / input as f32, region: [start, 1.0 + random.float() * 0.3] }
        })
        .collect();
    let method = Method {
        coordinates: Coordinates::ALL[random.int(0, 6) as usize],
        filter: FILTERS[random.int(0, 6) as usize],
        antialias: random.int(0, 1) == 1,
        exclude_outside: random.int(0, 1) == 1,
        extrapolation: 7.5,
    };
    (random, axes, method)
}

fn run(resize: &Resize, x: &[f32]) -> Vec<f32> {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::Resize, resize.scratch_lines(4)).expect("memory");
    let mut y = vec![f32::NAN; resize.lengths()[1]];
    resize.run(x, &mut y, scratch.arena()).expect("lengths");
    y
}

pub(crate) fn check(_: Tier) {
    for seed in 0..600 {
        let (mut random, axes, method) = draw(seed);
        let what = format!("seed {seed} {axes:?} {method:?}");
        let resize = Resize::new(&axes, &method).expect("valid");
        let x = random.many(resize.lengths()[0], Random::float);
        let y = run(&resize, &x);
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let exact = naive::resize(&wide, &axes, &method);
        // Sums of at most 4 axes of weights up to 2, rounded after every step.
        let close = |y: &f32, exact: &f64| (f64::from(*y) - exact).abs() <= 1e-4;
        assert!(y.iter().zip(&exact).all(|(y, exact)| close(y, exact)), "{what}: {y:?} for {exact:?}");
        if resize.is_nearest() {
            let bytes: Vec<u16> = (0..x.len() as u16).collect();
            let mut scratch = Scratch::new();
            scratch.reserve(Op::Resize, resize.scratch_lines(2)).expect("memory");
            let mut copied = vec![0; y.len()];
            resize.run_nearest(&bytes, &mut copied, u16::MAX, scratch.arena()).expect("lengths");
            for (from, y) in copied.iter().zip(&y) {
                assert_eq!(if *from == u16::MAX { 7.5 } else { x[usize::from(*from)] }, *y, "{what}");
            }
        }
        for axis in &axes {
            let taps = Taps::new(axis, &method).expect("valid");
            for (_, weights) in taps.places() {
                assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{what}: {weights:?}");
            }
        }
    }
    by_hand();
    refusals();
}

/// Two of onnx's own examples, and half-way points.
fn by_hand() {
    let method = |coordinates, filter| Method {
        coordinates,
        filter,
        antialias: false,
        exclude_outside: false,
        extrapolation: 0.0,
    };
    let axis = |input, output| Axis { input, output, scale: output as f32 / input as f32, region: [0.0, 1.0] };
    let linear = method(Coordinates::HalfPixel, Filter::Linear);
    let up = Resize::new(&[axis(2, 4), axis(2, 4)], &linear).expect("valid");
    let y = run(&up, &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(y[..8], [1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5]);
    let corners = method(Coordinates::AlignCorners, Filter::Linear);
    let y = run(&Resize::new(&[axis(2, 4)], &corners).expect("valid"), &[1.0, 2.0]);
    assert!(y.iter().zip([1.0, 4.0 / 3.0, 5.0 / 3.0, 2.0]).all(|(y, exact)| (y - exact).abs() < 1e-6), "{y:?}");
    // Place 1 of 2 from 4 by half pixels lies at 2.5.
    for (nearest, expected) in [(0, 2.0), (1, 3.0), (2, 2.0), (3, 3.0)] {
        let half = method(Coordinates::HalfPixel, FILTERS[nearest]);
        let y = run(&Resize::new(&[axis(4, 2)], &half).expect("valid"), &[0.0, 1.0, 2.0, 3.0]);
        assert_eq!(y[1], expected, "{:?}", FILTERS[nearest]);
    }
}

fn refusals() {
    let method = Method {
        coordinates: Coordinates::HalfPixel,
        filter: Filter::Linear,
        antialias: false,
        exclude_outside: false,
        extrapolation: 0.0,
    };
    let axis = Axis { input: 2, output: 3, scale: 1.5, region: [0.0, 1.0] };
    let error = |axes: &[Axis]| Resize::new(axes, &method).map(|_| ()).map_err(|e| (e.code, e.what));
    assert_eq!(error(&[axis; 9]), Err((ErrorCode::Range, What::Axis)));
    assert_eq!(error(&[Axis { output: 0, ..axis }]), Err((ErrorCode::Range, What::Length)));
    assert_eq!(error(&[Axis { scale: f32::NAN, ..axis }]), Err((ErrorCode::Range, What::Scale)));
    let resize = Resize::new(&[axis], &method).expect("valid");
    let arena = || Scratch::new();
    assert_eq!(resize.run(&[0.0], &mut [0.0; 3], arena().arena()).map_err(|e| e.what), Err(What::Length));
    let nearest = resize.run_nearest(&[0_u8; 2], &mut [0; 3], 0, arena().arena());
    assert_eq!(nearest.map_err(|e| e.what), Err(What::Kind));
}
