//! Every tier gives the bits of the oracle; the oracle gives the product of what the planes stand for.

use lowbit_kernels::bitpack::pack_planes;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::layout::words_per_row;
use lowbit_kernels::multibit_gemm::{MAX_PLANES, MultibitGemm, MultibitOutput, MultibitShape, naive};
use lowbit_kernels::testing::{ROWS, Random, SIZES, pack_codes, pack_signs};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::xnor_gemm::Counting;

const UNCLAMPED: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];

/// Values of a product, unpacked.
struct Case {
    shape: MultibitShape,
    rows: usize,
    /// `[rows, P, K]`, ±1
    x: Vec<i32>,
    /// `[M, N, K]`, ±1
    w: Vec<i32>,
    /// `[rows, P + 1]`
    beta: Vec<f32>,
    /// `[M, N]`
    alpha: Vec<f32>,
    bias: Vec<f32>,
    clamp: [f32; 2],
}

impl Case {
    fn random(shape: MultibitShape, rows: usize, seed: u64) -> Self {
        let MultibitShape { columns, depth, weight_planes, planes } = shape;
        let mut random = Random::new(seed);
        let sign = |random: &mut Random| 1 - 2 * random.int(0, 1);
        Self {
            x: random.many(rows * planes * depth, sign),
            w: random.many(weight_planes * columns * depth, sign),
            beta: random.many(rows * (planes + 1), Random::float),
            alpha: random.many(weight_planes * columns, Random::float),
            bias: random.many(columns, Random::float),
            clamp: if random.int(0, 1) == 0 { UNCLAMPED } else { [-0.5, 2.0] },
            shape,
            rows,
        }
    }

    fn output(&self) -> MultibitOutput<'_> {
        MultibitOutput { alpha: &self.alpha, bias: &self.bias, clamp: self.clamp }
    }

    /// The kernel's answer; `beta` `[P + 1]` or `[rows, P + 1]`.
    fn run(&self, tier: Tier, counting: Counting, output: MultibitOutput<'_>, beta: &[f32]) -> Vec<f32> {
        let codes: Vec<u8> = self.w.iter().map(|w| u8::from(*w < 0)).collect();
        let codes = pack_codes(&codes, self.shape.depth, 1);
        let gemm = MultibitGemm::new(tier, counting, self.shape, &codes, output).expect("a valid shape");
        let mut y = vec![f32::NAN; self.rows * self.shape.columns];
        let x = pack_signs(&self.x, self.shape.depth, false);
        gemm.run(&x, beta, self.rows, &mut y, scratch(&gemm).arena()).expect("valid lengths");
        y
    }

    fn expected(&self) -> Vec<f32> {
        let MultibitShape { depth, planes, .. } = self.shape;
        let rows = self.x.chunks_exact(planes * depth).zip(self.beta.chunks_exact(planes + 1));
        rows.flat_map(|(x, beta)| naive::row(x, &self.w, depth, beta, self.output())).collect()
    }

    fn assert_exact(&self, tier: Tier) {
        let expected = bits(&self.expected());
        for counting in [Counting::Lookup, Counting::Popcount] {
            let y = self.run(tier, counting, self.output(), &self.beta);
            assert_eq!(bits(&y), expected, "{tier} {counting:?}: {:?}, {} rows", self.shape, self.rows);
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn scratch(gemm: &MultibitGemm) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::MultibitGemm, gemm.scratch_lines()).expect("memory");
    scratch
}

pub(crate) fn check(tier: Tier) {
    for (i, &depth) in SIZES.iter().enumerate() {
        for (j, &columns) in SIZES.iter().enumerate() {
            let shape =
                MultibitShape { columns, depth, weight_planes: (i + j) % 3 + 1, planes: (i + 2 * j) % 4 + 1 };
            Case::random(shape, ROWS[(i + 3 * j) % ROWS.len()], (i * 100 + j) as u64).assert_exact(tier);
        }
    }
    for planes in 1..=MAX_PLANES {
        for weight_planes in 1..=MAX_PLANES {
            let shape = MultibitShape { columns: 21, depth: 70, weight_planes, planes };
            Case::random(shape, 11, (planes * 10 + weight_planes) as u64).assert_exact(tier);
        }
    }
    broadcast(tier);
    longest_rows(tier);
}

