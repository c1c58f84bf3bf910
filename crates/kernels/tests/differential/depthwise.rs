//! Bytes equal the oracle exactly, floats of small integers too; random floats equal `scalar` bit for bit.

use lowbit_kernels::affine_gemm::{AffineCodes, AffineInput};
use lowbit_kernels::buffer::{Buffer, Scratch};
use lowbit_kernels::depthwise::{DepthwiseAffine, DepthwiseF32, naive};
use lowbit_kernels::error::{ErrorCode, Op, What};
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::output::{OutputKind, OutputMut, OutputTransform};
use lowbit_kernels::testing::{Random, pack_codes};
use lowbit_kernels::tier::Tier;

const FREE: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

fn scratch(lines: usize) -> Scratch {
    let mut scratch = Scratch::new();
    scratch.reserve(Op::Depthwise, lines).expect("memory");
    scratch
}

/// A window that fits, channels around the vectors' sizes, one or two outputs per channel.
fn cases() -> impl Iterator<Item = (u64, Geometry, usize, usize)> {
    (0..300_u64).filter_map(|seed| {
        let mut random = Random::new(seed);
        let mut size = |low, high| random.int(low, high) as usize;
        let window = Window {
            kernel: [size(1, 5), size(1, 5)],
            strides: [size(1, 3), size(1, 3)],
            dilations: [size(1, 2), size(1, 2)],
            pads: [size(0, 2), size(0, 2), size(0, 2), size(0, 2)],
        };
        let geometry = Geometry::new(Op::Depthwise, [size(1, 9), size(1, 9)], window).ok()?;
        let channels = [1, 3, 4, 7, 8, 9, 12, 16, 17, 33, 36, 72][size(0, 11)];
        Some((seed, geometry, channels, channels * [1, 1, 2][size(0, 2)]))
    })
}

fn floats(
    tier: Tier,
    g: Geometry,
    channels: usize,
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    clamp: (f32, f32),
) -> Vec<f32> {
    let conv = DepthwiseF32::new(tier, g, channels, w, bias, clamp).expect("valid");
    let mut y = vec![f32::NAN; 2 * conv.lengths().1];
    conv.run(x, 2, &mut y, scratch(conv.scratch_lines()).arena()).expect("valid");
    y
}

