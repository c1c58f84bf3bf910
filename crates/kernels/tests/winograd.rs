//! Convolutions by Winograd's products equal plain arithmetic, exactly, in every tier that has them.

use lowbit_kernels::affine_gemm::{AffineCodes, AffineGemm, AffineInput, WinogradConvolution};
use lowbit_kernels::buffer::{Buffer, Scratch};
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::error::{ErrorCode, Op};
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::output::{OutputKind, OutputMut, OutputTransform};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;
use proptest::prelude::*;

const TIERS: [Tier; 2] = [Tier::Simd128, Tier::Relaxed];

#[derive(Debug)]
struct Case {
    batch: usize,
    size: [usize; 2],
    pads: [usize; 4],
    channels: usize,
    columns: usize,
    input: AffineInput,
    x: Vec<i8>,
    /// `[columns, 3, 3, channels]`
    codes: Vec<u8>,
    zeros: Vec<i32>,
}

impl Case {
    fn random(
        batch: usize,
        size: [usize; 2],
        pads: [usize; 4],
        channels: usize,
        columns: usize,
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed);
        let unsigned = random.int(0, 1) == 1;
        let low = if unsigned { 0 } else { -128 };
        let zero_point = [low, low + 255, 0, random.int(low, low + 255)][random.int(0, 3) as usize];
        let mut codes = random.many(columns * 9 * channels, |r| r.int(0, 255) as u8);
        // All of their range: a relaxed dot would take less of it as bytes.
        for codes in codes.chunks_exact_mut(9 * channels) {
            codes[..2].copy_from_slice(&[0, 255]);
        }
        Self {
            batch,
            size,
            pads,
            channels,
            columns,
            input: AffineInput { unsigned, zero_point },
            x: random.many(batch * size[0] * size[1] * channels, |r| r.int(low, low + 255) as i8),
            codes,
            zeros: random.many(columns, |r| [0, 128, 255, r.int(-1024, 1024)][r.int(0, 3) as usize]),
        }
    }

    fn geometry(&self) -> Geometry {
        let window = Window { kernel: [3, 3], pads: self.pads, ..Window::POINT };
        Geometry::new(Op::Conv, self.size, window).expect("fits")
    }

    fn gemm(&self, tier: Tier, output: OutputTransform) -> AffineGemm {
        let depth = 9 * self.channels;
        let weights = AffineCodes {
            columns: self.columns,
            depth,
            group_size: depth,
            bits: 8,
            codes: &self.codes,
            zero_points: &self.zeros,
        };
        AffineGemm::new(tier, &weights, self.input, output).expect("valid")
    }

    /// Plain arithmetic: a missing tap adds nothing.
    fn expected(&self) -> Vec<i32> {
        let Geometry { input: [height, width], output: [lines, pixels], .. } = self.geometry();
        let mut y = Vec::new();
        for at in 0..self.batch * lines * pixels {
            let (image, line, pixel) = (at / (lines * pixels), at / pixels % lines, at % pixels);
            for (codes, zero) in self.codes.chunks_exact(9 * self.channels).zip(&self.zeros) {
                let mut sum = 0_i64;
                for (tap, codes) in codes.chunks_exact(self.channels).enumerate() {
                    let from_line = (line + tap / 3).wrapping_sub(self.pads[0]);
                    let from_pixel = (pixel + tap % 3).wrapping_sub(self.pads[1]);
                    if from_line >= height || from_pixel >= width {
                        continue;
                    }
                    let start = ((image * height + from_line) * width + from_pixel) * self.channels;
                    for (x, code) in self.x[start..][..self.channels].iter().zip(codes) {
                        let x = if self.input.unsigned { i64::from(*x as u8) } else { i64::from(*x) };
                        sum += (x - i64::from(self.input.zero_point)) * i64::from(i32::from(*code) - zero);
                    }
                }
                y.push(i32::try_from(sum).expect("fits"));
            }
        }
        y
    }

    fn assert_exact(&self) {
        let expected = self.expected();
        for tier in TIERS {
            let conv = WinogradConvolution::new(self.geometry(), self.gemm(tier, OutputTransform::I32))
                .expect("computes");
            let mut y = vec![i32::MIN; expected.len()];
            run(&conv, &self.x, self.batch, 0..self.batch * conv.lines(), OutputMut::I32(&mut y));
            assert_eq!(y, expected, "{tier} {self:?}");
        }
    }
}

