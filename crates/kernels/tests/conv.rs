//! The convolution driver against nested loops over signed coordinates, for kernels of floats and of bits.

use lowbit_kernels::buffer::{Buffer, Scratch};
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::error::{ErrorCode, Op};
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::ternary_gemm::{TernaryGemm, TernaryInput, TernaryWeights};
use lowbit_kernels::testing::{Random, pack_codes, pack_signs};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::xnor_gemm::{Activations, BinaryConvolution, Counting, Padding, XnorGemm, XnorShape};

#[derive(Clone, Copy, Debug)]
struct Case {
    batch: usize,
    input: [usize; 2],
    channels: usize,
    columns: usize,
    groups: usize,
    window: Window,
}

impl Case {
    fn geometry(&self) -> Option<Geometry> {
        Geometry::new(Op::Conv, self.input, self.window).ok()
    }

    fn k(&self) -> usize {
        self.window.taps() * self.channels / self.groups
    }

    /// Small integers, so that every order of summation is exact.
    fn values(&self, seed: u64, low: i32, high: i32) -> (Vec<i32>, Vec<i32>) {
        let mut random = Random::new(seed);
        let x = random.many(self.batch * self.input[0] * self.input[1] * self.channels, |r| r.int(low, high));
        (x, random.many(self.columns * self.k(), |r| r.int(low, high)))
    }

    /// `[batch, h', w', columns]`; a missing tap counts as `fill`.
    fn naive(&self, x: &[i32], w: &[i32], fill: i32) -> Vec<i32> {
        let (g, [kernel_h, kernel_w]) = (self.geometry().expect("fits"), self.window.kernel);
        let (per_group, outputs) = (self.channels / self.groups, self.columns / self.groups);
        let mut y = Vec::new();
        for image in x.chunks_exact(self.input[0] * self.input[1] * self.channels) {
            for (oy, ox) in (0..g.output[0]).flat_map(|oy| (0..g.output[1]).map(move |ox| (oy, ox))) {
                for n in 0..self.columns {
                    let mut sum = 0;
                    for (i, w) in w[n * self.k()..][..self.k()].iter().enumerate() {
                        let (tap, c) = (i / per_group, i % per_group + n / outputs * per_group);
                        let at = |axis: usize, o: usize, tap: usize| {
                            (o * self.window.strides[axis] + tap * self.window.dilations[axis]) as i64
                                - self.window.pads[axis] as i64
                        };
                        let (iy, ix) = (at(0, oy, tap / kernel_w), at(1, ox, tap % kernel_w));
                        let inside = (0..self.input[0] as i64).contains(&iy)
                            && (0..self.input[1] as i64).contains(&ix);
                        let pixel =
                            |iy: i64, ix: i64| (iy as usize * self.input[1] + ix as usize) * self.channels;
                        sum += w * if inside { image[pixel(iy, ix) + c] } else { fill };
                    }
                    y.push(sum);
                }
            }
        }
        assert_eq!(kernel_h * kernel_w, self.window.taps());
        y
    }
}

/// A grid over what decides a path: stride, dilation, pads, groups, channels around the copies' sizes, batch.
fn cases() -> impl Iterator<Item = Case> {
    (0..700_u64).map(|seed| {
        let mut random = Random::new(seed);
        let mut size = |low, high| random.int(low, high) as usize;
        let groups = [1, 1, 1, 2, 3][size(0, 4)];
        Case {
            batch: size(1, 2),
            input: [size(1, 9), size(1, 9)],
            channels: groups * [1, 2, 3, 5, 8, 31, 32, 33][size(0, 7)],
            columns: groups * size(1, 19),
            groups,
            window: Window {
                kernel: [size(1, 4), size(1, 4)],
                strides: [size(1, 3), size(1, 3)],
                dilations: [size(1, 2), size(1, 2)],
                pads: [size(0, 3), size(0, 3), size(0, 3), size(0, 3)],
            },
        }
    })
}

fn scratch(lines: usize) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::Conv, lines).expect("memory");
    scratch
}

