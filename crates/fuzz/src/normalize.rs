//! Per-channel maps are their rounded steps; softmax is a distribution.

use arbitrary::Arbitrary;
use lowbit_kernels::normalize::{BatchNorm, ChannelAffine, RowNorm, softmax};
use lowbit_kernels::tier::Tier;

use crate::{any_floats, bits, floats};

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    channels: u8,
    rows: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let (channels, rows) = (usize::from(self.channels % 70) + 1, usize::from(self.rows % 20) + 1);
        let vector = |start| floats(self.values, channels, start);
        let (scale, bias, mean) = (vector(0), vector(3), vector(5));
        let variance: Vec<f32> = vector(7).iter().map(|v| v.abs()).collect();
        let x = any_floats(self.values, rows * channels, 1);

        let mut y = x.clone();
        let free = (f32::NEG_INFINITY, f32::INFINITY);
        ChannelAffine::new(&scale, &bias, free).expect("valid").run_f32(&mut y).expect("valid");
        let affine = |(i, x): (usize, &f32)| x * scale[i % channels] + bias[i % channels];
        assert_eq!(bits(&y), bits(&x.iter().enumerate().map(affine).collect::<Vec<_>>()), "{self:?}");

        let mut y = x.clone();
        let norm = BatchNorm::new(&scale, &bias, &mean, &variance, 1e-3).expect("valid");
        norm.run(&mut y).expect("valid");
        let steps = |(i, x): (usize, &f32)| {
            let c = i % channels;
            (x - mean[c]) / (variance[c] + 1e-3).sqrt() * scale[c] + bias[c]
        };
        assert_eq!(bits(&y), bits(&x.iter().enumerate().map(steps).collect::<Vec<_>>()), "{self:?}");

        for centered in [false, true] {
            let norm = RowNorm::new(&scale, &bias, 1e-3, centered).expect("valid");
            let results = Tier::ALL.map(|tier| {
                let mut y = x.clone();
                norm.run(tier, &mut y).expect("valid");
                bits(&y)
            });
            assert!(results.iter().all(|y| *y == results[0]), "{self:?}");
        }

        let mut y = floats(self.values, rows * channels, 9);
        softmax(&mut y, rows, channels, 1).expect("valid");
        for row in y.chunks_exact(channels) {
            let sum: f32 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-4 && row.iter().all(|p| (0.0..=1.0).contains(p)), "{self:?}");
        }
    }
}
