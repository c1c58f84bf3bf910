//! Weights of any width by bytes: sums equal the oracle's, grouped float sums equal `scalar` bit for bit.

use arbitrary::Arbitrary;
use lowbit_kernels::affine_gemm::{
    AffineCodes, AffineGemm, AffineInput, DynamicAffineGemm, GroupedAffineGemm, GroupedOutput,
    WinogradConvolution, naive,
};
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::conv::Convolution;
use lowbit_kernels::error::Op;
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::output::{OutputMut, OutputTransform};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::testing::pack_codes;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::v128::RelaxedDot;

use crate::{any_floats, cycle};

/// Sizes, types and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    rows: u8,
    columns: u8,
    depth: u8,
    group: u8,
    bits: u8,
    unsigned: bool,
    zero_point: u8,
    weight_zero: u8,
    dot: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs, on an engine of one of the three kinds of relaxed dots.
    pub fn check(&self) {
        RelaxedDot::ALL[usize::from(self.dot) % 3].emulate(|| {
            self.check_engine();
            self.check_winograd();
        });
    }

    fn check_engine(&self) {
        let (rows, columns, depth) =
            (self.rows as usize % 9 + 1, self.columns as usize % 40 + 1, self.depth as usize + 1);
        let (bits, group) = (self.bits as usize % 8 + 1, self.group as usize % depth + 1);
        let (offset, middle) = (if self.unsigned { 0 } else { -128 }, i32::from(self.weight_zero));
        let input = AffineInput { unsigned: self.unsigned, zero_point: i32::from(self.zero_point) + offset };
        let x: Vec<i32> = cycle(self.values, rows * depth, 0).map(|b| i32::from(b) + offset).collect();
        let codes: Vec<u8> =
            cycle(self.values, columns * depth, 7).map(|b| b & (u8::MAX >> (8 - bits))).collect();
        let w: Vec<i32> = codes.iter().map(|code| i32::from(*code) - middle).collect();
        let expected = naive::sums(&x, input.zero_point, &w, depth, 0..depth);
        let bytes: Vec<i8> = x.iter().map(|x| *x as i8).collect();
        let packed = pack_codes(&codes, depth, bits);
        let zero_points = [middle];
        let weights = |group_size| AffineCodes {
            columns,
            depth,
            group_size,
            bits,
            codes: &packed,
            zero_points: &zero_points,
        };
        let scales: Vec<f32> = (0..columns * depth.div_ceil(group)).map(|i| 1.0 / (i + 3) as f32).collect();

        let mut grouped: Option<Vec<u32>> = None;
        let mut dynamic: Option<Vec<u32>> = None;
        let floats = any_floats(self.values, rows * depth, 5);
        for tier in Tier::ALL {
            let gemm = AffineGemm::new(tier, &weights(depth), input, OutputTransform::I32).expect("valid");
            let mut y = vec![0; rows * columns];
            let mut scratch = Scratch::new();
            scratch.reserve(Op::AffineGemm, gemm.scratch_lines(rows)).expect("memory");
            gemm.run(&bytes, rows, OutputMut::I32(&mut y), scratch.arena()).expect("valid");
            let sums: Vec<i64> = y.into_iter().map(i64::from).collect();
            assert_eq!(sums, expected, "{tier} {self:?}");

            let output = GroupedOutput::F32 { clamp: (f32::NEG_INFINITY, f32::INFINITY) };
            let gemm =
                GroupedAffineGemm::new(tier, &weights(group), input, &scales, &[], output).expect("valid");
            let mut y = vec![0.0; rows * columns];
            scratch.reserve(Op::AffineGemm, gemm.scratch_lines(rows)).expect("memory");
            gemm.run(&bytes, rows, OutputMut::F32(&mut y), scratch.arena()).expect("valid");
            let y = y.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(&y, grouped.get_or_insert_with(|| y.clone()), "{tier} {self:?}");

            let free = (f32::NEG_INFINITY, f32::INFINITY);
            let gemm = DynamicAffineGemm::new(tier, &weights(group), &scales, &[], free).expect("valid");
            let mut y = vec![0.0; rows * columns];
            scratch.reserve(Op::AffineGemm, gemm.scratch_lines(rows)).expect("memory");
            gemm.run(&floats, rows, &mut y, scratch.arena()).expect("valid");
            let y = crate::bits(&y);
            assert_eq!(&y, dynamic.get_or_insert_with(|| y.clone()), "{tier} {self:?}");
        }
    }

    /// Winograd's products give the sums of gathered rows, where they compute them at all.
    fn check_winograd(&self) {
        let (size, blocks) = ([self.rows as usize % 9 + 1, self.depth as usize % 9 + 1], self.bits as usize % 3 + 1);
        let (channels, columns) = (8 * blocks, self.columns as usize % 20 + 1);
        let pad = |bits: u8| usize::from(self.group >> bits) % 4;
        let window = Window { kernel: [3, 3], pads: [pad(0), pad(2), pad(4), pad(6)], ..Window::POINT };
        let Ok(geometry) = Geometry::new(Op::Conv, size, window) else { return };
        let input = AffineInput {
            unsigned: self.unsigned,
            zero_point: i32::from(self.zero_point) - if self.unsigned { 0 } else { 128 },
        };
        let codes: Vec<u8> = cycle(self.values, columns * 9 * channels, 3).collect();
        let x: Vec<i8> = cycle(self.values, 2 * size[0] * size[1] * channels, 1).map(|x| x as i8).collect();
        let zero_points = [i32::from(self.weight_zero)];
        let weights = AffineCodes {
            columns,
            depth: 9 * channels,
            group_size: 9 * channels,
            bits: 8,
            codes: &codes,
            zero_points: &zero_points,
        };
        let gemm = |tier| AffineGemm::new(tier, &weights, input, OutputTransform::I32).expect("valid");
        let len = 2 * geometry.output_pixels() * columns;
        let mut scratch = Scratch::new();
        let gathered = Convolution::new(geometry, vec![gemm(Tier::Scalar)], input.zero()).expect("valid");
        let mut expected = vec![0; len];
        scratch.reserve(Op::Conv, gathered.scratch_lines()).expect("memory");
        gathered.run(&x, 2, OutputMut::I32(&mut expected), &mut scratch.arena()).expect("valid");
        for tier in Tier::ALL.into_iter().filter(|&tier| WinogradConvolution::computes(&geometry, &gemm(tier))) {
            let conv = WinogradConvolution::new(geometry, gemm(tier)).expect("computes");
            let mut y = vec![0; len];
            scratch.reserve(Op::Conv, conv.scratch_lines()).expect("memory");
            let lines = 0..2 * conv.lines();
            conv.run_lines(&x, 2, lines, OutputMut::I32(&mut y), &mut scratch.arena()).expect("valid");
            assert_eq!(y, expected, "{tier} {self:?}");
        }
    }
}
