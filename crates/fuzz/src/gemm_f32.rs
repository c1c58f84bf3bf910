//! Products of floats, alone and under a window of any geometry, have the bits of `scalar` in every tier.

use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::error::Op;
use lowbit_kernels::gemm_f32::{GemmF32, MatmulF32};
use lowbit_kernels::output::OutputMut;
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;

use crate::sizes::Sizes;
use crate::{bits, floats};

const FREE: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    sizes: Sizes,
    rows: u8,
    columns: u8,
    depth: u8,
    groups: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let mut first: Option<Vec<Vec<u32>>> = None;
        for tier in [Tier::Scalar, Tier::Simd128] {
            let got = vec![self.product(tier), self.matmul(tier), self.convolution(tier)];
            assert_eq!(&got, first.get_or_insert_with(|| got.clone()), "{tier} {self:?}");
        }
    }

    fn product(&self, tier: Tier) -> Vec<u32> {
        let (rows, columns, depth) = self.shape();
        let (x, w) = (floats(self.values, rows * depth, 0), floats(self.values, columns * depth, 5));
        let gemm = GemmF32::new(tier, columns, depth, &w, &[], FREE).expect("valid");
        let mut scratch = Scratch::new();
        scratch.reserve(Op::GemmF32, gemm.scratch_lines(rows)).expect("memory");
        let mut y = vec![f32::NAN; rows * columns];
        gemm.run(&x, rows, &mut y, scratch.arena()).expect("valid");
        bits(&y)
    }

    fn matmul(&self, tier: Tier) -> Vec<u32> {
        let (m, n, k) = self.shape();
        let (a, b) = (floats(self.values, m * k, 3), floats(self.values, k * n, 7));
        let matmul = MatmulF32::new(m, n, k).expect("valid");
        let mut scratch = Scratch::new();
        scratch.reserve(Op::MatmulF32, matmul.scratch_lines()).expect("memory");
        let mut y = vec![f32::NAN; m * n];
        matmul.run(tier, &a, &b, &mut y, &mut scratch.arena()).expect("valid");
        bits(&y)
    }

    fn convolution(&self, tier: Tier) -> Vec<u32> {
        let Some((geometry, window)) = self.sizes.geometry() else { return Vec::new() };
        let groups = usize::from(self.groups % 3) + 1;
        let (channels, columns) = (usize::from(self.depth % 20) + 1, usize::from(self.columns % 20) + 1);
        let k = window.taps() * channels;
        let weights = floats(self.values, groups * columns * k, 5);
        let gemm = |w: &[f32]| GemmF32::new(tier, columns, k, w, &[], FREE).expect("valid");
        let conv = Convolution::new(geometry, weights.chunks_exact(columns * k).map(gemm).collect(), 0.0);
        let conv = conv.expect("valid");
        let mut scratch = Scratch::new();
        scratch.reserve(Op::Conv, conv.scratch_lines()).expect("memory");
        let x = floats(self.values, geometry.input_pixels() * groups * channels, 0);
        let mut y = vec![f32::NAN; geometry.output_pixels() * conv.columns()];
        conv.run(&x, 1, OutputMut::F32(&mut y), &mut scratch.arena()).expect("valid");
        bits(&y)
    }

    fn shape(&self) -> (usize, usize, usize) {
        (usize::from(self.rows % 40) + 1, usize::from(self.columns % 70) + 1, usize::from(self.depth) + 1)
    }
}