fn float_conv(case: &Case, tier: Tier, x: &[i32], w: &[i32], fill: i32) -> Vec<i32> {
    let floats = |values: &[i32]| values.iter().map(|v| *v as f32).collect::<Vec<_>>();
    let n = case.columns / case.groups;
    let free = (f32::NEG_INFINITY, f32::INFINITY);
    let gemm = |w: &[i32]| GemmF32::new(tier, n, case.k(), &floats(w), &[], free).expect("valid");
    let gemms = w.chunks_exact(n * case.k()).map(gemm).collect();
    let conv = Convolution::new(case.geometry().expect("fits"), gemms, fill as f32).expect("fits");
    let mut y = vec![f32::NAN; case.batch * conv.geometry().output_pixels() * case.columns];
    let mut scratch = scratch(conv.scratch_lines());
    conv.run(&floats(x), case.batch, OutputMut::F32(&mut y), &mut scratch.arena()).expect("valid");
    y.iter().map(|v| *v as i32).collect()
}

#[test]
fn floats_with_groups_padding_stride_and_dilation() {
    let mut checked = 0;
    for (seed, case) in cases().enumerate().filter(|(_, case)| case.geometry().is_some()) {
        let (x, w) = case.values(seed as u64, -8, 8);
        for fill in [0, 3] {
            for tier in [Tier::Scalar, Tier::Simd128] {
                let y = float_conv(&case, tier, &x, &w, fill);
                assert_eq!(y, case.naive(&x, &w, fill), "{tier} seed {seed} {case:?} fill {fill}");
            }
        }
        checked += 1;
    }
    assert!(checked > 500, "{checked} cases fit");
}

#[test]
fn points_need_no_gathering() {
    let window = Window::POINT;
    let case = Case { batch: 3, input: [5, 7], channels: 6, columns: 9, groups: 1, window };
    let (x, w) = case.values(1, -8, 8);
    assert_eq!(float_conv(&case, Tier::Simd128, &x, &w, 0), case.naive(&x, &w, 0));
}

/// Every way to count: tier by counting.
fn ways() -> impl Iterator<Item = (Tier, Counting)> {
    Tier::ALL.into_iter().flat_map(|tier| [(tier, Counting::Lookup), (tier, Counting::Popcount)])
}

fn signs(values: Vec<i32>) -> Vec<i32> {
    values.into_iter().map(|v| 1 - 2 * v).collect()
}

/// Random ±1: activations and weights.
fn binary_values(case: &Case, seed: u64) -> (Vec<i32>, Vec<i32>) {
    let (x, w) = case.values(seed, 0, 1);
    (signs(x), signs(w))
}

/// `output` makes the transform of a group.
fn binary_conv(
    case: &Case,
    (tier, counting): (Tier, Counting),
    w: &[i32],
    padding: Padding,
    output: impl Fn(usize) -> OutputTransform,
) -> BinaryConvolution {
    let columns = case.columns / case.groups;
    let (taps, channels) = (case.window.taps(), case.channels / case.groups);
    let shape = XnorShape { columns, taps, channels, activations: Activations::Bits };
    let group = |(g, w): (usize, &[i32])| {
        let codes: Vec<u8> = w.iter().map(|w| u8::from(*w < 0)).collect();
        XnorGemm::with_counting(tier, counting, shape, &pack_codes(&codes, case.k(), 1), output(g))
            .expect("valid")
    };
    let gemms = w.chunks_exact(columns * case.k()).enumerate().map(group).collect();
    BinaryConvolution::new(case.geometry().expect("fits"), gemms, padding).expect("fits")
}

fn sums_of(case: &Case, conv: &BinaryConvolution, x: &[u32]) -> Vec<i32> {
    let mut y = vec![i32::MIN; case.batch * conv.geometry().output_pixels() * case.columns];
    let mut scratch = scratch(conv.scratch_lines());
    conv.run(x, case.batch, OutputMut::I32(&mut y), &mut scratch.arena()).expect("valid");
    y
}

#[test]
fn bits_with_padding_of_one_and_of_zero() {
    let fitting = cases().enumerate().filter(|(_, case)| case.geometry().is_some() && case.groups == 1);
    for (seed, case) in fitting.take(200) {
        let (x, w) = binary_values(&case, seed as u64);
        let packed = pack_signs(&x, case.channels, false);
        for (padding, fill) in [(Padding::Zero, 0), (Padding::One, 1)] {
            let expected = case.naive(&x, &w, fill);
            for way in ways() {
                let conv = binary_conv(&case, way, &w, padding, |_| OutputTransform::I32);
                assert_eq!(
                    sums_of(&case, &conv, &packed),
                    expected,
                    "{way:?} seed {seed} {case:?} {padding:?}"
                );
            }
        }
    }
}

