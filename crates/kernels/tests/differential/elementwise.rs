//! Broadcasting against index arithmetic on every element; functions against f64.

use lowbit_kernels::elementwise::{
    Binary, BinaryOp, clip, gelu, gelu_tanh, leaky_relu, naive, sigmoid, sign, silu, tanh,
};
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

type Function = fn(f32, f32) -> f32;

/// Two shapes of one rank that broadcast: equal, or 1 on either side.
fn shapes(random: &mut Random) -> (Vec<usize>, Vec<usize>) {
    let rank = random.int(0, 5);
    let axis = |random: &mut Random| {
        let size = [1, 2, 3, 5, 17][random.int(0, 4) as usize];
        [(size, size), (size, size), (1, size), (size, 1)][random.int(0, 3) as usize]
    };
    random.many(rank as usize, axis).into_iter().unzip()
}

fn broadcasting() {
    for seed in 0..600 {
        let mut random = Random::new(seed);
        let (a_shape, b_shape) = shapes(&mut random);
        let a = random.many(a_shape.iter().product(), Random::float);
        let b = random.many(b_shape.iter().product(), Random::float);
        let ops: [(BinaryOp, Function); 4] = [
            (BinaryOp::Add, |a, b| a + b),
            (BinaryOp::Sub, |a, b| a - b),
            (BinaryOp::Mul, |a, b| a * b),
            (BinaryOp::Div, |a, b| a / b),
        ];
        for (op, function) in ops {
            let expected = naive::binary(function, (&a, &a_shape), (&b, &b_shape));
            // Leading axes of 1 may be absent.
            let short = b_shape.iter().take_while(|size| **size == 1).count();
            let binary = Binary::new(op, &a_shape, &b_shape[short..]).expect("they broadcast");
            let mut y = vec![f32::NAN; expected.len()];
            binary.run(&a, &b, &mut y).expect("valid");
            let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&y), bits(&expected), "{op:?} {a_shape:?} {b_shape:?} seed {seed}");
        }
    }
}

fn refusals() {
    let error = Binary::new(BinaryOp::Add, &[2, 3], &[2]).expect_err("3 and 2");
    assert_eq!((error.code, error.what, error.expected, error.got), (ErrorCode::Shape, What::Axis, 3, 2));
    assert_eq!(Binary::new(BinaryOp::Add, &[1; 9], &[]).map_err(|e| e.code).err(), Some(ErrorCode::Range));
    assert_eq!(
        Binary::new(BinaryOp::Add, &[usize::MAX, 2], &[]).map_err(|e| e.code).err(),
        Some(ErrorCode::Memory)
    );
    let binary = Binary::new(BinaryOp::Add, &[2], &[2]).expect("valid");
    assert_eq!(binary.run(&[0.0; 2], &[0.0], &mut [0.0; 2]).map_err(|e| e.code), Err(ErrorCode::Shape));
    let empty = Binary::new(BinaryOp::Add, &[0, 3], &[3]).expect("valid");
    assert_eq!((empty.lengths(), empty.run(&[], &[0.0; 3], &mut [])), ([0, 3, 0], Ok(())));
}

fn functions() {
    let mut random = Random::new(1);
    let mut x: Vec<f32> = random.many(5000, |r| r.float() * 20.0);
    x.extend([0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-30, -200.0, 200.0, f32::MIN_POSITIVE]);
    let close = |function: fn(&mut [f32]), exact: fn(f64) -> f64, what: &str| {
        let mut y = x.clone();
        function(&mut y);
        for (x, y) in x.iter().zip(&y) {
            let exact = exact(f64::from(*x));
            // Two units in the last place of the result, and underflow.
            let bound = exact.abs() * f64::from(f32::EPSILON) * 2.0 + 1e-44;
            let y = f64::from(*y);
            assert!(y == exact || (y - exact).abs() <= bound, "{what}({x}) = {y}, exactly {exact}");
        }
        let mut nan = [f32::NAN];
        function(&mut nan);
        assert!(nan[0].is_nan(), "{what}(NaN)");
    };
    close(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), "sigmoid");
    close(tanh, f64::tanh, "tanh");
    close(|y| leaky_relu(y, 0.125), |x| if x < 0.0 { x * 0.125 } else { x }, "leaky_relu");
    close(|y| clip(y, -1.5, 6.0), |x| x.clamp(-1.5, 6.0), "clip");
    let mut signs = [3.0, -0.5, 0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    sign(&mut signs);
    assert_eq!(signs.map(f32::to_bits), [1.0, -1.0, 0.0, 0.0, 0.0, 1.0, -1.0].map(f32::to_bits));
    let mut zero = [-0.0, 0.0];
    clip(&mut zero, 0.0, f32::INFINITY);
    assert_eq!(zero.map(f32::to_bits), [-0.0_f32, 0.0].map(f32::to_bits), "-0 is not below 0");
}

/// A kernel, its gate, its name.
type Gate<'a> = (fn(&mut [f32]), &'a dyn Fn(f64) -> f64, &'a str);

/// x times a gate: within 1e-6 of |x|, and x or a zero at the ends.
fn gates() {
    let erf = |x: f64| libm::erf(x);
    let gates: [Gate<'_>; 3] = [
        (gelu, &|x| 0.5 * (1.0 + erf(x * core::f64::consts::FRAC_1_SQRT_2)), "gelu"),
        (gelu_tanh, &|x| 0.5 * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x * x * x)).tanh()), "gelu_tanh"),
        (silu, &|x| 1.0 / (1.0 + (-x).exp()), "silu"),
    ];
    for (function, gate, what) in gates {
        let x = Random::new(4).many(20_000, |r| r.float() * 12.0);
        let mut y = x.clone();
        function(&mut y);
        for (x, y) in x.iter().zip(&y) {
            let exact = f64::from(*x) * gate(f64::from(*x));
            let bound = 1e-6 * f64::from(x.abs());
            assert!((f64::from(*y) - exact).abs() <= bound, "{what}({x}) = {y}, exactly {exact}");
        }
        let mut ends = [0.0, 1e4, -1e4, f32::INFINITY, f32::NAN];
        function(&mut ends);
        assert_eq!(ends[..4], [0.0, 1e4, 0.0, f32::INFINITY], "{what}");
        assert!(ends[4].is_nan(), "{what}(NaN)");
    }
}

pub(crate) fn check(_: Tier) {
    gates();
    broadcasting();
    refusals();
    functions();
}
