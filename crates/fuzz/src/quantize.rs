//! The loops of the quantizers: nearest levels equal a plain search in every tier, packed codes come back, codes stay on their grid.

use arbitrary::Arbitrary;
use lowbit_kernels::nearest::Centroids;
use lowbit_kernels::quantize::{Grid, Grouping, pack, unpack};
use lowbit_kernels::tier::Tier;

use crate::{cycle, floats};

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    rows: u8,
    columns: u8,
    group: u8,
    dimension: u8,
    levels: u8,
    bits: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let (dimension, levels) = (usize::from(self.dimension % 5) + 1, usize::from(self.levels) + 1);
        let count = usize::from(self.columns) + 1;
        let (x, codebook) =
            (floats(self.values, count * dimension, 0), floats(self.values, levels * dimension, 3));
        let distance = |x: &[f32], level: &[f32]| {
            x.iter().zip(level).fold(0.0_f32, |sum, (x, c)| sum + (x - c) * (x - c))
        };
        let search = |x: &[f32]| {
            let distances: Vec<f32> = codebook.chunks_exact(dimension).map(|c| distance(x, c)).collect();
            let least = distances.iter().copied().fold(f32::INFINITY, f32::min);
            distances.iter().position(|d| *d == least).expect("a level") as u8
        };
        let expected: Vec<u8> = x.chunks_exact(dimension).map(search).collect();
        for tier in [Tier::Scalar, Tier::Simd128] {
            let mut codes = vec![255; count];
            Centroids::new(tier, &codebook, dimension).expect("valid").assign(&x, &mut codes).expect("valid");
            assert_eq!(codes, expected, "{tier} {self:?}");
        }

        let (rows, columns) = (usize::from(self.rows % 20) + 1, usize::from(self.columns) + 1);
        let bits = usize::from(self.bits % 8) + 1;
        let top = (1 << bits) - 1;
        let codes: Vec<u8> = cycle(self.values, rows * columns, 1).map(|byte| byte & top as u8).collect();
        let mut packed = vec![0; rows * (columns * bits).div_ceil(8)];
        pack(&codes, rows, columns, bits, &mut packed).expect("valid");
        let mut back = vec![255; codes.len()];
        unpack(&packed, rows, columns, bits, &mut back).expect("valid");
        assert_eq!(back, codes, "{self:?}");

        let grouping = Grouping::new(rows, columns, usize::from(self.group) % columns + 1).expect("valid");
        let x = floats(self.values, rows * columns, 5);
        let scale: Vec<f32> = (0..grouping.groups()).map(|i| 0.01 + i as f32 / 99.0).collect();
        let grid = Grid { scale: &scale, zero_points: &[top / 2], offsets: &[], min_code: 0, max_code: top };
        let mut codes = vec![0; x.len()];
        grid.codes(&grouping, &x, &mut codes).expect("valid");
        assert!(codes.iter().all(|code| i32::from(*code) <= top), "{self:?}");
    }
}
