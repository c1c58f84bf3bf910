//! Quantization equals the formula in f64 wherever the quotient is exact, and saturates everywhere else.

mod linear;

use lowbit_kernels::convert::{Byte, canonicalize_nans, count_nans, dequantize, quantize};
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

fn quantized<T: Byte>(tier: Tier, x: &[f32], scale: f32, zero_point: i32) -> Vec<i32> {
    let mut y = vec![T::default(); x.len()];
    quantize(tier, x, scale, zero_point, &mut y).expect("valid");
    y.into_iter().map(Into::into).collect()
}

/// Any bits of floats, by scales from the least to the largest.
fn any_floats(tier: Tier) {
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let x = random.many(seed as usize, |r| f32::from_bits(r.next() as u32));
        let scale = [f32::MIN_POSITIVE, 1.0 / 3.0, 1e-3, 1e9, f32::MAX][random.int(0, 4) as usize];
        let zero_point = random.int(0, 127);
        let both = |tier| {
            let signed = quantized::<i8>(tier, &x, scale, zero_point - 64);
            (signed, quantized::<u8>(tier, &x, scale, 2 * zero_point + 1))
        };
        assert_eq!(both(tier), both(Tier::Scalar), "{tier} seed {seed}");
    }
}

fn ties(tier: Tier) {
    let x = [
        0.5,
        1.5,
        2.5,
        -0.5,
        -1.5,
        -2.5,
        0.499_999_97,
        1e9,
        -1e9,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        -0.0,
        3.5,
        100.5,
        -101.5,
    ];
    let signed = [0, 2, 2, 0, -2, -2, 0, 127, -128, 127, -128, 0, 0, 4, 100, -102];
    assert_eq!(quantized::<i8>(tier, &x, 1.0, 0), signed);
    assert_eq!(quantized::<u8>(tier, &x, 1.0, 3), signed.map(|q: i32| if q == 127 { 255 } else { (q + 3).max(0) }));
    assert_eq!(
        quantized::<i8>(tier, &[f32::MAX], f32::MIN_POSITIVE, -100),
        [127],
        "an infinite quotient saturates"
    );
}

fn nans() {
    for len in [0, 1, 3, 4, 5, 15, 16, 17, 129] {
        for at in 0..len {
            let mut x = vec![1.5_f32; len];
            x[at] = f32::from_bits(0xffc1_2345);
            assert_eq!(count_nans(&x), 1, "{at} of {len}");
            canonicalize_nans(&mut x);
            assert_eq!(x[at].to_bits(), 0x7fc0_0000);
            assert_eq!(x.iter().filter(|x| **x == 1.5).count(), len - 1);
        }
        assert_eq!(count_nans(&vec![f32::INFINITY; len]), 0);
    }
}

fn formula(tier: Tier) {
    for seed in 0..50 {
        let mut random = Random::new(seed);
        // A power of two, so that the quotient is exact and the formula in f64 decides.
        let scale = f32::from_bits(((120 + random.int(0, 10)) as u32) << 23);
        let zero_point = random.int(-128, 127);
        let x = random.many(257, |r| r.float() * scale * 300.0);
        let expected: Vec<i32> = x
            .iter()
            .map(|x| {
                ((f64::from(*x) / f64::from(scale)).round_ties_even() as i32 + zero_point).clamp(-128, 127)
            })
            .collect();
        assert_eq!(quantized::<i8>(tier, &x, scale, zero_point), expected, "seed {seed}");
        let bytes: Vec<i8> = expected.iter().map(|q| *q as i8).collect();
        let mut y = vec![f32::NAN; bytes.len()];
        dequantize(&bytes, 0.3, zero_point, &mut y).expect("valid");
        let exact: Vec<f32> = expected.iter().map(|q| (q - zero_point) as f32 * 0.3).collect();
        assert_eq!(y, exact, "seed {seed}");
    }
}

pub(crate) fn check(tier: Tier) {
    nans();
    ties(tier);
    formula(tier);
    any_floats(tier);
    linear::scales();
    linear::ranges();
    let refused =
        |scale, zero_point| quantize::<u8>(tier, &[0.0], scale, zero_point, &mut [0]).err().map(|e| e.what);
    assert_eq!(refused(1.0, 0), None);
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(refused(scale, 0), Some(What::Scale), "{scale}");
    }
    assert_eq!(refused(1.0, 256), Some(What::ZeroPoint));
    assert_eq!(refused(1.0, -1), Some(What::ZeroPoint));
    assert_eq!(dequantize::<i8>(&[0; 2], 1.0, 0, &mut [0.0]).map_err(|e| e.code), Err(ErrorCode::Shape));
}
