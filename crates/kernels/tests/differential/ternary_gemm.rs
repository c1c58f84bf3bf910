//! Sums equal the oracle's exactly, for signed and unsigned activations, every zero point, sign and ternary weights.

use lowbit_kernels::buffer::{Buffer, Scratch};
use lowbit_kernels::error::{ErrorCode, Op};
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::ternary_gemm::{DotWidth, TernaryGemm, TernaryInput, TernaryWeights, naive};
use lowbit_kernels::testing::{ROWS, Random, SIZES, pack_codes};
use lowbit_kernels::tier::Tier;
use proptest::prelude::*;

/// Values of a product, unpacked.
struct Case {
    columns: usize,
    depth: usize,
    rows: usize,
    input: TernaryInput,
    /// Sign weights: 1 bit, no zero point.
    signs: bool,
    x: Vec<i32>,
    w: Vec<i32>,
}

impl Case {
    fn random(
        columns: usize,
        depth: usize,
        rows: usize,
        input: TernaryInput,
        signs: bool,
        seed: u64,
    ) -> Self {
        let random = &mut Random::new(seed);
        let (low, high) = if input.unsigned { (0, 255) } else { (-128, 127) };
        let x = random.many(rows * depth, |r| r.int(low, high));
        let w = random.many(columns * depth, |r| if signs { 1 - 2 * r.int(0, 1) } else { r.int(-1, 1) });
        Self { columns, depth, rows, input, signs, x, w }
    }

    fn gemm(&self, tier: Tier, output: OutputTransform) -> TernaryGemm {
        // Zero point 2 of 3-bit codes shows that only the difference counts.
        let (bits, zero_points): (usize, &[i32]) = if self.signs { (1, &[]) } else { (3, &[2]) };
        let code = |w: &i32| if self.signs { u8::from(*w < 0) } else { (w + 2) as u8 };
        let codes: Vec<u8> = self.w.iter().map(code).collect();
        let codes = &pack_codes(&codes, self.depth, bits);
        let weights = TernaryWeights { columns: self.columns, depth: self.depth, bits, codes, zero_points };
        TernaryGemm::new(tier, &weights, self.input, output).expect("a valid shape")
    }

    fn bytes(&self) -> Vec<i8> {
        self.x.iter().map(|x| *x as i8).collect()
    }

    /// The sums, by either dot, of which only the tier `relaxed` has two.
    fn run(&self, tier: Tier) -> Vec<i32> {
        let wide = self.run_by(tier, DotWidth::Sums32);
        if tier == Tier::Relaxed {
            assert_eq!(
                self.run_by(tier, DotWidth::Sums16),
                wide,
                "{:?} by {} by {}",
                self.rows,
                self.depth,
                self.columns
            );
        }
        wide
    }

    fn run_by(&self, tier: Tier, dot: DotWidth) -> Vec<i32> {
        let gemm = self.gemm(tier, OutputTransform::I32).with_dot(dot);
        let mut y = vec![i32::MIN; self.rows * self.columns];
        gemm.run(&self.bytes(), self.rows, OutputMut::I32(&mut y), scratch(&gemm).arena())
            .expect("valid lengths");
        y
    }

    fn expected(&self) -> Vec<i32> {
        self.x.chunks_exact(self.depth).flat_map(|x| naive::sums(x, self.input.zero_point, &self.w)).collect()
    }

    fn assert_exact(&self, tier: Tier) {
        let Self { columns, depth, rows, input, .. } = self;
        assert_eq!(
            self.run(tier),
            self.expected(),
            "{tier} differs: {rows} x {depth} x {columns}, {input:?}"
        );
    }
}

fn scratch(gemm: &TernaryGemm) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::TernaryGemm, gemm.scratch_lines(usize::MAX)).expect("memory");
    scratch
}

const INPUTS: [TernaryInput; 4] = [
    TernaryInput { unsigned: false, zero_point: 0 },
    TernaryInput { unsigned: false, zero_point: -128 },
    TernaryInput { unsigned: true, zero_point: 0 },
    TernaryInput { unsigned: true, zero_point: 131 },
];

