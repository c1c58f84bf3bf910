//! Sums equal the oracle's exactly in every tier, width and input type; grouped float sums equal the documented order bit for bit.

use lowbit_kernels::affine_gemm::{
    AffineCodes, AffineGemm, AffineInput, DynamicAffineGemm, GroupedAffineGemm, GroupedOutput, naive,
};
use lowbit_kernels::buffer::{Buffer, Scratch};
use lowbit_kernels::error::{ErrorCode, Op, What};
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::testing::{ROWS, Random, SIZES, pack_codes};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::v128::RelaxedDot;
use proptest::prelude::*;

#[derive(Debug)]
struct Case {
    rows: usize,
    n: usize,
    k: usize,
    group: usize,
    bits: usize,
    input: AffineInput,
    x: Vec<i8>,
    codes: Vec<u8>,
    /// `[n, groups]`
    zeros: Vec<i32>,
}

impl Case {
    fn random(rows: usize, n: usize, k: usize, group: usize, bits: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let unsigned = random.int(0, 1) == 1;
        let (low, high) = if unsigned { (0, 255) } else { (-128, 127) };
        let zero_point = [low, high, 0, random.int(low, high)][random.int(0, 3) as usize].clamp(low, high);
        let groups = k.div_ceil(group);
        let middle = 1 << (bits - 1);
        Self {
            rows,
            n,
            k,
            group,
            bits,
            input: AffineInput { unsigned, zero_point },
            x: random.many(rows * k, |r| r.int(low, high) as i8),
            codes: random.many(n * k, |r| r.int(0, (1 << bits) - 1) as u8),
            // At 5..=8 bits some weights leave int8 once their zero point is taken out.
            zeros: random.many(n * groups, |r| match bits {
                1..=4 => r.int(-3, 20),
                _ if seed.is_multiple_of(2) => middle,
                _ => r.int(-2, 257),
            }),
        }
    }

    fn packed(&self) -> Vec<u8> {
        pack_codes(&self.codes, self.k, self.bits)
    }

    fn weights<'a>(&'a self, codes: &'a [u8]) -> AffineCodes<'a> {
        AffineCodes {
            columns: self.n,
            depth: self.k,
            group_size: self.group,
            bits: self.bits,
            codes,
            zero_points: &self.zeros,
        }
    }

    /// `[n, k]`, zero points taken out.
    fn integers(&self) -> Vec<i32> {
        let groups = self.k.div_ceil(self.group);
        let zero = |i: usize| self.zeros[i / self.k * groups + i % self.k / self.group];
        self.codes.iter().enumerate().map(|(i, code)| i32::from(*code) - zero(i)).collect()
    }

    fn expected(&self, ks: core::ops::Range<usize>) -> Vec<i64> {
        let wide = |x: &i8| if self.input.unsigned { i32::from(*x as u8) } else { i32::from(*x) };
        let x: Vec<i32> = self.x.iter().map(wide).collect();
        naive::sums(&x, self.input.zero_point, &self.integers(), self.k, ks)
    }

    fn sums(&self, tier: Tier) -> Vec<i32> {
        let packed = self.packed();
        let gemm =
            AffineGemm::new(tier, &self.weights(&packed), self.input, OutputTransform::I32).expect("valid");
        let mut y = vec![i32::MIN; self.rows * self.n];
        let mut scratch = scratch(&gemm, self.rows);
        gemm.run(&self.x, self.rows, OutputMut::I32(&mut y), scratch.arena()).expect("valid");
        y
    }

    fn assert_exact(&self, tier: Tier, seed: u64) {
        let sums: Vec<i64> = self.sums(tier).into_iter().map(i64::from).collect();
        let (rows, n, k, bits) = (self.rows, self.n, self.k, self.bits);
        assert_eq!(
            sums,
            self.expected(0..k),
            "{tier} {rows}x{n}x{k}, {bits} bits, {:?}, seed {seed}",
            self.input
        );
    }

    fn grouped(&self, tier: Tier, scales: &[f32], bias: &[f32], clamp: (f32, f32)) -> Vec<f32> {
        let (packed, output) = (self.packed(), GroupedOutput::F32 { clamp });
        let gemm = GroupedAffineGemm::new(tier, &self.weights(&packed), self.input, scales, bias, output)
            .expect("valid");
        let mut y = vec![f32::NAN; self.rows * self.n];
        let mut scratch = scratch(&gemm, self.rows);
        gemm.run(&self.x, self.rows, OutputMut::F32(&mut y), scratch.arena()).expect("valid");
        y
    }

