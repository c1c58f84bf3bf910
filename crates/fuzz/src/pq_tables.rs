//! Tables of every tier equal the oracle's bit for bit.

use arbitrary::Arbitrary;
use lowbit_kernels::pq_tables::{Metric, PqShape, PqTables, naive};
use lowbit_kernels::tier::Tier;

use crate::{bits, floats};

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    subspaces: u8,
    large: bool,
    dimension: u8,
    product: bool,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let (subspaces, dimension) = (usize::from(self.subspaces % 9) + 1, usize::from(self.dimension % 20) + 1);
        let centroids = if self.large { 256 } else { 16 };
        let shape = PqShape { subspaces, centroids, dimension };
        let metric = if self.product { Metric::InnerProduct } else { Metric::L2 };
        let codebooks = floats(self.values, subspaces * centroids * dimension, 0);
        let query = floats(self.values, subspaces * dimension, 3);
        let mut expected = Vec::new();
        for (part, codebook) in query.chunks_exact(dimension).zip(codebooks.chunks_exact(centroids * dimension)) {
            expected.extend(codebook.chunks_exact(dimension).map(|c| naive::distance(metric, part, c)));
        }
        for tier in Tier::ALL {
            let tables = PqTables::new(tier, shape, &codebooks).expect("a valid shape");
            let mut y = vec![f32::NAN; tables.table_len()];
            tables.run(metric, &query, 1, &mut y).expect("valid lengths");
            assert_eq!(bits(&y), bits(&expected), "{tier} {self:?}");
        }
    }
}
