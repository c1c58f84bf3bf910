//! Sums equal the oracle's exactly; every output kind follows from the sums as the scalar transform says.

use lowbit_kernels::buffer::{Buffer, Scratch};
use lowbit_kernels::error::{ErrorCode, Op};
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::rows::{RowKernel, TapSums};
use lowbit_kernels::testing::{ROWS, Random, SIZES, pack_codes, pack_signs};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::xnor_gemm::{Activations, Counting, XnorGemm, XnorShape, naive};
use proptest::prelude::*;

/// Values of a product, unpacked.
struct Case {
    shape: XnorShape,
    rows: usize,
    /// `[rows, K]`, -1, 0, +1
    x: Vec<i32>,
    /// `[N, K]`, ±1
    w: Vec<i32>,
}

impl Case {
    fn random(shape: XnorShape, rows: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let k = shape.taps * shape.channels;
        let value = |random: &mut Random| match shape.activations {
            Activations::Bits => 1 - 2 * random.int(0, 1),
            Activations::Trits => random.int(-1, 1),
        };
        let x = random.many(rows * k, value);
        let w = random.many(shape.columns * k, |random| 1 - 2 * random.int(0, 1));
        Self { shape, rows, x, w }
    }

    fn k(&self) -> usize {
        self.shape.taps * self.shape.channels
    }

    fn gemm(&self, tier: Tier, output: OutputTransform) -> XnorGemm {
        self.counting(tier, Counting::Lookup, output)
    }

    fn counting(&self, tier: Tier, counting: Counting, output: OutputTransform) -> XnorGemm {
        let codes: Vec<u8> = self.w.iter().map(|w| u8::from(*w < 0)).collect();
        let codes = pack_codes(&codes, self.k(), 1);
        XnorGemm::with_counting(tier, counting, self.shape, &codes, output).expect("a valid shape")
    }

    fn packed(&self) -> Vec<u32> {
        pack_signs(&self.x, self.shape.channels, self.shape.activations == Activations::Trits)
    }

    fn expected(&self) -> Vec<i32> {
        self.x.chunks_exact(self.k()).flat_map(|x| naive::sums(x, &self.w)).collect()
    }

    /// The sums, which do not depend on the way of counting.
    fn run(&self, tier: Tier) -> Vec<i32> {
        let [lookup, popcount] = [Counting::Lookup, Counting::Popcount].map(|counting| {
            let gemm = self.counting(tier, counting, OutputTransform::I32);
            let mut y = vec![i32::MIN; self.rows * self.shape.columns];
            gemm.run(&self.packed(), self.rows, OutputMut::I32(&mut y), scratch(&gemm).arena())
                .expect("valid lengths");
            y
        });
        assert!(
            lookup == popcount,
            "{tier}: {:?}, {} rows: popcounts differ from lookups",
            self.shape,
            self.rows
        );
        lookup
    }

    fn assert_exact(&self, tier: Tier) {
        let (shape, rows) = (self.shape, self.rows);
        assert_eq!(self.run(tier), self.expected(), "{tier} differs from naive: {shape:?}, {rows} rows");
    }
}

fn scratch(gemm: &XnorGemm) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::XnorGemm, gemm.scratch_lines(usize::MAX)).expect("memory");
    scratch
}

const BOTH: [Activations; 2] = [Activations::Bits, Activations::Trits];

pub(crate) fn check(tier: Tier) {
    for activations in BOTH {
        for (i, &channels) in SIZES.iter().enumerate() {
            for (j, &columns) in SIZES.iter().enumerate() {
                let rows = ROWS[(i + 3 * j) % ROWS.len()];
                let shape = XnorShape { columns, taps: 1, channels, activations };
                Case::random(shape, rows, (i * 100 + j) as u64).assert_exact(tier);
            }
        }
        for &rows in ROWS {
            for (taps, channels, columns) in [(9, 20, 40), (9, 64, 130), (25, 1, 7), (1, 784, 10)] {
                let shape = XnorShape { columns, taps, channels, activations };
                Case::random(shape, rows, rows as u64).assert_exact(tier);
            }
        }
    }
    trits_without_zeros(tier);
    extremes(tier);
    transforms(tier);
    properties(tier);
}

/// Blocks of trits with no 0, which are counted as bits, beside blocks with one.
fn trits_without_zeros(tier: Tier) {
    let shape = XnorShape { columns: 37, taps: 3, channels: 50, activations: Activations::Bits };
    let mut case = Case::random(shape, 40, 11);
    case.shape.activations = Activations::Trits;
    case.assert_exact(tier);
    case.x[20 * 150 + 77] = 0;
    case.assert_exact(tier);
}