/// Coefficients for all are those of each row and each column.
fn broadcast(tier: Tier) {
    let shape = MultibitShape { columns: 35, depth: 50, weight_planes: 3, planes: 2 };
    let mut case = Case::random(shape, 19, 5);
    let (beta, alpha) = ([0.25, -1.5, 0.75], [0.5, 1.75, -0.125]);
    case.beta = beta.repeat(19);
    case.alpha = alpha.iter().flat_map(|alpha| [*alpha; 35]).collect();
    case.bias = vec![0.0; 35];
    let output = MultibitOutput { alpha: &alpha, bias: &[], clamp: case.clamp };
    let y = case.run(tier, Counting::Lookup, output, &beta);
    assert_eq!(bits(&y), bits(&case.expected()), "{tier}");
}

/// K = 2^20 of equal signs: sums of ±2^20, which f32 holds.
fn longest_rows(tier: Tier) {
    let k = 1 << 20;
    let shape = MultibitShape { columns: 2, depth: k, weight_planes: 2, planes: 2 };
    for sign in [1, -1] {
        let mut case = Case::random(shape, 1, 9);
        (case.x, case.w) = (vec![sign; 2 * k], vec![1; 4 * k]);
        (case.alpha, case.beta) = (vec![1.0, 1.0, 0.5, 0.5], vec![1.0, 0.25, -2.0]);
        (case.bias, case.clamp) = (vec![0.0; 2], UNCLAMPED);
        // (1 + 0.5) * (±1.25 - 2) * K
        let expected = [1.5 * (1.25 * sign as f32 - 2.0) * k as f32; 2];
        for counting in [Counting::Lookup, Counting::Popcount] {
            assert_eq!(case.run(tier, counting, case.output(), &case.beta), expected, "{tier} {counting:?}");
        }
    }
}

/// The documented order is a way to compute `bias + Σ_k W A`, W and A being what the planes stand for.
#[test]
fn it_is_the_product_of_what_the_planes_stand_for() {
    let shape = MultibitShape { columns: 9, depth: 40, weight_planes: 3, planes: 2 };
    let mut case = Case::random(shape, 6, 1);
    case.clamp = UNCLAMPED;
    let y = case.run(Tier::Simd128, Counting::Lookup, case.output(), &case.beta);
    for (at, y) in y.iter().enumerate() {
        let (r, n) = (at / 9, at % 9);
        let beta = |j: usize| f64::from(case.beta[r * 3 + j]);
        let a = |k: usize| {
            (0..2).map(|j| beta(j) * f64::from(case.x[(r * 2 + j) * 40 + k])).sum::<f64>() + beta(2)
        };
        let w = |k: usize| {
            let plane = |i: usize| f64::from(case.alpha[i * 9 + n]) * f64::from(case.w[(i * 9 + n) * 40 + k]);
            (0..3).map(plane).sum::<f64>()
        };
        let expected = f64::from(case.bias[n]) + (0..40).map(|k| a(k) * w(k)).sum::<f64>();
        assert!((f64::from(*y) - expected).abs() < 1e-4, "{y} for {expected}");
    }
}