fn float_case(tier: Tier, seed: u64, g: Geometry, channels: usize, outputs: usize) {
    let mut random = Random::new(seed);
    let image = g.input_pixels() * channels;
    let x = random.many(2 * image, |r| r.int(-9, 9));
    let w = random.many(outputs * g.window.taps(), |r| r.int(-9, 9));
    let wide = |v: &[i32]| v.iter().map(|v| i64::from(*v)).collect::<Vec<_>>();
    let float = |v: &[i32]| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
    let expected: Vec<i64> =
        wide(&x).chunks_exact(image).flat_map(|x| naive::depthwise(x, &g, channels, &wide(&w))).collect();
    let y = floats(tier, g, channels, &float(&x), &float(&w), &[], FREE);
    let y: Vec<i64> = y.iter().map(|y| *y as i64).collect();
    assert_eq!(y, expected, "{tier} seed {seed} {g:?} channels {channels} outputs {outputs}");

    let x = random.many(2 * image, Random::float);
    let w = random.many(w.len(), Random::float);
    let bias = random.many(outputs, Random::float);
    let bits = |tier| {
        let y = floats(tier, g, channels, &x, &w, &bias, (-0.5, 0.5));
        y.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(
        bits(tier),
        bits(Tier::Scalar),
        "{tier} seed {seed} {g:?} channels {channels} outputs {outputs}"
    );
}

fn byte_case(tier: Tier, seed: u64, g: Geometry, channels: usize, outputs: usize) {
    let mut random = Random::new(seed);
    let (image, taps) = (g.input_pixels() * channels, g.window.taps());
    let unsigned = random.int(0, 1) == 1;
    let (low, high) = if unsigned { (0, 255) } else { (-128, 127) };
    let input =
        AffineInput { unsigned, zero_point: [low, high, random.int(low, high)][random.int(0, 2) as usize] };
    let bits = [2, 4, 8][random.int(0, 2) as usize];
    let x = random.many(2 * image, |r| r.int(low, high));
    let codes = random.many(outputs * taps, |r| r.int(0, (1 << bits) - 1) as u8);
    // Around the middle, or anywhere: weights of uint8 tensors need 9 bits.
    let zeros =
        random.many(outputs, |r| if seed.is_multiple_of(2) { 1 << (bits - 1) } else { r.int(0, 255) });
    let integers: Vec<i64> =
        codes.iter().enumerate().map(|(i, code)| i64::from(*code) - i64::from(zeros[i / taps])).collect();
    let centred: Vec<i64> = x.iter().map(|x| i64::from(x - input.zero_point)).collect();
    let expected: Vec<i64> =
        centred.chunks_exact(image).flat_map(|x| naive::depthwise(x, &g, channels, &integers)).collect();
    let packed = pack_codes(&codes, taps, bits);
    let weights = AffineCodes {
        columns: outputs,
        depth: taps,
        group_size: taps,
        bits,
        codes: &packed,
        zero_points: &zeros,
    };
    let conv = DepthwiseAffine::new(tier, g, channels, &weights, input, OutputTransform::I32).expect("valid");
    let mut y = vec![i32::MIN; 2 * conv.lengths().1];
    let bytes: Vec<i8> = x.iter().map(|x| *x as i8).collect();
    conv.run(&bytes, 2, OutputMut::I32(&mut y), scratch(conv.scratch_lines()).arena()).expect("valid");
    let y: Vec<i64> = y.into_iter().map(i64::from).collect();
    assert_eq!(
        y, expected,
        "{tier} seed {seed} {g:?} channels {channels} outputs {outputs} {input:?} {bits} bits"
    );
    let transform = |kind: i32| transform(&mut Random::new(seed), kind, outputs);
    for kind in 0..4 {
        let run = |tier| {
            let conv = DepthwiseAffine::new(tier, g, channels, &weights, input, transform(kind)).expect("valid");
            output_bytes(&conv, &bytes)
        };
        assert_eq!(
            run(tier),
            run(Tier::Scalar),
            "{tier} seed {seed} {g:?} channels {channels} outputs {outputs} {input:?}, output {kind}"
        );
    }
}

/// To f32, int8, uint8 or bits; multipliers from so small to so large that all sums end at the bounds.
fn transform(random: &mut Random, kind: i32, n: usize) -> OutputTransform {
    let buffer = |values: Vec<f32>| Buffer::from_slice(Op::Depthwise, &values).expect("memory");
    let integers = |values: Vec<i32>| Buffer::from_slice(Op::Depthwise, &values).expect("memory");
    let exponent = random.int(-20, 2);
    let scale = random.many(n, |r| r.float() * (exponent as f32).exp2());
    let bias = random.many(n, |r| r.int(-3000, 3000));
    match kind {
        0 => OutputTransform::F32 { scale: buffer(scale), bias: buffer(vec![0.5; n]), clamp: [-9.0, 9.0] },
        1 | 2 => {
            let (low, high) = if kind == 1 { (-128, 127) } else { (0, 255) };
            let (a, b) = (random.int(low, high), random.int(low, high));
            let clamp = if random.int(0, 1) == 0 { [low, high] } else { [a.min(b), a.max(b)] };
            let (multiplier, bias) = (buffer(scale), integers(bias));
            OutputTransform::Int8 { multiplier, bias, zero_point: random.int(low, high), clamp }
        }
        _ => OutputTransform::Bits { thresholds: integers(bias) },
    }
}

/// What two images give, as bytes.
fn output_bytes(conv: &DepthwiseAffine, x: &[i8]) -> Vec<u8> {
    let len = 2 * conv.lengths().1;
    let mut scratch = scratch(conv.scratch_lines());
    let mut run = |out: OutputMut<'_>| conv.run(x, 2, out, scratch.arena()).expect("valid");
    match conv.output().kind() {
        OutputKind::I32 => unreachable!("compared with the oracle"),
        OutputKind::F32 => {
            let mut y = vec![f32::NAN; len];
            run(OutputMut::F32(&mut y));
            y.iter().flat_map(|y| y.to_bits().to_le_bytes()).collect()
        }
        OutputKind::Int8 => {
            let mut y = vec![99; len];
            run(OutputMut::Int8(&mut y));
            y.iter().map(|y| *y as u8).collect()
        }
        OutputKind::Bits => {
            let mut y = vec![u32::MAX; len];
            run(OutputMut::Bits(&mut y));
            y.iter().flat_map(|y| y.to_le_bytes()).collect()
        }
    }
}

pub(crate) fn check(tier: Tier) {
    let mut checked = 0;
    for (seed, geometry, channels, outputs) in cases() {
        float_case(tier, seed, geometry, channels, outputs);
        byte_case(tier, seed, geometry, channels, outputs);
        checked += 1;
    }
    assert!(checked > 200, "{checked} cases fit");
    largest_sums(tier);
    let point = Geometry::new(Op::Depthwise, [2, 2], Window::POINT).expect("fits");
    let refused = |channels, w: &[f32], bias: &[f32]| {
        DepthwiseF32::new(tier, point, channels, w, bias, FREE).err().map(|e| (e.code, e.what))
    };
    assert_eq!(refused(2, &[0.0; 4], &[]), None);
    assert_eq!(refused(2, &[0.0; 3], &[]), Some((ErrorCode::Shape, What::Columns)));
    assert_eq!(refused(0, &[0.0; 3], &[]), Some((ErrorCode::Range, What::Channels)));
    assert_eq!(refused(2, &[], &[]), Some((ErrorCode::Range, What::Columns)));
    assert_eq!(refused(2, &[0.0; 2], &[0.0]), Some((ErrorCode::Shape, What::Bias)));
}

/// Products of 255 by 255 of one sign in every lane and pair of taps; weights beyond int16 and sums beyond int32 are refused.
fn largest_sums(tier: Tier) {
    let window = Window { kernel: [3, 3], ..Window::POINT };
    let geometry = Geometry::new(Op::Depthwise, [3, 3], window).expect("fits");
    let input = AffineInput { unsigned: true, zero_point: 0 };
    let new = |codes: &[u8], zero_point| {
        let weights =
            AffineCodes { columns: 17, depth: 9, group_size: 9, bits: 8, codes, zero_points: &[zero_point] };
        DepthwiseAffine::new(tier, geometry, 17, &weights, input, OutputTransform::I32)
    };
    for (code, zero_point, sum) in
        [(255, 0, 9 * 255 * 255), (0, 255, -9 * 255 * 255), (0, 32768, -9 * 255 * 32768)]
    {
        let conv = new(&[code; 17 * 9], zero_point).expect("valid");
        let mut y = [0; 17];
        conv.run(&[-1; 17 * 9], 1, OutputMut::I32(&mut y), scratch(conv.scratch_lines()).arena())
            .expect("valid");
        assert_eq!(y, [sum; 17], "{tier}");
    }
    let refused = new(&[0; 17 * 9], 32769).err().map(|e| (e.code, e.what));
    assert_eq!(refused, Some((ErrorCode::Range, What::Code)), "{tier}");

    let window = Window { kernel: [258, 1], ..Window::POINT };
    let geometry = Geometry::new(Op::Depthwise, [258, 1], window).expect("fits");
    let weights = AffineCodes {
        columns: 1,
        depth: 258,
        group_size: 258,
        bits: 8,
        codes: &[0; 258],
        zero_points: &[32768],
    };
    let refused = DepthwiseAffine::new(tier, geometry, 1, &weights, input, OutputTransform::I32);
    assert_eq!(refused.err().map(|e| (e.code, e.what)), Some((ErrorCode::Accumulator, What::Sum)), "{tier}");
}