/// Zero and one padding x stride x dilation x groups x columns around the panels, as bits, floats and bytes.
#[test]
fn binary_layers_of_every_window() {
    let mut seed = 0;
    for (groups, columns) in [(1, 16), (1, 33), (1, 64), (1, 100), (2, 64), (3, 96)] {
        for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (2, 2), (3, 1)] {
            for pads in [[0; 4], [1; 4], [2, 0, 1, 2]] {
                seed += 1;
                let window = Window {
                    kernel: [3, 1 + seed % 4],
                    strides: [stride, 1 + seed % 2],
                    dilations: [dilation, 1 + seed / 2 % 2],
                    pads,
                };
                let channels = groups * [32, 64, 96][seed % 3];
                let case = Case { batch: 2, input: [6, 7 + seed % 2], channels, columns, groups, window };
                if case.geometry().is_some() {
                    layers(&case, seed as u64);
                }
            }
        }
    }
}

fn layers(case: &Case, seed: u64) {
    let (x, w) = binary_values(case, seed);
    let packed = pack_signs(&x, case.channels, false);
    let columns = case.columns / case.groups;
    let mut random = Random::new(seed);
    let thresholds = random.many(case.columns, |r| r.int(-40, 40));
    let scale = random.many(case.columns, Random::float);
    let part = |values: &[f32], g: usize| {
        Buffer::from_slice(Op::Conv, &values[g * columns..][..columns]).expect("memory")
    };
    let bits = |g: usize| OutputTransform::Bits {
        thresholds: Buffer::from_slice(Op::Conv, &thresholds[g * columns..][..columns]).expect("memory"),
    };
    let floats = |g: usize| OutputTransform::F32 {
        scale: part(&scale, g),
        bias: part(&scale, g),
        clamp: [-20.0, 20.0],
    };
    let bytes = |g: usize| OutputTransform::Int8 {
        multiplier: part(&scale, g),
        bias: Buffer::zeroed(Op::Conv, columns).expect("memory"),
        zero_point: 3,
        clamp: [-128, 127],
    };
    for (padding, fill) in [(Padding::Zero, 0), (Padding::One, 1)] {
        let sums = case.naive(&x, &w, fill);
        let below = |(i, sum): (usize, &i32)| if *sum < thresholds[i % case.columns] { -1 } else { 1 };
        let expected_bits: Vec<i32> = sums.iter().enumerate().map(below).collect();
        let expected_bits = pack_signs(&expected_bits, case.columns, false);
        let at = |i: usize| scale[i % case.columns];
        let expected_floats: Vec<f32> = sums
            .iter()
            .enumerate()
            .map(|(i, sum)| (*sum as f32 * at(i) + at(i)).clamp(-20.0, 20.0))
            .collect();
        let expected_bytes: Vec<i8> = sums
            .iter()
            .enumerate()
            .map(|(i, sum)| ((*sum as f32 * at(i)).round_ties_even() + 3.0).clamp(-128.0, 127.0) as i8)
            .collect();
        for way in ways() {
            let what = format!("{way:?} {case:?} {padding:?}");
            let conv = binary_conv(case, way, &w, padding, |_| OutputTransform::I32);
            assert_eq!(sums_of(case, &conv, &packed), sums, "{what}");
            let mut scratch = scratch(conv.scratch_lines());
            let pixels = case.batch * conv.geometry().output_pixels();
            // Ranges that begin and end inside lines.
            let mut y = vec![i32::MIN; sums.len()];
            for range in [0..pixels / 3, pixels / 3..pixels / 2, pixels / 2..pixels] {
                let out = OutputMut::I32(&mut y[range.start * case.columns..range.end * case.columns]);
                conv.run_pixels(&packed, case.batch, range, out, &mut scratch.arena()).expect("valid");
            }
            assert_eq!(y, sums, "{what} in ranges");

            let conv = binary_conv(case, way, &w, padding, floats);
            let mut y = vec![f32::NAN; sums.len()];
            conv.run(&packed, case.batch, OutputMut::F32(&mut y), &mut scratch.arena()).expect("valid");
            assert_eq!(y, expected_floats, "{what}");

            let conv = binary_conv(case, way, &w, padding, bytes);
            let mut y = vec![99; sums.len()];
            conv.run(&packed, case.batch, OutputMut::Int8(&mut y), &mut scratch.arena()).expect("valid");
            assert_eq!(y, expected_bytes, "{what}");

            // Spare bits are 0, whatever was there before.
            let conv = binary_conv(case, way, &w, padding, bits);
            let mut y = vec![u32::MAX; expected_bits.len()];
            let run = conv.run(&packed, case.batch, OutputMut::Bits(&mut y), &mut scratch.arena());
            if case.groups > 1 && !columns.is_multiple_of(32) {
                assert!(run.is_err(), "{what}");
            } else {
                run.expect("valid");
                assert_eq!(y, expected_bits, "{what}");
            }
        }
    }
}

