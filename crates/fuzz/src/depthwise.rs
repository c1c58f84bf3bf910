//! Depthwise convolutions of any geometry: floats have the bits of `scalar`, bytes the sums of the oracle.

use arbitrary::Arbitrary;
use lowbit_kernels::affine_gemm::{AffineCodes, AffineInput};
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::depthwise::{DepthwiseAffine, DepthwiseF32, naive};
use lowbit_kernels::error::Op;
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::tier::Tier;

use crate::sizes::Sizes;
use crate::{bits, cycle, floats};

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    sizes: Sizes,
    channels: u8,
    unsigned: bool,
    zero_point: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let Some((geometry, window)) = self.sizes.geometry() else { return };
        let (channels, taps) = (usize::from(self.channels % 70) + 1, window.taps());
        let mut scratch = Scratch::new();

        let x = floats(self.values, geometry.input_pixels() * channels, 0);
        let w = floats(self.values, channels * taps, 9);
        let mut first: Option<Vec<u32>> = None;
        for tier in [Tier::Scalar, Tier::Simd128] {
            let free = (f32::NEG_INFINITY, f32::INFINITY);
            let conv = DepthwiseF32::new(tier, geometry, channels, &w, &[], free).expect("valid");
            scratch.reserve(Op::Depthwise, conv.scratch_lines()).expect("memory");
            let mut y = vec![f32::NAN; geometry.output_pixels() * channels];
            conv.run(&x, 1, &mut y, scratch.arena()).expect("valid");
            assert_eq!(&bits(&y), first.get_or_insert_with(|| bits(&y)), "{tier} {self:?}");
        }

        let offset = if self.unsigned { 0 } else { -128 };
        let input = AffineInput { unsigned: self.unsigned, zero_point: i32::from(self.zero_point) + offset };
        let x: Vec<i32> = cycle(self.values, geometry.input_pixels() * channels, 0)
            .map(|byte| i32::from(byte) + offset)
            .collect();
        let bytes: Vec<i8> = x.iter().map(|x| *x as i8).collect();
        let codes: Vec<u8> = cycle(self.values, channels * taps, 3).collect();
        let real: Vec<i64> = x.iter().map(|x| i64::from(x - input.zero_point)).collect();
        let weights: Vec<i64> = codes.iter().map(|code| i64::from(*code) - 128).collect();
        let expected = naive::depthwise(&real, &geometry, channels, &weights);
        let codes = AffineCodes {
            columns: channels,
            depth: taps,
            group_size: taps,
            bits: 8,
            codes: &codes,
            zero_points: &[128],
        };
        for tier in [Tier::Scalar, Tier::Simd128] {
            let conv = DepthwiseAffine::new(tier, geometry, channels, &codes, input, OutputTransform::I32);
            let conv = conv.expect("valid");
            scratch.reserve(Op::Depthwise, conv.scratch_lines()).expect("memory");
            let mut y = vec![0; geometry.output_pixels() * channels];
            conv.run(&bytes, 1, OutputMut::I32(&mut y), scratch.arena()).expect("valid");
            let y: Vec<i64> = y.into_iter().map(i64::from).collect();
            assert_eq!(y, expected, "{tier} {self:?}");
        }
    }
}
