//! Windows of any geometry over floats: convolution, depthwise convolution and pooling never read outside and agree in every tier.

use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::depthwise::DepthwiseF32;
use lowbit_kernels::error::Op;
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::output::OutputMut;
use lowbit_kernels::pool::{Pool, Reduction};
use lowbit_kernels::tier::Tier;

use crate::cycle;

const FREE: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct WindowCase<'a> {
    input: [u8; 2],
    kernel: [u8; 2],
    strides: [u8; 2],
    dilations: [u8; 2],
    pads: [u8; 4],
    channels: u8,
    columns: u8,
    groups: u8,
    values: &'a [u8],
}

impl WindowCase<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let sizes = |pair: [u8; 2], limit: u8| pair.map(|size| usize::from(size % limit) + 1);
        let window = Window {
            kernel: sizes(self.kernel, 5),
            strides: sizes(self.strides, 3),
            dilations: sizes(self.dilations, 3),
            pads: self.pads.map(|pad| usize::from(pad % 4)),
        };
        let Ok(geometry) = Geometry::new(Op::Conv, sizes(self.input, 12), window) else { return };
        let groups = usize::from(self.groups % 3) + 1;
        let (channels, columns) =
            (groups * (usize::from(self.channels % 20) + 1), usize::from(self.columns % 20) + 1);
        let floats =
            |count, start| cycle(self.values, count, start).map(|b| f32::from(b) - 128.0).collect::<Vec<_>>();
        let x = floats(geometry.input_pixels() * channels, 0);
        let bits = |y: Vec<f32>| y.into_iter().map(f32::to_bits).collect::<Vec<_>>();

        let conv = |tier| {
            let k = window.taps() * channels / groups;
            let weights = floats(groups * columns * k, 5);
            let gemm = |w: &[f32]| GemmF32::new(tier, columns, k, w, &[], FREE).expect("valid");
            let gemms = weights.chunks_exact(columns * k).map(gemm).collect();
            let conv = Convolution::new(geometry, gemms, 0.0).expect("valid");
            let mut scratch = Scratch::new();
            scratch.reserve(Op::Conv, conv.scratch_lines()).expect("memory");
            let mut y = vec![0.0; geometry.output_pixels() * conv.columns()];
            conv.run(&x, 1, OutputMut::F32(&mut y), &mut scratch.arena()).expect("valid");
            bits(y)
        };
        assert_eq!(conv(Tier::Simd128), conv(Tier::Scalar), "{self:?}");

        let depthwise = |tier| {
            let conv =
                DepthwiseF32::new(tier, geometry, channels, &floats(channels * window.taps(), 9), &[], FREE);
            let conv = conv.expect("valid");
            let mut scratch = Scratch::new();
            scratch.reserve(Op::Depthwise, conv.scratch_lines()).expect("memory");
            let mut y = vec![0.0; geometry.output_pixels() * channels];
            conv.run(&x, 1, &mut y, scratch.arena()).expect("valid");
            bits(y)
        };
        assert_eq!(depthwise(Tier::Simd128), depthwise(Tier::Scalar), "{self:?}");

        if let Ok(pool) = Pool::new(geometry, channels, Reduction::Max) {
            let mut y = vec![f32::NAN; pool.output_len()];
            pool.run(&x, 1, &mut y).expect("valid");
            assert!(y.iter().all(|y| x.contains(y)), "a maximum is one of the inputs: {self:?}");
        }
    }
}
