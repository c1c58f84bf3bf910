//! Integer requantization, sums and means equal their definitions in 128 bits.

use lowbit_kernels::convert::Byte;
use lowbit_kernels::error::{ErrorCode, Op, What};
use lowbit_kernels::fixed_point::{Codes, Factor, Operand, Rounding, add, average, naive, requantize};
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

/// A multiplier of the usual range or an end of it, and any exponent.
fn draw_factor(random: &mut Random) -> (i32, i32) {
    let multiplier = match random.int(0, 4) {
        0 => [0, 1 << 30, i32::MAX][random.int(0, 2) as usize],
        _ => random.int(1 << 30, i32::MAX),
    };
    (multiplier, if random.int(0, 3) == 0 { random.int(-31, 30) } else { random.int(-12, 0) })
}

/// Any sum, or an end of int32, or one that a power of two divides, so that halves are met.
fn draw_sum(random: &mut Random) -> i32 {
    match random.int(0, 5) {
        0 => [i32::MIN, i32::MAX, 0, -1, 1][random.int(0, 4) as usize],
        1 => random.int(-1000, 1000) << 12,
        _ => random.int(-1_000_000, 1_000_000),
    }
}

fn draw_codes<T: Byte>(random: &mut Random) -> Codes {
    let (low, high) = T::RANGE;
    let ends = [random.int(low, high), random.int(low, high)];
    Codes { zero_point: random.int(low, high), clamp: (ends[0].min(ends[1]), ends[0].max(ends[1])) }
}

fn finished(scaled: i64, codes: Codes) -> i32 {
    (scaled + i64::from(codes.zero_point)).clamp(codes.clamp.0.into(), codes.clamp.1.into()) as i32
}

fn sums<T: Byte>(seed: u64) {
    let mut random = Random::new(seed);
    let (rows, columns) = (random.int(1, 4) as usize, random.int(1, 19) as usize);
    let x = random.many(rows * columns, draw_sum);
    let bias = random.many(columns, |random| random.int(-1000, 1000));
    let bias = (random.int(0, 1) == 1).then_some(bias.as_slice());
    let count = if random.int(0, 1) == 0 { 1 } else { columns };
    let drawn = random.many(count, draw_factor);
    let factors = drawn.iter().map(|&(m, e)| Factor::new(m, e).expect("valid")).collect::<Vec<_>>();
    let codes = draw_codes::<T>(&mut random);
    let mut y = vec![T::default(); x.len()];
    let rounding = [Rounding::Twice, Rounding::Once][random.int(0, 1) as usize];
    requantize(&x, columns, bias, &factors, rounding, codes, &mut y).expect("valid");
    for (i, y) in y.iter().enumerate() {
        let sum = x[i].wrapping_add(bias.map_or(0, |bias| bias[i % columns]));
        let (multiplier, exponent) = drawn[i % columns % count];
        let exact = if rounding == Rounding::Twice { naive::scaled } else { naive::scaled_once };
        let scaled = exact(sum.into(), multiplier.into(), exponent);
        assert_eq!((*y).into(), finished(scaled, codes), "seed {seed}: {sum} by {multiplier}, {exponent}");
    }
}

fn additions<T: Byte>(seed: u64) {
    let mut random = Random::new(seed);
    let (low, high) = T::RANGE;
    let mut bytes = || random.many(40, |random| T::from_i32(random.int(low, high)));
    let (a, b) = (bytes(), bytes());
    let small = |random: &mut Random| (random.int(1 << 30, i32::MAX), random.int(-20, 0));
    let (of_a, of_b) = (small(&mut random), small(&mut random));
    let of_y = (random.int(1 << 30, i32::MAX), random.int(-31, -10));
    let zeros = [random.int(low, high), random.int(low, high)];
    let codes = draw_codes::<T>(&mut random);
    let factor = |(m, e)| Factor::new(m, e).expect("valid");
    let operands =
        [Operand { zero_point: zeros[0], factor: factor(of_a) }, Operand { zero_point: zeros[1], factor: factor(of_b) }];
    let mut y = vec![T::default(); a.len()];
    add(&a, &b, operands, factor(of_y), codes, &mut y).expect("valid");
    for ((a, b), y) in a.iter().zip(&b).zip(&y) {
        let common = |code: T, zero: i32, (m, e): (i32, i32)| {
            naive::scaled(i64::from(code.into() - zero) << 20, m.into(), e)
        };
        let sum = common(*a, zeros[0], of_a) + common(*b, zeros[1], of_b);
        assert_eq!((*y).into(), finished(naive::scaled(sum, of_y.0.into(), of_y.1), codes), "seed {seed}");
    }
}