/// Rows of `depths` of which all products are equal, by every pair of signs, in one row and in two.
fn all_equal(tier: Tier, depths: &[usize]) {
    for activations in BOTH {
        for &channels in depths {
            let columns = if channels > 60_000 { 17 } else { 65 };
            for (x, w) in [(1, 1), (1, -1), (-1, 1), (-1, -1)] {
                let shape = XnorShape { columns, taps: 1, channels, activations };
                let case = Case { shape, rows: 2, x: vec![x; 2 * channels], w: vec![w; columns * channels] };
                let expected = x * w * channels as i32;
                let y = case.run(tier);
                assert!(y.iter().all(|y| *y == expected), "{tier}: K = {channels} of {x} by {w}");
            }
        }
    }
}

/// The bits of x and w for which a lookup's count is largest, 2 in every nibble, and smallest: nothing may carry from half to half.
fn nibbles(tier: Tier, depth: usize) {
    for nibble in 0..16 {
        for other in 0..16 {
            let value = |bits: i32| move |k: usize| 1 - 2 * (bits >> (k % 4) & 1);
            let shape = XnorShape { columns: 65, taps: 1, channels: depth, activations: Activations::Bits };
            let x: Vec<i32> = (0..depth).map(value(nibble)).chain((0..depth).map(value(other))).collect();
            let w = (0..65 * depth).map(|i| value((i / depth % 16) as i32)(i % depth)).collect();
            Case { shape, rows: 2, x, w }.assert_exact(tier);
        }
    }
}

/// Half bytes: four lookups of up to 2 in each half.
#[test]
fn half_byte_counts_do_not_overflow() {
    for tier in Tier::ALL {
        nibbles(tier, 32);
    }
}

/// Bytes: 120 lookups of up to 2, masked ones 60 of up to 4, 31 popcounts of up to 8.
#[test]
fn byte_counts_do_not_overflow() {
    for tier in Tier::ALL {
        all_equal(tier, &[239, 240, 241, 247, 248, 249, 255, 256, 479, 480, 481, 511, 512]);
        nibbles(tier, 512);
    }
}

/// 16 bits: 32760 lookups of 4 bits, 16320 masked ones, 8184 popcounts of 8 bits.
#[test]
fn word_counts_do_not_overflow() {
    for tier in Tier::ALL {
        all_equal(tier, &[65_281, 65_473, 131_041]);
    }
}

/// The longest row of all: K = 2^20.
fn extremes(tier: Tier) {
    all_equal(tier, &[1 << 20]);
    for activations in BOTH {
        let shape = XnorShape { columns: 17, taps: 1, channels: 1 << 20, activations };
        Case::random(shape, 3, 20).assert_exact(tier);
    }
}

/// Outputs of every kind, from the exact sums.
fn transforms(tier: Tier) {
    let mut random = Random::new(7);
    for columns in [1, 4, 31, 32, 33, 66] {
        let shape = XnorShape { columns, taps: 1, channels: 100, activations: Activations::Bits };
        let case = Case::random(shape, 5, columns as u64);
        let floats = |random: &mut Random| {
            Buffer::from_slice(Op::XnorGemm, &random.many(columns, Random::float)).unwrap()
        };
        let ints = |random: &mut Random| {
            Buffer::from_slice(Op::XnorGemm, &random.many(columns, |r| r.int(-30, 30))).unwrap()
        };
        let seed = random.next();
        let kinds = |seed: u64| {
            let random = &mut Random::new(seed);
            [
                OutputTransform::F32 {
                    scale: floats(random),
                    bias: floats(random),
                    clamp: [-3.5, f32::INFINITY],
                },
                OutputTransform::Int8 {
                    multiplier: floats(random),
                    bias: ints(random),
                    zero_point: -3,
                    clamp: [-128, 90],
                },
                OutputTransform::Int8 {
                    multiplier: floats(random),
                    bias: ints(random),
                    zero_point: 120,
                    clamp: [0, 255],
                },
                OutputTransform::Bits { thresholds: ints(random) },
            ]
        };
        for (kind, reference) in kinds(seed).into_iter().zip(kinds(seed)) {
            let gemm = case.gemm(tier, kind);
            let len = gemm.output().kind().row_len(columns);
            let (got, expected) = (output_bytes(&case, &gemm, len), reference_bytes(&case, &reference, len));
            assert_eq!(got, expected, "{tier}: {:?} of {columns} columns", gemm.output().kind());
        }
    }
}

fn output_bytes(case: &Case, gemm: &XnorGemm, len: usize) -> Vec<u32> {
    let words = case.rows * len;
    with_output(gemm.output(), words, |out| {
        gemm.run(&case.packed(), case.rows, out, scratch(gemm).arena()).expect("valid lengths");
    })
}

fn reference_bytes(case: &Case, output: &OutputTransform, len: usize) -> Vec<u32> {
    let sums = case.expected();
    with_output(output, case.rows * len, |mut out| {
        for (r, sums) in sums.chunks_exact(case.shape.columns).enumerate() {
            output.apply(Tier::Scalar, sums, out.from(r * len));
        }
    })
}

