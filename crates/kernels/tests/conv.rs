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
use lowbit_kernels::xnor_gemm::{Activations, XnorGemm, XnorShape};

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

fn binary_conv(case: &Case, tier: Tier, x: &[i32], w: &[i32], zeros: bool) -> Vec<i32> {
    let (taps, channels) = (case.window.taps(), case.channels);
    let codes: Vec<u8> = w.iter().map(|w| u8::from(*w < 0)).collect();
    let shape = XnorShape { columns: case.columns, taps, channels, activations: Activations::Bits };
    let gemm =
        XnorGemm::new(tier, shape, &pack_codes(&codes, case.k(), 1), OutputTransform::I32).expect("valid");
    let geometry = case.geometry().expect("fits");
    let conv = if zeros {
        Convolution::with_zero_padding(geometry, vec![gemm])
    } else {
        Convolution::new(geometry, vec![gemm], 0)
    };
    let conv = conv.expect("fits");
    let mut y = vec![i32::MIN; case.batch * conv.geometry().output_pixels() * case.columns];
    let mut scratch = scratch(conv.scratch_lines());
    let x = pack_signs(x, channels, false);
    conv.run(&x, case.batch, OutputMut::I32(&mut y), &mut scratch.arena()).expect("valid");
    y
}

#[test]
fn bits_with_padding_of_one_and_of_zero() {
    let fitting = cases().enumerate().filter(|(_, case)| case.geometry().is_some() && case.groups == 1);
    for (seed, case) in fitting.take(200) {
        let (x, w) = case.values(seed as u64, 0, 1);
        let signs = |values: Vec<i32>| values.into_iter().map(|v| 1 - 2 * v).collect::<Vec<_>>();
        let (x, w) = (signs(x), signs(w));
        for tier in Tier::ALL {
            for (zeros, fill) in [(true, 0), (false, 1)] {
                let y = binary_conv(&case, tier, &x, &w, zeros);
                assert_eq!(y, case.naive(&x, &w, fill), "{tier} seed {seed} {case:?} fill {fill}");
            }
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
        for tier in Tier::ALL {
            for corrected in [false, true] {
                let gemm = XnorGemm::new(tier, shape, &codes, OutputTransform::I32).expect("valid");
                let geometry = case.geometry().expect("fits");
                let conv = if corrected {
                    Convolution::with_zero_padding(geometry, vec![gemm])
                } else {
                    Convolution::new(geometry, vec![gemm], 0)
                };
                let conv = conv.expect("fits");
                let mut y = vec![i32::MIN; case.batch * conv.geometry().output_pixels() * columns];
                let mut scratch = scratch(conv.scratch_lines());
                let out = OutputMut::I32(&mut y);
                conv.run(&packed, case.batch, out, &mut scratch.arena()).expect("valid");
                assert_eq!(y, case.naive(&x, &w, 0), "{tier} seed {seed} {case:?}");
            }
        }
    }
}

/// Groups of whole words, zero padding, and thresholds that make bits in the same call: a whole binary layer.
#[test]
fn grouped_bits_with_thresholds() {
    for (seed, padding) in [(1, [1, 1, 1, 1]), (2, [0, 2, 1, 0])] {
        let window = Window { kernel: [3, 3], strides: [2, 1], dilations: [1, 2], pads: padding };
        let case = Case { batch: 2, input: [7, 9], channels: 128, columns: 64, groups: 2, window };
        let signs = |values: Vec<i32>| values.into_iter().map(|v| 1 - 2 * v).collect::<Vec<_>>();
        let (x, w) = case.values(seed, 0, 1);
        let (x, w) = (signs(x), signs(w));
        let thresholds = Random::new(seed).many(64, |r| r.int(-40, 40));
        let below = |(i, sum): (usize, &i32)| if *sum < thresholds[i % 64] { -1 } else { 1 };
        let expected: Vec<i32> = case.naive(&x, &w, 0).iter().enumerate().map(below).collect();
        for tier in Tier::ALL {
            let shape = XnorShape { columns: 32, taps: 9, channels: 64, activations: Activations::Bits };
            let group = |(g, w): (usize, &[i32])| {
                let codes: Vec<u8> = w.iter().map(|w| u8::from(*w < 0)).collect();
                let thresholds = Buffer::from_slice(Op::Conv, &thresholds[g * 32..][..32]).expect("memory");
                let output = OutputTransform::Bits { thresholds };
                XnorGemm::new(tier, shape, &pack_codes(&codes, case.k(), 1), output).expect("valid")
            };
            let gemms = w.chunks_exact(32 * case.k()).enumerate().map(group).collect();
            let conv = Convolution::with_zero_padding(case.geometry().expect("fits"), gemms).expect("fits");
            let mut y = vec![0; 2 * conv.geometry().output_pixels() * 2];
            let mut scratch = scratch(conv.scratch_lines());
            let x = pack_signs(&x, 128, false);
            conv.run(&x, 2, OutputMut::Bits(&mut y), &mut scratch.arena()).expect("valid");
            assert_eq!(y, pack_signs(&expected, 64, false), "{tier}");
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