pub(crate) fn check(tier: Tier) {
    for (i, &depth) in SIZES.iter().enumerate() {
        for (j, &columns) in SIZES.iter().enumerate() {
            let (rows, input) = (ROWS[(i + 3 * j) % ROWS.len()], INPUTS[(i + j) % 4]);
            Case::random(columns, depth, rows, input, j % 3 == 0, (i * 100 + j) as u64).assert_exact(tier);
        }
    }
    for &rows in ROWS {
        for input in INPUTS {
            Case::random(13, 200, rows, input, false, rows as u64).assert_exact(tier);
        }
    }
    longest_rows(tier);
    let strategy =
        (1_usize..40, 1_usize..300, 1_usize..20, any::<bool>(), 0..256, any::<bool>(), any::<u64>());
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() });
    let result = runner.run(&strategy, |(columns, depth, rows, unsigned, zero_point, signs, seed)| {
        let input =
            TernaryInput { unsigned, zero_point: if unsigned { zero_point } else { zero_point - 128 } };
        let case = Case::random(columns, depth, rows, input, signs, seed);
        prop_assert_eq!(case.run(tier), case.expected());
        Ok(())
    });
    if let Err(error) = result {
        panic!("{tier}: {error}");
    }
}

/// K = 2^20 of the largest products, which come nearest to the limits of the accumulators; one row, and rows in tiles.
fn longest_rows(tier: Tier) {
    let depth = 1 << 20;
    for (input, x) in
        INPUTS.iter().flat_map(|i| if i.unsigned { [(i, 0), (i, 255)] } else { [(i, -128), (i, 127)] })
    {
        for w in [-1, 1] {
            for rows in [1, 4] {
                let case = Case {
                    columns: 2,
                    depth,
                    rows,
                    input: *input,
                    signs: true,
                    x: vec![x; rows * depth],
                    w: vec![w; 2 * depth],
                };
                let expected = (x - input.zero_point) * w * depth as i32;
                assert!(
                    case.run(tier).iter().all(|y| *y == expected),
                    "{tier}: {x} by {w}, {input:?}, {rows} rows"
                );
            }
        }
    }
}

/// A case of which every x and every weight of a column is `pattern[k % len]`.
fn repeated(columns: usize, depth: usize, rows: usize, x: &[i32], w: &[i32]) -> Case {
    Case {
        columns,
        depth,
        rows,
        input: INPUTS[0],
        signs: false,
        x: x.iter().copied().cycle().take(depth).collect::<Vec<_>>().repeat(rows),
        w: w.iter().copied().cycle().take(depth).collect::<Vec<_>>().repeat(columns),
    }
}

/// The 16-bit lanes of one row are emptied after 8 blocks of 64: 16 dots of 2 * 128 * 8 make -32768, the least there is.
#[test]
fn sums16_of_a_row_hold_8_blocks_of_the_largest_products() {
    for x in [-128, 127] {
        for depth in [512, 513, 1024, 4096] {
            repeated(8, depth, 1, &[x], &[1]).assert_exact(Tier::Relaxed);
        }
    }
}

/// Those of a tile of four rows after 16 blocks: 64 dots of 2 * 128 * 2 make -32768.
#[test]
fn sums16_of_a_tile_hold_16_blocks_of_the_largest_products() {
    for x in [-128, 127] {
        for depth in [1024, 1025, 2048, 4096] {
            repeated(8, depth, 4, &[x], &[1]).assert_exact(Tier::Relaxed);
        }
    }
}

/// Bytes of lookups are emptied after 16 weights: 8 of 31, which 255 = 7 * 32 + 31 has for its low bits, and 8 of 16, which is 512 / 32.
#[test]
fn lookup_bytes_hold_8_of_the_largest_parts() {
    for (x, w) in
        [([-128, 127], [-1, 1]), ([-128, -128], [-1, -1]), ([-128, -128], [1, 1]), ([127, 127], [1, 1])]
    {
        for depth in [16, 17, 64, 160] {
            repeated(128, depth, 1, &x, &w).assert_exact(Tier::Simd128);
        }
    }
}

/// 16-bit lanes of lookups are emptied after 1024 weights: 64 groups of 248, and of 128.
#[test]
fn lookup_lanes_hold_a_chunk_of_the_largest_parts() {
    for (x, w) in [([-128, 127], [-1, 1]), ([-128, -128], [-1, -1])] {
        for depth in [1008, 1024, 1025, 2048, 3000] {
            repeated(130, depth, 3, &x, &w).assert_exact(Tier::Simd128);
        }
    }
}

