//! Table, product-quantized and composed weights: decoded panels have the bits of `gemm_f32`, lookups those of `scalar`.

use arbitrary::Arbitrary;
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::codebook_gemm::{CodebookGemm, CodedWeights, Decoding, naive};
use lowbit_kernels::error::Op;
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::testing::pack_codes;
use lowbit_kernels::tier::Tier;

use crate::cycle;

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    rows: u8,
    columns: u8,
    positions: u8,
    dimension: u8,
    bits: u8,
    kind: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let (rows, columns) = (self.rows as usize % 9 + 1, self.columns as usize % 40 + 1);
        let (positions, dimension) = (self.positions as usize % 90 + 1, self.dimension as usize % 5 + 1);
        let (bits, depth) = (self.bits as usize % 8 + 1, positions * dimension);
        let floats = |count, start| {
            cycle(self.values, count, start).map(|b| (f32::from(b) - 128.0) / 77.0).collect::<Vec<_>>()
        };
        let (x, codebook) = (floats(rows * depth, 0), floats((1 << bits) * dimension, 3));
        let codebooks = floats(2 * (1 << bits) * dimension, 5);
        let codes: Vec<u8> =
            cycle(self.values, columns * positions, 7).map(|b| b & (u8::MAX >> (8 - bits))).collect();
        let decoding = match self.kind % 4 {
            0 if dimension == 1 => Decoding::Bases { coefficients: &codebook[..bits] },
            1 if dimension == 1 => Decoding::Offset { offsets: &codebook[..1] },
            // Whole sub-vectors of so many codes each.
            2 if positions % 2 == 0 => Decoding::Additive { codebooks: &codebooks, dimension, count: 2 },
            _ if dimension == 1 => Decoding::Table { codebook: &codebook },
            _ => Decoding::Product { codebook: &codebook, dimension },
        };
        let depth = if let Decoding::Additive { count, .. } = decoding { depth / count } else { depth };
        let packed = pack_codes(&codes, positions, bits);
        let weights = CodedWeights {
            columns,
            depth,
            bits,
            codes: &packed,
            decoding,
            scales: &[],
            scale_rows: 1,
            group_size: depth,
        };
        let free = (f32::NEG_INFINITY, f32::INFINITY);
        let mut first: Option<Vec<u32>> = None;
        for tier in [Tier::Scalar, Tier::Simd128] {
            let gemm = CodebookGemm::new(tier, &weights, &[], free).expect("valid");
            let mut scratch = Scratch::new();
            scratch.reserve(Op::CodebookGemm, gemm.scratch_lines(rows)).expect("memory");
            let mut y = vec![0.0; rows * columns];
            gemm.run(&x[..rows * depth], rows, &mut y, scratch.arena()).expect("valid");
            let y: Vec<u32> = y.iter().map(|v| v.to_bits()).collect();
            if !gemm.looks_up() {
                let w = naive::decode(&weights);
                let mut expected = vec![0.0; rows * columns];
                let plain = GemmF32::new(Tier::Scalar, columns, depth, &w, &[], free).expect("valid");
                scratch.reserve(Op::GemmF32, plain.scratch_lines(rows)).expect("memory");
                plain.run(&x[..rows * depth], rows, &mut expected, scratch.arena()).expect("valid");
                assert_eq!(y, expected.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), "{tier} {self:?}");
            }
            assert_eq!(&y, first.get_or_insert_with(|| y.clone()), "{tier} {self:?}");
        }
    }
}