fn run(conv: &WinogradConvolution, x: &[i8], batch: usize, lines: core::ops::Range<usize>, y: OutputMut<'_>) {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::Conv, conv.scratch_lines()).expect("memory");
    conv.run_lines(x, batch, lines, y, &mut scratch.arena()).expect("valid");
}

#[test]
fn sums_are_exact_on_all_small_images() {
    let mut seed = 0;
    for height in 1..=9 {
        for width in 1..=9 {
            seed += 1;
            let pads = [[1; 4], [0; 4], [1, 0, 0, 1], [0, 2, 3, 0]][seed as usize % 4];
            if height + pads[0] + pads[2] < 3 || width + pads[1] + pads[3] < 3 {
                continue;
            }
            let (batch, channels, columns) = (1 + height % 3, 8 * (1 + width % 3), 1 + seed as usize % 19);
            Case::random(batch, [height, width], pads, channels, columns, seed).assert_exact();
        }
    }
    // More than one block of strips.
    Case::random(2, [15, 33], [1; 4], 32, 33, 7).assert_exact();
    Case::random(1, [9, 9], [1; 4], 256, 16, 8).assert_exact();
}

/// Products of one sign at the ends of both types, signs that alternate over the taps or the channels, and all the transforms at their ends.
#[test]
fn sums_are_exact_at_the_ends() {
    let patterns: [fn(usize) -> bool; 4] =
        [|_| true, |at| at.is_multiple_of(2), |at| (at / 8).is_multiple_of(2), |at| at / 8 % 9 == 4];
    for (unsigned, low, high) in [(false, -128, 127), (true, 0, 255)] {
        for zero_point in [low, high, 0] {
            for (i, pattern) in patterns.iter().enumerate() {
                for (x_pattern, zero) in patterns.iter().zip([-1024, 0, 128, 1024]) {
                    let mut case = Case::random(1, [4, 5], [1; 4], 8, 3, i as u64);
                    let end = |at: usize| if x_pattern(at) { high } else { low };
                    case.x = (0..case.x.len()).map(|at| end(at) as i8).collect();
                    case.codes = (0..case.codes.len()).map(|at| if pattern(at) { 255 } else { 0 }).collect();
                    case.codes.chunks_exact_mut(72).for_each(|codes| codes[..2].copy_from_slice(&[0, 255]));
                    case.zeros.fill(zero);
                    case.input = AffineInput { unsigned, zero_point };
                    case.assert_exact();
                }
            }
        }
    }
}

/// The most channels whose largest sums, times four, fit int32; eight more are left to the product as it was.
#[test]
fn channels_at_the_bound() {
    let case = |channels: usize| {
        let mut case = Case::random(1, [3, 3], [0; 4], channels, 1, 1);
        case.input = AffineInput { unsigned: true, zero_point: 255 };
        case.x.fill(0);
        case.codes.fill(0);
        // One code at the other end, so that relaxed dots do not take them as bytes.
        case.codes[0] = 255;
        case.zeros.fill(128);
        case
    };
    // 9 * 1824 * 255 * 128 * 4 < 2^31 < 9 * 1832 * 255 * 128 * 4
    case(1824).assert_exact();
    let beyond = case(1832);
    for tier in TIERS {
        assert!(!WinogradConvolution::computes(&beyond.geometry(), &beyond.gemm(tier, OutputTransform::I32)));
        let refused = WinogradConvolution::new(beyond.geometry(), beyond.gemm(tier, OutputTransform::I32));
        assert_eq!(refused.err().map(|e| e.code), Some(ErrorCode::Range));
    }
}

