//! [`DynamicAffineGemm`] across the border.

use lowbit_kernels::affine_gemm::{AffineCodes, DynamicAffineGemm};
use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;

const OP: Op = Op::AffineGemm;

/// Parameters: columns N, depth K, bits, codes (u8 array), zero points (int32 array), group size, scales (f32 array `[N, groups]`), bias (f32 array `[N]` or absent), clamp
/// (two floats).
#[wasm_bindgen]
pub fn affine_gemm_dynamic_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (columns, depth) = (params.size(What::Columns)?, params.size(What::Depth)?);
        let bits = params.size(What::Bits)?;
        let (codes, zero_points) = (params.array()?, params.array()?);
        let group_size = params.size(What::GroupSize)?;
        let (scales, bias, clamp) = (params.array()?, params.array()?, params.clamp()?);
        params.end()?;
        let weights = AffineCodes { columns, depth, group_size, bits, codes, zero_points };
        let gemm = DynamicAffineGemm::new(Tier::BUILD, &weights, scales, bias, clamp)?;
        reserve_scratch(OP, gemm.scratch_lines(usize::MAX))?;
        insert(OP, gemm)
    };
    status_or(make())
}

/// `x` f32 `[rows, K]` to `y` f32 `[rows, N]`.
#[wasm_bindgen]
pub fn affine_gemm_dynamic_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |gemm: &DynamicAffineGemm| {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, rows, gemm.row_len())?)?;
        let y = memory.write(y, checked_area(OP, rows, gemm.columns())?)?;
        with_scratch(|scratch| gemm.run(x, rows, y, scratch))
    }))
}
