//! Normalization of planes and over channels, against the formulas in f64.

use lowbit_kernels::error::What;
use lowbit_kernels::normalize::{
    PlaneNorm, channel_norm, channel_statistics, local_response, statistics,
};
use lowbit_kernels::testing::Random;

fn close(y: f32, exact: f64) -> bool {
    (f64::from(y) - exact).abs() <= 1e-5 * (1.0 + exact.abs())
}

pub(super) fn groups() {
    for (channels, groups, inner) in [(1, 1, 1), (4, 4, 9), (6, 2, 5), (6, 1, 7)] {
        let mut random = Random::new((channels * groups * inner) as u64);
        let x = random.many(2 * channels * inner, |random| 1000.0 + random.float());
        let (scale, bias) = (random.many(channels, Random::float), random.many(channels, Random::float));
        let mut y = x.clone();
        let norm = PlaneNorm::new(channels, groups, inner, 1e-3).expect("valid");
        norm.run(&mut y, &scale, &bias).expect("lengths");
        let depth = channels / groups * inner;
        for (i, y) in y.iter().enumerate() {
            let group: Vec<f64> = x[i / depth * depth..][..depth].iter().map(|x| f64::from(*x)).collect();
            let mean = group.iter().sum::<f64>() / depth as f64;
            let variance = group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / depth as f64;
            let c = i / inner % channels;
            let normal = (f64::from(x[i]) - mean) / (variance + 1e-3).sqrt();
            let exact = normal * f64::from(scale[c]) + f64::from(bias[c]);
            // The mean of values around 1000 is rounded to f32: 3e-5, over a deviation of 0.03 and up.
            assert!((f64::from(*y) - exact).abs() < 3e-3, "{y} for {exact}");
        }
        assert_eq!(norm.run(&mut y, &scale[1..], &bias).map_err(|e| e.what), Err(What::Scale));
    }
    assert_eq!(statistics([1.0, 2.0, 3.0, 6.0].iter()), (3.0, 3.5));
    assert_eq!(PlaneNorm::new(4, 3, 1, 0.0).map(|_| ()).map_err(|e| e.what), Err(What::Groups));
}

pub(super) fn responses() {
    for (outer, channels, inner, size) in [(1, 1, 1, 1), (2, 5, 3, 3), (1, 7, 2, 4), (1, 3, 1, 9)] {
        let x = Random::new(size as u64).many(outer * channels * inner, |random| random.float() * 9.0);
        let mut y = vec![f32::NAN; x.len()];
        local_response(&x, [outer, channels, inner], size, [0.1, 0.75, 2.0], &mut y).expect("lengths");
        for (i, y) in y.iter().enumerate() {
            let (c, at) = ((i / inner % channels) as i64, i % inner + i / (channels * inner) * channels * inner);
            let size = size as i64;
            let around = (c - (size - 1) / 2).max(0)..=(c + size / 2).min(channels as i64 - 1);
            let squares: f64 = around.map(|c| f64::from(x[at + c as usize * inner]).powi(2)).sum();
            let exact = f64::from(x[i]) / (2.0 + 0.1 / size as f64 * squares).powf(0.75);
            assert!(close(*y, exact), "{y} for {exact}");
        }
    }
    let refused = local_response(&[0.0], [1, 1, 1], 0, [1.0; 3], &mut [0.0]);
    assert_eq!(refused.map_err(|e| e.what), Err(What::Geometry));
}

pub(super) fn channels() {
    let (channels, inner) = (3, 5);
    let mut random = Random::new(9);
    let x = random.many(2 * channels * inner, Random::float);
    let (mut mean, mut variance) = ([0.0; 3], [0.0; 3]);
    channel_statistics(&x, inner, &mut mean, &mut variance).expect("lengths");
    for c in 0..channels {
        let own: Vec<f64> = (0..x.len()).filter(|i| i / inner % channels == c).map(|i| f64::from(x[i])).collect();
        let exact = own.iter().sum::<f64>() / own.len() as f64;
        assert!(close(mean[c], exact));
        assert!(close(variance[c], own.iter().map(|x| (x - exact).powi(2)).sum::<f64>() / own.len() as f64));
    }
    let (scale, bias) = ([1.0, 2.0, -1.0], [0.0, 0.5, 3.0]);
    let mut y = x.clone();
    channel_norm(&mut y, inner, [&scale, &bias, &mean, &variance], 1e-5).expect("lengths");
    for (i, (x, y)) in x.iter().zip(&y).enumerate() {
        let c = i / inner % channels;
        assert_eq!(*y, (x - mean[c]) / (variance[c] + 1e-5).sqrt() * scale[c] + bias[c]);
    }
    let short = channel_norm(&mut y, inner, [&scale, &bias[1..], &mean, &variance], 0.0);
    assert_eq!(short.map_err(|e| e.what), Err(What::Bias));
}