/// Unsigned codes split into planes, with the coefficients that the docs give.
#[test]
fn codes_are_sums_of_their_planes() {
    for tier in Tier::ALL {
        for bits in 1..=8 {
            let (rows, k, n) = (5, 45, 7);
            let mut random = Random::new(bits as u64);
            let codes = random.many(rows * k, |r| r.int(0, (1 << bits) - 1) as u8);
            let w = random.many(n * k, |r| 1 - 2 * r.int(0, 1));
            let mut x = vec![0; rows * bits * words_per_row(k)];
            pack_planes(tier, &codes, bits, rows, k, &mut x).expect("valid lengths");
            let mut beta: Vec<f32> = (0..bits).map(|j| (1 << j) as f32 / 2.0).collect();
            beta.push(((1 << bits) - 1) as f32 / 2.0);
            let shape = MultibitShape { columns: n, depth: k, weight_planes: 1, planes: bits };
            let signs = pack_codes(&w.iter().map(|w| u8::from(*w < 0)).collect::<Vec<_>>(), k, 1);
            let output = MultibitOutput { alpha: &[1.0], bias: &[], clamp: UNCLAMPED };
            let gemm = MultibitGemm::new(tier, Counting::Lookup, shape, &signs, output).expect("valid");
            let mut y = vec![f32::NAN; rows * n];
            gemm.run(&x, &beta, rows, &mut y, scratch(&gemm).arena()).expect("valid lengths");
            let dot = |x: &[u8], w: &[i32]| x.iter().zip(w).map(|(x, w)| i32::from(*x) * w).sum::<i32>();
            let expected: Vec<f32> = codes
                .chunks_exact(k)
                .flat_map(|x| w.chunks_exact(k).map(|w| dot(x, w) as f32).collect::<Vec<_>>())
                .collect();
            // Halves of small integers: nothing is rounded.
            assert_eq!(y, expected, "{tier}: {bits} bits");
        }
    }
}

#[test]
fn refusals_are_named() {
    let shape = MultibitShape { columns: 2, depth: 9, weight_planes: 3, planes: 2 };
    let good = MultibitOutput { alpha: &[1.0; 6], bias: &[0.0; 2], clamp: UNCLAMPED };
    let new = |shape, codes: &[u8], output| {
        MultibitGemm::new(Tier::Scalar, Counting::Lookup, shape, codes, output)
            .map(drop)
            .map_err(|e| e.to_string())
    };
    let refused = |shape, output, why: &str| {
        assert_eq!(new(shape, &[0; 12], output), Err(format!("Range: multibit_gemm: {why}")));
    };
    refused(MultibitShape { columns: 0, ..shape }, good, "columns (N), expected 1, got 0");
    refused(MultibitShape { depth: 0, ..shape }, good, "depth (K), expected 1, got 0");
    refused(
        MultibitShape { depth: (1 << 20) + 1, ..shape },
        good,
        "depth (K), expected 1048576, got 1048577",
    );
    refused(MultibitShape { planes: 9, ..shape }, good, "planes, expected 8, got 9");
    refused(MultibitShape { weight_planes: 0, ..shape }, good, "planes, expected 1, got 0");
    refused(
        shape,
        MultibitOutput { alpha: &[1.0, f32::NAN, 1.0], ..good },
        "finite value at position, expected 0, got 1",
    );
    refused(shape, MultibitOutput { clamp: [1.0, 0.0], ..good }, "clamp, expected 0, got 1");
    let shape_error = |result: Result<(), String>, why: &str| {
        assert_eq!(result, Err(format!("Shape: multibit_gemm: {why}")));
    };
    shape_error(new(shape, &[0; 11], good), "bytes of codes, expected 12, got 11");
    shape_error(
        new(shape, &[0; 12], MultibitOutput { alpha: &[1.0; 5], ..good }),
        "scales, expected 6, got 5",
    );
    shape_error(
        new(shape, &[0; 12], MultibitOutput { bias: &[1.0], ..good }),
        "biases, expected 2, got 1",
    );

    let gemm = MultibitGemm::new(Tier::Scalar, Counting::Lookup, shape, &[0; 12], good).expect("valid");
    let run = |x: usize, beta: &[f32], y: usize| {
        let (x, mut y) = (vec![0; x], vec![0.0; y]);
        gemm.run(&x, beta, 2, &mut y, scratch(&gemm).arena()).map_err(|e| e.to_string())
    };
    assert_eq!(run(4, &[1.0; 6], 4), Ok(()));
    shape_error(run(3, &[1.0; 3], 4), "length in elements, expected 4, got 3");
    shape_error(run(4, &[1.0; 3], 5), "length in elements, expected 4, got 5");
    shape_error(run(4, &[1.0; 4], 4), "scales, expected 6, got 4");
    let error = run(4, &[1.0, 1.0, f32::INFINITY], 4);
    assert_eq!(error, Err("Range: multibit_gemm: finite value at position, expected 0, got 2".to_owned()));
}
