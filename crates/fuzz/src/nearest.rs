use arbitrary::Arbitrary;
use lowbit_kernels::nearest::{Centroids, naive};
use lowbit_kernels::tier::Tier;

/// Vectors of any floats among any centroids.
#[derive(Arbitrary, Debug)]
pub struct Case {
    dimension: u8,
    centroids: Vec<f32>,
    x: Vec<f32>,
}

impl Case {
    /// Indices of every tier against the oracle.
    pub fn check(&self) {
        let dimension = usize::from(self.dimension % 9) + 1;
        let whole = |values: &[f32]| values.len() / dimension * dimension;
        let (vectors, x) = (&self.centroids[..whole(&self.centroids)], &self.x[..whole(&self.x)]);
        if vectors.is_empty() {
            return;
        }
        let expected: Vec<u32> =
            x.chunks_exact(dimension).map(|x| naive::nearest(x, vectors) as u32).collect();
        for tier in Tier::ALL {
            let centroids = Centroids::new(tier, vectors, dimension).expect("valid");
            let mut indices = vec![u32::MAX; expected.len()];
            centroids.assign(x, &mut indices).expect("valid");
            assert_eq!(indices, expected, "{tier}: {self:?}");
        }
    }
}
