//! Codes under one scale, one per entry of an axis, and one per block.

use lowbit_kernels::convert::{Code, Granularity, Scales, dynamic_range};
use lowbit_kernels::error::What;
use lowbit_kernels::testing::Random;

fn case<T: Code>(seed: u64, range: (i32, i32)) {
    let mut random = Random::new(seed);
    let shape = [random.int(1, 3), random.int(1, 7), random.int(1, 5)].map(|size| size as usize);
    let [_, axis, inner] = shape;
    let block = random.int(1, 4) as usize;
    let granularity = [Granularity::Tensor, Granularity::Axis, Granularity::Blocks(block)][seed as usize % 3];
    let scales = Scales { shape, granularity };
    let [count, entries] = scales.lengths().expect("sizes");
    // Powers of two: quotients are exact.
    let scale = random.many(entries, |random| f32::from_bits(((120 + random.int(0, 6)) as u32) << 23));
    let zero = random.many(entries, |random| T::from_i32(random.int(range.0.max(-99), range.1.min(99))));
    let zero = seed.is_multiple_of(2).then_some(zero.as_slice());
    let x = random.many(count, |random| random.float() * 40.0);
    let entry = |i: usize| match granularity {
        Granularity::Tensor => 0,
        Granularity::Axis => i / inner % axis,
        Granularity::Blocks(block) => {
            (i / (axis * inner) * axis.div_ceil(block) + i / inner % axis / block) * inner + i % inner
        }
    };
    let zero_at = |i: usize| zero.map_or(0, |zero| zero[entry(i)].into());
    let mut codes = vec![T::default(); count];
    scales.quantize(&x, &scale, zero, range, &mut codes).expect("valid");
    let mut back = vec![f32::NAN; count];
    scales.dequantize(&codes, &scale, zero, &mut back).expect("valid");
    for i in 0..count {
        let scale = f64::from(scale[entry(i)]);
        let steps = (f64::from(x[i]) / scale).round_ties_even() as i64 + zero_at(i);
        let code: i64 = codes[i].into();
        assert_eq!(code, steps.clamp(range.0.into(), range.1.into()), "seed {seed}");
        assert_eq!(f64::from(back[i]), (code - zero_at(i)) as f64 * scale, "seed {seed}");
    }
}

pub(super) fn scales() {
    for seed in 0..120 {
        case::<i8>(seed, (-128, 127));
        case::<u8>(seed, (0, 255));
        case::<i16>(seed, (-32768, 32767));
        case::<u16>(seed, (0, 65535));
        case::<i8>(seed, (-8, 7));
    }
    let scales = Scales { shape: [1, 2, 1], granularity: Granularity::Axis };
    let mut y = [0_i8; 2];
    let refused = |scale: &[f32], y: &mut [i8]| {
        scales.quantize(&[0.0; 2], scale, None, (-128, 127), y).map_err(|e| e.what)
    };
    assert_eq!(refused(&[1.0], &mut y), Err(What::Scale));
    assert_eq!(refused(&[1.0, 0.0], &mut y), Err(What::Scale));
    assert_eq!(refused(&[1.0, 1.0], &mut y[1..]), Err(What::Length));
    let special = [f32::NAN, f32::INFINITY];
    scales.quantize(&special, &[1.0; 2], Some(&[5, 5]), (-128, 127), &mut y).expect("valid");
    assert_eq!(y, [5, 127]);
}

pub(super) fn ranges() {
    assert_eq!(dynamic_range(&[-1.0, 4.1]), Ok((5.1 / 255.0, 50)));
    assert_eq!(dynamic_range(&[2.0, 5.1]), Ok((5.1 / 255.0, 0)));
    assert_eq!(dynamic_range(&[-5.1, -2.0, f32::NAN]), Ok((5.1 / 255.0, 255)));
    assert_eq!(dynamic_range(&[0.0]), Ok((1.0, 0)));
    assert_eq!(dynamic_range(&[f32::INFINITY]).map_err(|e| e.what), Err(What::Scale));
}
