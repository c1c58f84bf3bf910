//! Resampling by passes equals one sum, and stays inside memory for any coordinates.

use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::resize::{Axis, Coordinates, Filter, Method, Nearest, Resize, naive};

use crate::floats;

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    sizes: [[u8; 2]; 2],
    scales: [u8; 2],
    regions: [i8; 2],
    choices: [u8; 3],
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let [start, end] = self.regions.map(|place| f32::from(place) / 64.0);
        let axis = |[input, output]: [u8; 2], scale: u8| {
            let (input, output) = (usize::from(input % 12) + 1, usize::from(output % 12) + 1);
            // Scales that the sizes are a rounding of, and others.
            let scale = output as f32 / input as f32 * if scale < 128 { 1.0 } else { f32::from(scale) / 150.0 };
            Axis { input, output, scale, region: [start, end] }
        };
        let axes = [axis(self.sizes[0], self.scales[0]), axis(self.sizes[1], self.scales[1])];
        let [coordinates, filter, flags] = self.choices;
        let method = Method {
            coordinates: Coordinates::ALL[usize::from(coordinates % 7)],
            filter: match usize::from(filter % 6) {
                4 => Filter::Linear,
                5 => Filter::Cubic(-0.75),
                nearest => Filter::Nearest(Nearest::ALL[nearest]),
            },
            antialias: flags & 1 == 1,
            exclude_outside: flags & 2 == 2,
            extrapolation: 3.0,
        };
        let resize = Resize::new(&axes, &method).expect("valid");
        let x = floats(self.values, resize.lengths()[0], 0);
        let mut scratch = Scratch::new();
        scratch.reserve(Op::Resize, resize.scratch_lines(4)).expect("memory");
        let mut y = vec![f32::NAN; resize.lengths()[1]];
        resize.run(&x, &mut y, scratch.arena()).expect("lengths");
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        for (y, exact) in y.iter().zip(naive::resize(&wide, &axes, &method)) {
            assert!((f64::from(*y) - exact).abs() <= 1e-3 * (1.0 + exact.abs()), "{y} for {exact}: {self:?}");
        }
    }
}
