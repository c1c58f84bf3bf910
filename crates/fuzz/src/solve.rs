//! Gram matrices by plain sums, and the roundings that follow from them: the same bits in every tier.

use arbitrary::Arbitrary;
use lowbit_kernels::quantize::{Grid, Grouping};
use lowbit_kernels::solve::{Rounding, factor, finish_gram, gptq, gram, naive};
use lowbit_kernels::tier::Tier;

use crate::floats;

/// A layer: its sizes, and what its inputs and weights are drawn from.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    rows: u8,
    columns: u8,
    samples: u8,
    group: u8,
    damping: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let (rows, columns) = (usize::from(self.rows % 9) + 1, usize::from(self.columns % 70) + 1);
        let (samples, group) = (usize::from(self.samples % 90) + 1, usize::from(self.group) % columns + 1);
        let (x, w) = (floats(self.values, samples * columns, 0), floats(self.values, rows * columns, 5));
        let grouping = Grouping::new(rows, columns, group).expect("valid");
        let scales = vec![0.3; grouping.groups()];
        let grid = Grid { scale: &scales, zero_points: &[4], offsets: &[], min_code: 0, max_code: 7 };
        let plain = naive::gram(&x, columns, 0.5);
        let mut first: Option<(Vec<u64>, Vec<u8>)> = None;
        for tier in [Tier::Scalar, Tier::Simd128] {
            let mut h = vec![0.0; columns * columns];
            gram(tier, &x, columns, &[], &mut h).expect("valid");
            finish_gram(&mut h, columns, 0.5).expect("valid");
            assert_eq!(bits(&h), bits(&plain), "{tier} {self:?}");
            // Above zero, so that equal inputs leave it positive definite.
            let damping = 0.05 + f64::from(self.damping) / 64.0;
            factor(tier, &mut h, columns, damping).expect("positive definite");
            let mut codes = vec![0; w.len()];
            let rounding = Rounding { grouping: &grouping, grid, factor: &h, order: &[] };
            gptq(tier, &rounding, columns, &w, &mut codes).expect("valid");
            let upper = (0..columns).flat_map(|i| bits(&h[i * columns + i..][..columns - i])).collect();
            let result = (upper, codes);
            assert_eq!(&result, first.get_or_insert_with(|| result.clone()), "{tier} {self:?}");
        }
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}