    fn assert_grouped(&self, tier: Tier, seed: u64) {
        let groups = self.k.div_ceil(self.group);
        let mut random = Random::new(seed);
        let scales = random.many(self.n * groups, Random::float);
        let bias = random.many(self.n, Random::float);
        let mut expected = vec![0.0_f32; self.rows * self.n];
        for group in 0..groups {
            let ks = group * self.group..self.k.min((group + 1) * self.group);
            for (i, (y, sum)) in expected.iter_mut().zip(self.expected(ks)).enumerate() {
                *y += sum as f32 * scales[i % self.n * groups + group];
            }
        }
        for (i, y) in expected.iter_mut().enumerate() {
            *y = (*y + bias[i % self.n]).max(-200.0);
        }
        let y = self.grouped(tier, &scales, &bias, (-200.0, f32::INFINITY));
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&y), bits(&expected), "{tier} group {} of {} seed {seed}", self.group, self.k);
    }
}

/// Rows of floats: the documented steps, on sums that are taken one product at a time.
fn dynamic(tier: Tier, rows: usize, n: usize, k: usize, group: usize, bits: usize, seed: u64) {
    let case = Case::random(rows, n, k, group, bits, seed);
    let groups = k.div_ceil(group);
    let mut random = Random::new(seed);
    let (scales, bias) = (random.many(n * groups, Random::float), random.many(n, Random::float));
    let mut x = random.many(rows * k, |r| r.float() * 9.0);
    // A row of zeros, one too small to be scaled, and two that are spoiled.
    let special = [0.0, 1e-40, f32::NAN, f32::INFINITY];
    if rows > special.len() {
        for (row, value) in x.chunks_exact_mut(k).zip(special) {
            row[1..].fill(0.0);
            row[0] = value;
        }
    }
    let packed = case.packed();
    let clamp = (-500.0, f32::INFINITY);
    let gemm = DynamicAffineGemm::new(tier, &case.weights(&packed), &scales, &bias, clamp).expect("valid");
    let mut y = vec![f32::NAN; rows * n];
    gemm.run(&x, rows, &mut y, scratch(&gemm, rows).arena()).expect("valid");
    let weights = case.integers();
    for (x, y) in x.chunks_exact(k).zip(y.chunks_exact(n)) {
        let largest = x.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        if x.iter().any(|x| !x.is_finite()) {
            assert!(y.iter().all(|y| y.is_nan()), "{tier}: a spoiled row");
            continue;
        }
        let inverse = 127.0 / largest;
        let (inverse, scale) = if inverse.is_finite() { (inverse, largest / 127.0) } else { (0.0, 0.0) };
        let codes: Vec<i32> = x.iter().map(|x| (x * inverse).round_ties_even() as i32).collect();
        for (column, y) in y.iter().enumerate() {
            let sum = |g: usize| -> f32 {
                let ks = g * group..k.min((g + 1) * group);
                let sum: i32 = ks.map(|i| codes[i] * weights[column * k + i]).sum();
                sum as f32 * scales[column * groups + g]
            };
            let total = (1..groups).fold(if groups == 1 { sum(0) } else { 0.0 + sum(0) }, |t, g| t + sum(g));
            let expected = (total * scale + bias[column]).max(-500.0);
            assert_eq!(y.to_bits(), expected.to_bits(), "{tier} {rows}x{n}x{k} group {group} column {column}");
        }
    }
}

fn scratch<K: RowKernel>(gemm: &K, rows: usize) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::AffineGemm, gemm.scratch_lines(rows)).expect("memory");
    scratch
}

pub(crate) fn check(tier: Tier) {
    // Only the relaxed tier asks what its engine's dot is.
    let dots = if tier == Tier::Relaxed { &RelaxedDot::ALL[..] } else { &[RelaxedDot::Seven] };
    for dot in dots {
        dot.emulate(|| check_engine(tier));
    }
}