#[test]
fn other_windows_and_weights_are_left_alone() {
    let mut case = Case::random(1, [9, 9], [1; 4], 32, 16, 3);
    let takes = |case: &Case, tier, window| {
        let geometry = Geometry::new(Op::Conv, case.size, window).expect("fits");
        WinogradConvolution::pays(&geometry, &case.gemm(tier, OutputTransform::I32))
    };
    let window = case.geometry().window;
    assert!(takes(&case, Tier::Simd128, window));
    assert!(!takes(&case, Tier::Scalar, window));
    assert!(!takes(&case, Tier::Simd128, Window { strides: [2, 1], ..window }));
    assert!(!takes(&case, Tier::Simd128, Window { dilations: [1, 2], ..window }));
    assert!(!takes(&case, Tier::Simd128, Window { kernel: [1, 9], ..window }));
    case.zeros[3] = 3000;
    assert!(!takes(&case, Tier::Simd128, window));
    assert!(!takes(&Case::random(1, [2, 2], [1; 4], 32, 16, 3), Tier::Simd128, window));
}

/// Every transform gives what it gives behind gathered rows, also where lines are computed one by one.
#[test]
fn outputs_are_those_of_the_gathered_form() {
    let case = Case::random(2, [7, 10], [1, 1, 0, 2], 16, 37, 5);
    let mut random = Random::new(9);
    let float = random.many(37, |r| r.float() * 0.001);
    let whole = random.many(37, |r| r.int(-9999, 9999));
    let floats = || Buffer::from_slice(Op::AffineGemm, &float).expect("memory");
    let integers = || Buffer::from_slice(Op::AffineGemm, &whole).expect("memory");
    let outputs: [&dyn Fn() -> OutputTransform; 3] = [
        &|| OutputTransform::Int8 {
            multiplier: floats(),
            bias: integers(),
            zero_point: 3,
            clamp: [-100, 120],
        },
        &|| OutputTransform::F32 { scale: floats(), bias: floats(), clamp: [-5.0, f32::INFINITY] },
        &|| OutputTransform::Bits { thresholds: integers() },
    ];
    for output in outputs {
        let kind = output().kind();
        let geometry = case.geometry();
        let gathered = Convolution::new(geometry, vec![case.gemm(Tier::Scalar, output())], case.input.zero())
            .expect("valid");
        let row = kind.row_len(gathered.kernels()[0].columns());
        let len = 2 * geometry.output_pixels() * row;
        let expected = with_words(kind, len, |y| {
            let mut scratch = Scratch::new();
            scratch.reserve(Op::Conv, gathered.scratch_lines()).expect("memory");
            gathered.run(&case.x, 2, y, &mut scratch.arena()).expect("valid");
        });
        for tier in TIERS {
            let conv = WinogradConvolution::new(geometry, case.gemm(tier, output())).expect("computes");
            let lines = 2 * conv.lines();
            for step in [lines, 1, 3] {
                let mut got = Vec::new();
                for first in (0..lines).step_by(step) {
                    let part = first..lines.min(first + step);
                    let pixels = conv.pixels_before(part.end) - conv.pixels_before(part.start);
                    got.extend(with_words(kind, pixels * row, |y| run(&conv, &case.x, 2, part.clone(), y)));
                }
                assert_eq!(got, expected, "{tier} {kind:?} by {step}");
            }
        }
    }
}

/// What `fill` writes, as words.
fn with_words(kind: OutputKind, len: usize, fill: impl FnOnce(OutputMut<'_>)) -> Vec<u32> {
    match kind {
        OutputKind::Int8 => {
            let mut y = vec![0; len];
            fill(OutputMut::Int8(&mut y));
            y.into_iter().map(|y| y as u32).collect()
        }
        OutputKind::F32 => {
            let mut y = vec![0.0; len];
            fill(OutputMut::F32(&mut y));
            y.into_iter().map(f32::to_bits).collect()
        }
        _ => {
            let mut y = vec![0; len];
            fill(OutputMut::Bits(&mut y));
            y
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_image(batch in 1_usize..3, height in 1_usize..12, width in 1_usize..12, pads in prop::array::uniform4(0_usize..3), blocks in 1_usize..5, columns in 1_usize..24, seed: u64) {
        prop_assume!(height + pads[0] + pads[2] >= 3 && width + pads[1] + pads[3] >= 3);
        Case::random(batch, [height, width], pads, 8 * blocks, columns, seed).assert_exact();
    }
}
