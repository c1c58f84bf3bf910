//! Products equal `scalar` bit for bit in every tier, and the oracle within the bound of f32 summation.

use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::{ErrorCode, Op};
use lowbit_kernels::gemm_f32::{GemmF32, MatmulF32, naive};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::testing::{ROWS, Random, SIZES};
use lowbit_kernels::tier::Tier;
use proptest::prelude::*;

const FREE: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn gemm(tier: Tier, x: &[f32], w: &[f32], bias: &[f32], k: usize, clamp: (f32, f32)) -> Vec<f32> {
    let (rows, n) = (x.len() / k, w.len() / k);
    let mut y = vec![f32::NAN; rows * n];
    let gemm = GemmF32::new(tier, n, k, w, bias, clamp).expect("a valid shape");
    let mut scratch = Scratch::new();
    scratch.reserve(Op::GemmF32, gemm.scratch_lines(rows)).expect("memory");
    gemm.run(x, rows, &mut y, scratch.arena()).expect("valid lengths");
    y
}

/// Every float sum of k terms and a bias, each step rounded once, is within (k + 2) * 2^-24 of the magnitude, to first order.
fn assert_close(y: &[f32], exact: &[(f64, f64)], k: usize, what: &str) {
    for (i, (&y, &(exact, magnitude))) in y.iter().zip(exact).enumerate() {
        let bound = (k + 2) as f64 * f64::from(f32::EPSILON) / 2.0 * 1.01 * magnitude;
        assert!(
            (f64::from(y) - exact).abs() <= bound,
            "{what}: element {i} is {y}, exactly {exact} ± {bound:e}"
        );
    }
}

fn case(tier: Tier, rows: usize, n: usize, k: usize, seed: u64) {
    let what = format!("{tier} {rows}x{n}x{k} seed {seed}");
    let mut random = Random::new(seed);
    let x = random.many(rows * k, Random::float);
    let w = random.many(n * k, Random::float);
    let bias = if seed.is_multiple_of(2) { Vec::new() } else { random.many(n, Random::float) };
    let clamp = if seed.is_multiple_of(3) { (0.0, 0.5) } else { FREE };
    let y = gemm(tier, &x, &w, &bias, k, clamp);
    assert_eq!(bits(&y), bits(&gemm(Tier::Scalar, &x, &w, &bias, k, clamp)), "{what}: equals scalar");
    assert_close(&y, &naive::gemm_f32(&x, &w, &bias, k, clamp), k, &what);

    let mut transposed = vec![0.0; n * k];
    for (i, value) in w.iter().enumerate() {
        transposed[i % k * n + i / k] = *value;
    }
    let matmul = MatmulF32::new(rows, n, k).expect("a valid shape");
    let mut scratch = Scratch::new();
    scratch.reserve(Op::MatmulF32, matmul.scratch_lines()).expect("memory");
    let mut product = vec![f32::NAN; rows * n];
    matmul.run(tier, &x, &transposed, &mut product, &mut scratch.arena()).expect("valid lengths");
    assert_eq!(
        bits(&product),
        bits(&gemm(Tier::Scalar, &x, &w, &[], k, FREE)),
        "{what}: matmul is the same chain"
    );
}

pub(crate) fn check(tier: Tier) {
    let mut seed = 1;
    for &n in SIZES {
        for &k in SIZES {
            seed += 1;
            case(tier, ROWS[seed as usize % ROWS.len()], n, k, seed);
        }
    }
    for &rows in &[1, 2, 3, 4, 5, 63, 64, 65, 130] {
        case(tier, rows, 24, 33, rows as u64);
    }
    // Chains that wait in y between blocks of 256 positions.
    for (rows, n, k) in [(1, 20, 257), (3, 9, 512), (4, 16, 513), (70, 40, 700), (9, 33, 256)] {
        case(tier, rows, n, k, k as u64);
    }
    special_values(tier);
    order(tier);
    refusals(tier);
    properties(tier);
}

/// NaN passes the clamp, infinities do not, and zero keeps the sign that IEEE addition gives it.
fn special_values(tier: Tier) {
    let w = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e30];
    let y = gemm(tier, &[1.0], &w, &[], 1, (-5.0, 5.0));
    assert!(y[0].is_nan(), "{tier}: {y:?}");
    assert_eq!(bits(&y[1..]), bits(&[5.0, -5.0, 0.0, 5.0]), "{tier}");
}

/// Big, small, minus big: any other order, a split chain or a fused step gives another result.
fn order(tier: Tier) {
    let mut w = vec![0.0; 20];
    let x = [1e8, 3.0, -1e8, 1.0];
    w.copy_from_slice(&[1.0; 20]);
    assert_eq!(
        gemm(tier, &x, &w, &[0.5; 5], 4, FREE),
        [1.5; 5],
        "{tier}: (((1e8 + 3) - 1e8) + 1) + 0.5, 1e8 + 3 being 1e8"
    );
    // (1 + e) * (1 + e) rounds to 1 + 2e; minus 1 leaves 2e, where a fused step would leave 2e + e^2.
    let e = f32::EPSILON;
    let y = gemm(tier, &[-1.0, 1.0 + e], &[1.0, 1.0 + e], &[], 2, FREE);
    assert_eq!(bits(&y), bits(&[2.0 * e]), "{tier}: not fused");
}

fn refusals(tier: Tier) {
    let refused =
        |n, k, w: &[f32], bias: &[f32], clamp| GemmF32::new(tier, n, k, w, bias, clamp).err().map(|e| e.code);
    assert_eq!(refused(0, 1, &[], &[], FREE), Some(ErrorCode::Range));
    assert_eq!(refused(1, 0, &[], &[], FREE), Some(ErrorCode::Range));
    assert_eq!(refused(2, 2, &[0.0; 3], &[], FREE), Some(ErrorCode::Shape));
    assert_eq!(refused(2, 2, &[0.0; 4], &[0.0], FREE), Some(ErrorCode::Shape));
    assert_eq!(refused(1, 1, &[0.0], &[], (1.0, 0.0)), Some(ErrorCode::Range));
    assert_eq!(refused(1, 1, &[0.0], &[], (f32::NAN, 0.0)), Some(ErrorCode::Range));
    let gemm = GemmF32::new(tier, 1, 2, &[0.0; 2], &[], FREE).expect("a valid shape");
    let mut scratch = Scratch::new();
    let mut run = |x: &[f32], rows, y: &mut [f32]| gemm.run(x, rows, y, scratch.arena()).map_err(|e| e.code);
    assert_eq!(run(&[0.0; 3], 2, &mut [0.0; 2]), Err(ErrorCode::Shape));
    assert_eq!(run(&[0.0; 4], 2, &mut [0.0; 3]), Err(ErrorCode::Shape));
    assert_eq!(run(&[], 0, &mut []), Ok(()));
}

fn properties(tier: Tier) {
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(rows in 1_usize..12, n in 1_usize..40, k in 1_usize..80, seed: u64)| {
        case(tier, rows, n, k, seed);
    });
}