/// Elements of any kind as words, to compare their bits.
fn with_output(output: &OutputTransform, len: usize, run: impl FnOnce(OutputMut<'_>)) -> Vec<u32> {
    match output {
        OutputTransform::I32 => unreachable!("sums are compared elsewhere"),
        OutputTransform::F32 { .. } => {
            let mut y = vec![f32::NAN; len];
            run(OutputMut::F32(&mut y));
            y.iter().map(|y| y.to_bits()).collect()
        }
        OutputTransform::Int8 { .. } => {
            let mut y = vec![99_i8; len];
            run(OutputMut::Int8(&mut y));
            y.iter().map(|y| *y as u32).collect()
        }
        OutputTransform::Bits { .. } => {
            let mut y = vec![0xdead_beef; len];
            run(OutputMut::Bits(&mut y));
            y
        }
    }
}

fn properties(tier: Tier) {
    let strategy = (1_usize..200, 1_usize..6, 1_usize..150, 1_usize..20, any::<bool>(), any::<u64>());
    let result =
        proptest::test_runner::TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() })
            .run(&strategy, |(columns, taps, channels, rows, trits, seed)| {
                let shape = XnorShape { columns, taps, channels, activations: BOTH[usize::from(trits)] };
                let case = Case::random(shape, rows, seed);
                prop_assert_eq!(case.run(tier), case.expected());
                Ok(())
            });
    if let Err(error) = result {
        panic!("{tier}: {error}");
    }
}

/// Corrections are added before the transform, and rows may be written at a stride.
#[test]
fn corrections_and_strides() {
    let shape = XnorShape { columns: 20, taps: 4, channels: 9, activations: Activations::Bits };
    let case = Case::random(shape, 19, 3);
    let correction: Vec<i32> = (0..19 * 20).collect();
    let expected: Vec<i32> = case.expected().iter().zip(&correction).map(|(y, c)| y + c).collect();
    for tier in Tier::ALL {
        let gemm = case.gemm(tier, OutputTransform::I32);
        let mut y = vec![-1; 19 * 25];
        let out = OutputMut::I32(&mut y);
        gemm.run_rows(&case.packed(), 19, Some(&correction), out, 25, scratch(&gemm).arena());
        for (row, expected) in y.chunks(25).zip(expected.chunks(20)) {
            assert_eq!(&row[..20], expected, "{tier}");
            assert_eq!(row[20..], [-1; 5], "{tier} wrote between the rows");
        }
    }
}

#[test]
fn tap_sums_are_the_sums_of_the_weights() {
    let shape = XnorShape { columns: 3, taps: 4, channels: 37, activations: Activations::Bits };
    let case = Case::random(shape, 1, 5);
    let gemm = case.gemm(Tier::Scalar, OutputTransform::I32);
    for tap in 0..4 {
        for (n, sum) in gemm.tap_sums(tap).iter().enumerate() {
            assert_eq!(*sum, case.w[n * 4 * 37 + tap * 37..][..37].iter().sum::<i32>());
        }
    }
}

#[test]
fn refusals_are_named() {
    let shape =
        |columns, taps, channels| XnorShape { columns, taps, channels, activations: Activations::Bits };
    let refused = |shape, codes: &[u8], output| {
        XnorGemm::new(Tier::Scalar, shape, codes, output).map(drop).map_err(|error| error.to_string())
    };
    let i32 = || OutputTransform::I32;
    let error = |text: &str| Err(text.to_owned());
    assert_eq!(
        refused(shape(0, 1, 8), &[], i32()),
        error("Range: xnor_gemm: columns (N), expected 1, got 0")
    );
    assert_eq!(refused(shape(1, 0, 8), &[], i32()), error("Range: xnor_gemm: taps, expected 1, got 0"));
    assert_eq!(refused(shape(1, 1, 0), &[], i32()), error("Range: xnor_gemm: channels, expected 1, got 0"));
    assert_eq!(
        refused(shape(1, 2, (1 << 19) + 1), &[], i32()),
        error("Range: xnor_gemm: depth (K), expected 1048576, got 1048578")
    );
    assert_eq!(
        refused(shape(2, 1, 9), &[0; 3], i32()),
        error("Shape: xnor_gemm: bytes of codes, expected 4, got 3")
    );
    let bits = OutputTransform::Bits { thresholds: Buffer::zeroed(Op::XnorGemm, 3).unwrap() };
    assert_eq!(
        refused(shape(2, 1, 8), &[0; 2], bits),
        error("Shape: xnor_gemm: thresholds, expected 2, got 3")
    );

    let gemm = XnorGemm::new(Tier::Scalar, shape(2, 1, 8), &[0; 2], i32()).unwrap();
    let (mut y, mut short) = ([0; 2], [0; 1]);
    let run = |x: &[u32], out| gemm.run(x, 1, out, Scratch::new().arena()).map_err(|error| error.code);
    assert_eq!(run(&[0; 2], OutputMut::I32(&mut y)), Err(ErrorCode::Shape));
    assert_eq!(run(&[0], OutputMut::I32(&mut short)), Err(ErrorCode::Shape));
    assert_eq!(run(&[0], OutputMut::F32(&mut [0.0; 2])), Err(ErrorCode::Shape));
}
