//! Pooling under windows of any geometry equals the definition with signed coordinates.

use arbitrary::Arbitrary;
use lowbit_kernels::pool::{Pool, Reduction, naive};

use crate::cycle;
use crate::sizes::Sizes;

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    sizes: Sizes,
    channels: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let Some((geometry, window)) = self.sizes.geometry() else { return };
        let channels = usize::from(self.channels % 40) + 1;
        // A window that lies in the padding alone is refused.
        let Ok(pool) = Pool::new(geometry, channels, Reduction::Max) else { return };
        let x: Vec<i8> = cycle(self.values, pool.input_len(), 0).map(|byte| byte as i8).collect();
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let exact = naive::pool(&wide, geometry.input, geometry.output, channels, window);
        let mut y = vec![0_i8; pool.output_len()];
        pool.run(&x, 1, &mut y).expect("valid");
        for (y, (max, _, _)) in y.iter().zip(&exact) {
            assert_eq!(f64::from(*y), *max, "{self:?}");
        }
        let floats: Vec<f32> = x.iter().map(|x| f32::from(*x)).collect();
        let mut y = vec![f32::NAN; pool.output_len()];
        pool.run(&floats, 1, &mut y).expect("valid");
        assert!(y.iter().zip(&exact).all(|(y, (max, _, _))| f64::from(*y) == *max), "{self:?}");
    }
}