/// int32 sums of lookups at the largest K; those of dots are in `longest_rows`.
#[test]
fn lookup_sums_hold_the_longest_row() {
    let depth = 1 << 20;
    for (x, w) in [(-128, -1), (-128, 1), (127, 1)] {
        let sums = repeated(128, depth, 1, &[x], &[w]).run(Tier::Simd128);
        assert!(sums.iter().all(|sum| *sum == x * w * depth as i32), "{x} by {w}");
    }
}

/// Requantized to int8: the formula of the transform on the exact sums; a correction comes first.
#[test]
fn requantizes_corrected_sums() {
    let case = Case::random(35, 90, 6, INPUTS[3], false, 8);
    let random = &mut Random::new(1);
    let multiplier = random.many(35, |r| r.float() / 50.0);
    let bias = random.many(35, |r| r.int(-500, 500));
    let correction = random.many(6 * 35, |r| r.int(-99, 99));
    let expected: Vec<i8> = (case.expected().iter().zip(&correction).enumerate())
        .map(|(i, (sum, correction))| {
            let real = (sum + correction + bias[i % 35]) as f32 * multiplier[i % 35];
            (real.round_ties_even() as i32 - 7).clamp(-100, 127) as i8
        })
        .collect();
    for tier in Tier::ALL {
        let output = OutputTransform::Int8 {
            multiplier: Buffer::from_slice(Op::TernaryGemm, &multiplier).unwrap(),
            bias: Buffer::from_slice(Op::TernaryGemm, &bias).unwrap(),
            zero_point: -7,
            clamp: [-100, 127],
        };
        let gemm = case.gemm(tier, output);
        let mut y = vec![0; 6 * 35];
        gemm.run_rows(
            &case.bytes(),
            6,
            Some(&correction),
            OutputMut::Int8(&mut y),
            35,
            scratch(&gemm).arena(),
        );
        assert_eq!(y, expected, "{tier}");
    }
}

#[test]
fn refusals_are_named() {
    let refused = |columns, depth, bits, codes: &[u8], zero_points: &[i32]| {
        let weights = TernaryWeights { columns, depth, bits, codes, zero_points };
        TernaryGemm::new(Tier::Scalar, &weights, INPUTS[0], OutputTransform::I32)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let error = |text: &str| Err(text.to_owned());
    assert_eq!(refused(0, 4, 2, &[], &[1]), error("Range: ternary_gemm: columns (N), expected 1, got 0"));
    assert_eq!(refused(1, 0, 2, &[], &[1]), error("Range: ternary_gemm: depth (K), expected 1, got 0"));
    assert_eq!(
        refused(1, (1 << 20) + 1, 2, &[], &[1]),
        error("Range: ternary_gemm: depth (K), expected 1048576, got 1048577")
    );
    assert_eq!(
        refused(1, 4, 2, &[0; 2], &[1]),
        error("Shape: ternary_gemm: bytes of codes, expected 1, got 2")
    );
    assert_eq!(refused(1, 4, 2, &[], &[]), error("Range: ternary_gemm: bits per code, expected 1, got 2"));
    assert_eq!(refused(1, 4, 2, &[0b11], &[1]), error("Range: ternary_gemm: code, expected 1, got 2"));
    assert_eq!(
        refused(1, 4, 2, &[0], &[i32::MAX]),
        error("Range: ternary_gemm: code, expected -1, got -2147483647")
    );
    assert_eq!(
        refused(3, 4, 2, &[0; 3], &[1; 2]),
        error("Shape: ternary_gemm: zero point, expected 3, got 2")
    );
    let weights = TernaryWeights { columns: 1, depth: 4, bits: 2, codes: &[0b0101_0101], zero_points: &[1] };
    let input = TernaryInput { unsigned: true, zero_point: -1 };
    let result = TernaryGemm::new(Tier::Scalar, &weights, input, OutputTransform::I32).map(drop);
    assert_eq!(result.map_err(|error| error.code), Err(ErrorCode::Range));
}