/// Thresholds at and beyond every sum, and the longest row that is compared in 16 bits.
#[test]
fn thresholds_at_the_limits() {
    let channels = 10_912;
    let window = Window { kernel: [1, 3], ..Window::POINT };
    let case = Case { batch: 1, input: [1, 5], channels, columns: 32, groups: 1, window };
    let k = case.k() as i32;
    let marks = [i32::MIN, -k - 1, -k, -k + 1, -1, 0, 1, k - 1, k, k + 1, i32::MAX];
    let thresholds: Vec<i32> = (0..32).map(|i| marks[i % marks.len()]).collect();
    for (x, w) in [(1, 1), (1, -1)] {
        let (values, weights) = (vec![x; 5 * channels], vec![w; 32 * case.k()]);
        let expected: Vec<i32> =
            (0..3 * 32).map(|i| if x * w * k < thresholds[i % 32] { -1 } else { 1 }).collect();
        for way in ways() {
            let conv = binary_conv(&case, way, &weights, Padding::One, |_| OutputTransform::Bits {
                thresholds: Buffer::from_slice(Op::Conv, &thresholds).expect("memory"),
            });
            let mut y = vec![0; 3];
            let mut scratch = scratch(conv.scratch_lines());
            let x = pack_signs(&values, channels, false);
            conv.run(&x, 1, OutputMut::Bits(&mut y), &mut scratch.arena()).expect("valid");
            assert_eq!(y, pack_signs(&expected, 32, false), "{way:?} {x:?}", x = values[0]);
        }
    }
}

/// Trits: a missing tap is a word of 0 in the non-zero plane, so zero padding is exact without a correction; asking for one changes nothing.
#[test]
fn trits_pad_with_zeros() {
    let fitting = cases().enumerate().filter(|(_, case)| case.geometry().is_some() && case.groups == 1);
    for (seed, case) in fitting.take(100) {
        let (x, _) = case.values(seed as u64, -1, 1);
        let w: Vec<i32> = case.values(seed as u64, 0, 1).1.iter().map(|w| 1 - 2 * w).collect();
        let codes: Vec<u8> = w.iter().map(|w| u8::from(*w < 0)).collect();
        let (codes, packed) = (pack_codes(&codes, case.k(), 1), pack_signs(&x, case.channels, true));
        let (taps, channels, columns) = (case.window.taps(), case.channels, case.columns);
        let shape = XnorShape { columns, taps, channels, activations: Activations::Trits };
        let expected = case.naive(&x, &w, 0);
        for way in ways() {
            for padding in [Padding::One, Padding::Zero] {
                let gemm = XnorGemm::with_counting(way.0, way.1, shape, &codes, OutputTransform::I32)
                    .expect("valid");
                let conv = BinaryConvolution::new(case.geometry().expect("fits"), vec![gemm], padding)
                    .expect("fits");
                assert_eq!(sums_of(&case, &conv, &packed), expected, "{way:?} seed {seed} {case:?}");
            }
        }
    }
}

