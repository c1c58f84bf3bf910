//! Per-channel maps equal their rounded steps bit for bit; softmax and batch normalization their formulas in f64.

mod planes;

use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::normalize::{BatchNorm, ChannelAffine, RowNorm, naive, softmax};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

const FREE: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

fn affine() {
    for channels in [1, 3, 4, 7, 16, 33] {
        let mut random = Random::new(channels as u64);
        let (scale, bias) = (random.many(channels, Random::float), random.many(channels, Random::float));
        let x = random.many(channels * 5, |r| r.int(-(1 << 30), 1 << 29));
        let map = ChannelAffine::new(&scale, &bias, (-1e8, f32::INFINITY)).expect("valid");
        let expected: Vec<f32> = x
            .iter()
            .enumerate()
            .map(|(i, x)| (*x as f32 * scale[i % channels] + bias[i % channels]).max(-1e8))
            .collect();
        let mut y = vec![f32::NAN; x.len()];
        map.run_i32(&x, &mut y).expect("valid");
        assert_eq!(y, expected, "int32, {channels} channels");
        let mut y: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        map.run_f32(&mut y).expect("valid");
        assert_eq!(y, expected, "f32, {channels} channels");
    }
    let refused =
        |scale: &[f32], bias: &[f32], clamp| ChannelAffine::new(scale, bias, clamp).err().map(|e| e.what);
    assert_eq!(refused(&[], &[], FREE), Some(What::Channels));
    assert_eq!(refused(&[1.0], &[], FREE), Some(What::Bias));
    assert_eq!(refused(&[1.0], &[0.0], (1.0, 0.0)), Some(What::Clamp));
    let map = ChannelAffine::new(&[1.0; 2], &[0.0; 2], FREE).expect("valid");
    assert_eq!(map.run_f32(&mut [0.0; 3]).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(map.run_i32(&[0; 2], &mut [0.0; 4]).map_err(|e| e.code), Err(ErrorCode::Shape));
}

fn batch_norm() {
    let mut random = Random::new(5);
    let mut many = |low: f32| random.many(9, |r| low + 1.0 + r.float());
    let (scale, bias, mean, variance) = (many(0.0), many(-1.0), many(-1.0), many(0.5));
    let norm = BatchNorm::new(&scale, &bias, &mean, &variance, 1e-5).expect("valid");
    let x = Random::new(6).many(9 * 7, Random::float);
    let mut y = x.clone();
    norm.run(&mut y).expect("valid");
    for (i, (x, y)) in x.iter().zip(&y).enumerate() {
        let c = i % 9;
        let wide = |v: &[f32]| f64::from(v[c]);
        let exact =
            naive::batch_norm(f64::from(*x), wide(&scale), wide(&bias), wide(&mean), wide(&variance), 1e-5);
        assert!((f64::from(*y) - exact).abs() < 1e-5, "{y} for {exact}");
        let steps = (x - mean[c]) / (variance[c] + 1e-5).sqrt() * scale[c] + bias[c];
        assert_eq!(y.to_bits(), steps.to_bits(), "each step rounded once, in the documented order");
    }
    assert_eq!(
        BatchNorm::new(&scale, &bias, &mean, &[1.0], 0.0).map_err(|e| e.code).err(),
        Some(ErrorCode::Shape)
    );
    assert_eq!(norm.run(&mut [0.0; 10]).map_err(|e| e.code), Err(ErrorCode::Shape));
}

fn softmaxes() {
    for (outer, size, inner) in [(1, 1, 1), (3, 10, 1), (2, 5, 3), (1, 129, 2), (4, 1, 4)] {
        let x = Random::new((outer * size * inner) as u64).many(outer * size * inner, |r| r.float() * 30.0);
        let mut y = x.clone();
        softmax(&mut y, outer, size, inner).expect("valid");
        for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
            let row =
                |v: &[f32]| (0..size).map(|s| f64::from(v[(o * size + s) * inner + i])).collect::<Vec<_>>();
            for (y, exact) in row(&y).iter().zip(naive::softmax(&row(&x))) {
                assert!((y - exact).abs() <= 1e-6 + 1e-5 * exact, "{y} for {exact}");
            }
        }
    }
    let mut big = [1000.0, 999.0, -1000.0];
    softmax(&mut big, 1, 3, 1).expect("valid");
    assert!(big.iter().all(|v| v.is_finite()) && big[2] == 0.0, "no overflow: {big:?}");
    let mut nan = [0.0, f32::NAN, 1.0, 1.0];
    softmax(&mut nan, 2, 2, 1).expect("valid");
    assert!(
        nan[0].is_nan() && nan[1].is_nan() && nan[2..] == [0.5, 0.5],
        "a NaN spoils its own row only: {nan:?}"
    );
    assert_eq!(softmax(&mut big, 2, 2, 1).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(softmax(&mut [], 0, 2, 1), Ok(()));
}

fn rows(tier: Tier) {
    for channels in [1, 2, 3, 4, 5, 16, 33, 384] {
        let mut random = Random::new(channels as u64);
        let (scale, bias) = (random.many(channels, Random::float), random.many(channels, Random::float));
        let x = random.many(channels * 3, |r| r.float() * 4.0 + 1.0);
        for (centered, bias) in [(true, &bias[..]), (false, &[]), (false, &bias)] {
            let norm = RowNorm::new(&scale, bias, 1e-5, centered).expect("valid");
            let run = |tier| {
                let mut y = x.clone();
                norm.run(tier, &mut y).expect("valid");
                y
            };
            let y = run(tier);
            let bits = |y: &[f32]| y.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&y), bits(&run(Tier::Scalar)), "{tier}, {channels} channels");
            for (y, x) in y.chunks_exact(channels).zip(x.chunks_exact(channels)) {
                let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
                for (y, exact) in y.iter().zip(naive::row_norm(&x, &scale, bias, 1e-5, centered)) {
                    assert!((f64::from(*y) - exact).abs() < 2e-5, "{y} for {exact}, {channels} channels");
                }
            }
        }
        let norm = RowNorm::new(&scale, &[], 0.0, true).expect("valid");
        assert_eq!(norm.run(tier, &mut vec![0.0; channels + 1]).is_ok(), channels == 1);
    }
    assert_eq!(RowNorm::new(&[], &[], 0.0, true).map_err(|e| e.what).err(), Some(What::Channels));
    assert_eq!(RowNorm::new(&[1.0], &[1.0; 2], 0.0, true).map_err(|e| e.what).err(), Some(What::Bias));
}

pub(crate) fn check(tier: Tier) {
    rows(tier);
    affine();
    batch_norm();
    softmaxes();
    planes::groups();
    planes::responses();
    planes::channels();
}
