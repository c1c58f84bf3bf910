//! Blocks at named places equal index arithmetic; whatever is accepted stays inside the data.

use arbitrary::Arbitrary;
use lowbit_kernels::gather::{Axis, Coordinate, Gather, Indices, Outside, naive};

use crate::cycle;

/// Up to three axes, up to two indices a block.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    data: u8,
    indices: Vec<i8>,
    axes: [(u8, u8, u8); 3],
    rank: u8,
    coordinates: [(u8, u8); 2],
    block: u8,
    skips: bool,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let axes: Vec<Axis> = self.axes[..usize::from(self.rank % 4)]
            .iter()
            .map(|&(count, stride, index_stride)| Axis {
                count: usize::from(count % 6),
                stride: usize::from(stride % 32),
                index_stride: usize::from(index_stride % 8),
            })
            .collect();
        let coordinates: Vec<Coordinate> = self.coordinates[..1 + usize::from(self.rank / 128)]
            .iter()
            .map(|&(size, stride)| Coordinate { size: usize::from(size % 8), stride: usize::from(stride % 32) })
            .collect();
        let outside = if self.skips { Outside::Skipped } else { Outside::Refused };
        let block = usize::from(self.block % 5);
        let data: Vec<u8> = cycle(self.values, usize::from(self.data), 0).collect();
        let indices: Vec<i64> = self.indices.iter().map(|&i| i64::from(i % 9)).collect();
        let Ok(gather) = Gather::new(data.len(), indices.len(), &axes, &coordinates, block, outside) else { return };
        let mut got = vec![7; gather.lengths().dense];
        if gather.gather(&data, Indices::Wide(&indices), &mut got).is_ok() && !got.is_empty() {
            let places = naive::places(&indices, &axes, &coordinates);
            let expected: Vec<u8> =
                places.iter().flat_map(|at| (0..block).map(|i| at.map_or(7, |at| data[at + i]))).collect();
            assert_eq!(got, expected, "{self:?}");
        }
    }
}