fn check_engine(tier: Tier) {
    let mut seed = 0;
    for &n in SIZES {
        for &k in SIZES {
            seed += 1;
            for bits in [1, 2, 3, 4, 5, 8] {
                Case::random(ROWS[seed as usize % ROWS.len()], n, k, k, bits, seed).assert_exact(tier, seed);
            }
        }
    }
    for (i, &group) in [1, 3, 15, 16, 17, 32, 33, 64, 128].iter().enumerate() {
        for bits in [2, 4, 8] {
            Case::random(ROWS[i % ROWS.len()], 19, 130, group.min(130), bits, i as u64)
                .assert_grouped(tier, i as u64);
        }
    }
    for (i, &(n, k, group)) in [(1, 1, 1), (16, 16, 16), (19, 130, 130), (37, 70, 32), (33, 64, 16)].iter().enumerate() {
        for (bits, &rows) in [2, 4, 8].into_iter().zip([1, 5, 33].iter().cycle().skip(i)) {
            dynamic(tier, rows, n, k, group, bits, i as u64);
        }
    }
    // Weights of 2 MiB and more, which few rows meet by turns: panels and parts that the quarters leave over.
    for (rows, n, k, bits) in [(1, 517, 4100, 8), (3, 515, 4099, 8), (2, 1049, 4100, 4)] {
        Case::random(rows, n, k, k, bits, rows as u64).assert_exact(tier, rows as u64);
    }
    extreme_values(tier);
    largest_sums(tier);
    outputs(tier);
    refusals(tier);
    properties(tier);
}

/// Every accumulator at its ends: rows of the largest products of one sign, and of alternating ones, by every width and form.
fn extreme_values(tier: Tier) {
    // (bits, code, zero point) of the weights: -128, 127, -255, 255; nibbles and pairs of bits at their ends.
    let weights = [
        (8, 0, 128),
        (8, 255, 128),
        (8, 0, 255),
        (8, 255, 0),
        (8, 127, 0),
        (4, 15, 0),
        (4, 0, 15),
        (2, 3, 0),
        (2, 0, 3),
    ];
    for (bits, code, zero) in weights {
        for (unsigned, x, zero_point) in [
            (false, -128, 0),
            (false, 127, -128),
            (false, -128, 127),
            (true, -1, 0),
            (true, 0, 255),
            (false, 127, 0),
        ] {
            // Behind 1024 codes weights are opened anew; every 8 and 42 steps of 4 sums of bytes are widened.
            for k in [1, 2, 3, 4, 31, 32, 33, 168, 169, 1023, 1025, 2050] {
                let rows = 5;
                let (even, odd) =
                    (
                        vec![code; k],
                        |i: usize| if i.is_multiple_of(2) { code } else { zero.clamp(0, 3) as u8 },
                    );
                for codes in [even, (0..k).map(odd).collect()] {
                    let case = Case {
                        rows,
                        n: 2,
                        k,
                        group: k,
                        bits,
                        input: AffineInput { unsigned, zero_point },
                        x: vec![x; rows * k],
                        codes: codes.repeat(2),
                        zeros: vec![zero; 2],
                    };
                    case.assert_exact(tier, k as u64);
                }
            }
        }
    }
}

/// The longest row whose sums fit: the extreme products of one sign reach the end of int32, and one more is refused.
fn largest_sums(tier: Tier) {
    // -128 * -255 = 32640 per product; one row, and a strip of four.
    let k = i32::MAX as usize / 32640;
    let case = |rows: usize, k: usize| Case {
        rows,
        n: 1,
        k,
        group: k,
        bits: 8,
        input: AffineInput { unsigned: true, zero_point: 255 },
        x: vec![0; rows * k],
        codes: vec![0; k],
        zeros: vec![128],
    };
    assert_eq!(case(1, k).sums(tier), [k as i32 * 32640], "{tier}");
    assert_eq!(case(4, k).sums(tier), [k as i32 * 32640; 4], "{tier}");
    let too_long = case(1, k + 1);
    let packed = too_long.packed();
    let refused = AffineGemm::new(tier, &too_long.weights(&packed), too_long.input, OutputTransform::I32);
    assert_eq!(refused.err().map(|e| (e.code, e.what)), Some((ErrorCode::Accumulator, What::Sum)));
}

/// Every output kind follows from the sums as the scalar transform says, and bytes of a grouped product by division.
fn outputs(tier: Tier) {
    // Strips of either height and rows behind them, panels that are whole, half and less, K in one part and in two; zero points of weights that are their middle (even seeds), and others.
    let shapes = [(5, 37, 70, 4, 11), (23, 37, 70, 8, 12), (8, 24, 64, 8, 13), (16, 16, 1100, 8, 14), (11, 40, 30, 2, 15)];
    for (rows, n, k, bits, seed) in shapes {
        bytes(tier, &Case::random(rows, n, k, k, bits, seed));
    }

    let mut random = Random::new(3);
    let case = Case::random(3, 20, 96, 32, 4, 12);
    let scales = random.many(20 * 3, Random::float);
    let floats = case.grouped(Tier::Scalar, &scales, &[], (f32::NEG_INFINITY, f32::INFINITY));
    let (packed, output) =
        (case.packed(), GroupedOutput::Int8 { scale: 7.5, zero_point: 100, clamp: (0, 255) });
    let gemm = GroupedAffineGemm::new(tier, &case.weights(&packed), case.input, &scales, &[], output)
        .expect("valid");
    let mut y = vec![0_i8; 60];
    gemm.run(&case.x, 3, OutputMut::Int8(&mut y), scratch(&gemm, 3).arena()).expect("valid");
    let expected =
        floats.iter().map(|y| ((y / 7.5).round_ties_even() as i32 + 100).clamp(0, 255) as u8 as i8);
    assert_eq!(y, expected.collect::<Vec<_>>(), "{tier}");
}