fn means<T: Byte>(seed: u64) {
    let mut random = Random::new(seed);
    let mut pair = |low, high| [random.int(low, high) as usize, random.int(low, high) as usize];
    let (input, kernel, strides) = (pair(3, 6), pair(1, 3), pair(1, 2));
    let pads = core::array::from_fn(|side| random.int(0, kernel[side % 2] as i32 - 1) as usize);
    let window = Window { kernel, strides, dilations: [1, 1], pads };
    let geometry = Geometry::new(Op::FixedPoint, input, window).expect("fits");
    let (channels, batch) = (random.int(1, 70) as usize, 2);
    let (low, high) = T::RANGE;
    let x = random.many(batch * geometry.input_pixels() * channels, |random| T::from_i32(random.int(low, high)));
    let codes = draw_codes::<T>(&mut random);
    let mut y = vec![T::default(); batch * geometry.output_pixels() * channels];
    average(geometry, channels, &x, batch, codes, &mut y).expect("valid");
    for (i, y) in y.iter().enumerate() {
        let (channel, at) = (i % channels, i / channels % geometry.output_pixels());
        let image = i / channels / geometry.output_pixels();
        let mut taps = Vec::new();
        for ky in geometry.inside(0, at / geometry.output[1]) {
            for kx in geometry.inside(1, at % geometry.output[1]) {
                let row = geometry.source(0, at / geometry.output[1], ky);
                let column = geometry.source(1, at % geometry.output[1], kx);
                let pixel = (image * input[0] + row) * input[1] + column;
                taps.push(i64::from(x[pixel * channels + channel].into()));
            }
        }
        let mean = naive::mean(&taps).clamp(codes.clamp.0.into(), codes.clamp.1.into());
        assert_eq!(i64::from((*y).into()), mean, "seed {seed}");
    }
}

pub(crate) fn check(_: Tier) {
    for seed in 0..300 {
        sums::<i8>(seed);
        sums::<u8>(seed);
        additions::<i8>(seed);
        additions::<u8>(seed);
        means::<i8>(seed);
        means::<u8>(seed);
    }
    known();
    refusals();
}

/// Halves: of the product towards +inf, of the shift away from 0.
fn known() {
    let half = Factor::new(1 << 30, 0).expect("valid");
    assert_eq!([-3, -2, -1, 1, 2, 3].map(|x| half.scaled(x)), [-1, -1, 0, 1, 1, 2]);
    let eighth = Factor::new(1 << 30, -2).expect("valid");
    assert_eq!([-12, -4, 4, 12].map(|x| eighth.scaled(x)), [-2, -1, 1, 2]);
    assert_eq!([-12, -4, 4, 12].map(|x| eighth.scaled_once(x)), [-1, 0, 1, 2]);
    // What would leave int32 stays at its end.
    assert_eq!(Factor::new(i32::MAX, 30).expect("valid").scaled(i32::MAX), i32::MAX - 1);
}

fn refusals() {
    let factor = |m, e| Factor::new(m, e).map(|_| ()).map_err(|error| (error.code, error.what));
    assert_eq!(factor(-1, 0), Err((ErrorCode::Range, What::Multiplier)));
    assert_eq!(factor(1 << 30, 31), Err((ErrorCode::Range, What::Exponent)));
    assert_eq!(factor(1 << 30, -32), Err((ErrorCode::Range, What::Exponent)));
    let one = [Factor::new(1 << 30, 0).expect("valid"); 3];
    let of = |codes, factors: &[Factor], bias: Option<&[i32]>| {
        requantize(&[0; 4], 2, bias, factors, Rounding::Twice, codes, &mut [0_i8; 4]).map_err(|error| error.what)
    };
    let codes = Codes { zero_point: 0, clamp: (-128, 127) };
    assert_eq!(of(Codes { zero_point: 200, ..codes }, &one[..1], None), Err(What::ZeroPoint));
    assert_eq!(of(Codes { clamp: (3, 2), ..codes }, &one[..1], None), Err(What::Clamp));
    assert_eq!(of(codes, &one, None), Err(What::Multiplier));
    assert_eq!(of(codes, &one[..1], Some(&[0])), Err(What::Bias));
}