/// Ranges of pixels, each with memory and scratch of its own, are the whole: what threads share out.
#[test]
fn ranges_of_pixels_make_the_whole() {
    for (seed, case) in cases().enumerate().filter(|(_, case)| case.geometry().is_some()).take(150) {
        let (x, w) = case.values(seed as u64, 0, 1);
        let signs: Vec<i32> = x.iter().map(|v| 1 - 2 * v).collect();
        let codes: Vec<u8> = w.iter().map(|w| *w as u8).collect();
        let (taps, channels) = (case.window.taps(), case.channels / case.groups);
        let case = Case { channels, groups: 1, columns: case.columns / case.groups, ..case };
        let shape = XnorShape { columns: case.columns, taps, channels, activations: Activations::Bits };
        let codes = pack_codes(&codes[..case.columns * case.k()], case.k(), 1);
        let signs = &signs[..case.batch * case.input[0] * case.input[1] * channels];
        let x = pack_signs(signs, channels, false);
        let gemm = XnorGemm::new(Tier::Simd128, shape, &codes, OutputTransform::I32).expect("valid");
        let conv = Convolution::with_zero_padding(case.geometry().expect("fits"), vec![gemm]).expect("fits");
        let pixels = case.batch * conv.geometry().output_pixels();
        let run = |range: core::ops::Range<usize>| {
            let mut scratch = scratch(conv.scratch_lines());
            let mut y = vec![i32::MIN; range.len() * case.columns];
            conv.run_pixels(&x, case.batch, range, OutputMut::I32(&mut y), &mut scratch.arena())
                .expect("valid");
            y
        };
        let cut = Random::new(seed as u64).int(0, pixels as i32) as usize;
        assert_eq!([run(0..cut), run(cut..pixels)].concat(), run(0..pixels), "seed {seed} {case:?} at {cut}");
    }
}

#[test]
fn ranges_outside_the_images_are_refused() {
    let geometry = Geometry::new(Op::Conv, [3, 4], Window::POINT).expect("fits");
    let gemm = GemmF32::new(Tier::Scalar, 1, 1, &[1.0], &[], (f32::NEG_INFINITY, f32::INFINITY));
    let conv = Convolution::new(geometry, vec![gemm.expect("valid")], 0.0).expect("fits");
    let mut scratch = scratch(conv.scratch_lines());
    for range in [0..25, 24..26, usize::MAX - 1..usize::MAX, core::ops::Range { start: 5, end: 4 }] {
        let mut y = vec![0.0; 1];
        let out = OutputMut::F32(&mut y);
        let error = conv.run_pixels(&[0.0; 24], 2, range.clone(), out, &mut scratch.arena());
        assert_eq!(error.map_err(|e| e.code), Err(ErrorCode::Range), "{range:?}");
    }
}

/// Ternary weights over uint8: padding is the zero point, which stands for the real 0.
#[test]
fn ternary_weights_pad_with_the_zero_point() {
    let input = TernaryInput { unsigned: true, zero_point: 130 };
    for (seed, case) in cases().enumerate().filter(|(_, case)| case.geometry().is_some()).take(100) {
        let (x, _) = case.values(seed as u64, 0, 255);
        let (_, w) = case.values(seed as u64, -1, 1);
        let columns = case.columns / case.groups;
        let centred: Vec<i32> = x.iter().map(|x| x - 130).collect();
        let bytes: Vec<i8> = x.iter().map(|x| *x as i8).collect();
        for tier in Tier::ALL {
            let group = |w: &[i32]| {
                let codes: Vec<u8> = w.iter().map(|w| (w + 1) as u8).collect();
                let codes = &pack_codes(&codes, case.k(), 2);
                let weights = TernaryWeights { columns, depth: case.k(), bits: 2, codes, zero_points: &[1] };
                TernaryGemm::new(tier, &weights, input, OutputTransform::I32).expect("valid")
            };
            let gemms = w.chunks_exact(columns * case.k()).map(group).collect();
            let conv = Convolution::new(case.geometry().expect("fits"), gemms, 130_u8 as i8).expect("fits");
            let mut y = vec![i32::MIN; case.batch * conv.geometry().output_pixels() * case.columns];
            let mut scratch = scratch(conv.scratch_lines());
            conv.run(&bytes, case.batch, OutputMut::I32(&mut y), &mut scratch.arena()).expect("valid");
            assert_eq!(y, case.naive(&centred, &w, 0), "{tier} seed {seed} {case:?}");
        }
    }
}