/// Rounded, clamped bytes of the scalar tier's sums.
fn bytes(tier: Tier, case: &Case) {
    let (rows, n) = (case.rows, case.n);
    let sums = case.sums(Tier::Scalar);
    let mut random = Random::new(3);
    let scale = 1000.0 / sums.iter().map(|sum| sum.abs()).max().unwrap_or(0).max(1) as f32;
    let multiplier = random.many(n, |r| r.float() * scale);
    let bias = random.many(n, |r| r.int(-999, 999));
    let packed = case.packed();
    let output = OutputTransform::Int8 {
        multiplier: Buffer::from_slice(Op::AffineGemm, &multiplier).expect("memory"),
        bias: Buffer::from_slice(Op::AffineGemm, &bias).expect("memory"),
        zero_point: 3,
        clamp: [3, 127],
    };
    let gemm = AffineGemm::new(tier, &case.weights(&packed), case.input, output).expect("valid");
    let mut y = vec![0_i8; rows * n];
    gemm.run(&case.x, rows, OutputMut::Int8(&mut y), scratch(&gemm, rows).arena()).expect("valid");
    let expected = sums.iter().enumerate().map(|(i, sum)| {
        let scaled = ((sum + bias[i % n]) as f32 * multiplier[i % n]).round_ties_even() as i32;
        (scaled + 3).clamp(3, 127) as i8
    });
    assert_eq!(y, expected.collect::<Vec<_>>(), "{tier} {rows}x{n}x{}, {} bits", case.k, case.bits);
}

fn refusals(tier: Tier) {
    let input = AffineInput { unsigned: false, zero_point: 0 };
    let good =
        AffineCodes { columns: 2, depth: 3, group_size: 3, bits: 8, codes: &[0; 6], zero_points: &[0] };
    let refused = |weights: AffineCodes<'_>, input| {
        AffineGemm::new(tier, &weights, input, OutputTransform::I32).err().map(|e| (e.code, e.what))
    };
    assert_eq!(refused(good, input), None);
    assert_eq!(refused(AffineCodes { columns: 0, ..good }, input), Some((ErrorCode::Range, What::Columns)));
    assert_eq!(
        refused(AffineCodes { depth: 0, group_size: 0, ..good }, input),
        Some((ErrorCode::Range, What::Depth))
    );
    assert_eq!(refused(AffineCodes { bits: 9, ..good }, input), Some((ErrorCode::Range, What::Bits)));
    assert_eq!(refused(AffineCodes { codes: &[0; 5], ..good }, input), Some((ErrorCode::Shape, What::Codes)));
    assert_eq!(
        refused(AffineCodes { zero_points: &[0; 3], ..good }, input),
        Some((ErrorCode::Shape, What::ZeroPoint))
    );
    assert_eq!(
        refused(AffineCodes { zero_points: &[], ..good }, input),
        Some((ErrorCode::Shape, What::ZeroPoint))
    );
    assert_eq!(
        refused(AffineCodes { zero_points: &[1 << 21], ..good }, input),
        Some((ErrorCode::Range, What::ZeroPoint))
    );
    assert_eq!(
        refused(AffineCodes { group_size: 2, ..good }, input),
        Some((ErrorCode::Shape, What::GroupSize))
    );
    let outside = AffineInput { unsigned: true, zero_point: -1 };
    assert_eq!(refused(good, outside), Some((ErrorCode::Range, What::ZeroPoint)));
}

fn properties(tier: Tier) {
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(rows in 1_usize..20, n in 1_usize..40, k in 1_usize..200, bits in 1_usize..=8, group in 1_usize..200, seed: u64)| {
        Case::random(rows, n, k, k, bits, seed).assert_exact(tier, seed);
        Case::random(rows, n, k, group.min(k), bits, seed).assert_grouped(tier, seed);
        dynamic(tier, rows, n, k, group.min(k), bits, seed);
    });
}
