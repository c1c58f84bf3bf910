//! [`GroupedAffineGemm`] across the border.

use lowbit_kernels::affine_gemm::{GroupedAffineGemm, GroupedOutput};
use lowbit_kernels::error::{ErrorCode, KernelError, Op, What};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::affine_gemm::{read_codes, run};
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch};
use crate::params::Params;

const OP: Op = Op::AffineGemm;

/// Parameters: the codes, group size, scales (f32 array `[N, groups]`), bias (f32 array `[N]` or absent), then 1, clamp (two floats) for f32, or
/// 2, scale (float), zero point, clamp (two integers) for bytes.
#[wasm_bindgen]
pub fn affine_gemm_grouped_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (mut codes, input) = read_codes(&mut params)?;
        codes.group_size = params.size(What::GroupSize)?;
        let (scales, bias) = (params.array()?, params.array()?);
        let output = match params.int()? {
            1 => GroupedOutput::F32 { clamp: params.clamp()? },
            2 => GroupedOutput::Int8 {
                scale: params.float()?,
                zero_point: params.int()?,
                clamp: (params.int()?, params.int()?),
            },
            other => {
                return Err(KernelError::new(ErrorCode::Range, OP, What::OutputKind, 2, i64::from(other)));
            }
        };
        params.end()?;
        let gemm = GroupedAffineGemm::new(Tier::BUILD, &codes, input, scales, bias, output)?;
        reserve_scratch(OP, gemm.scratch_lines(usize::MAX))?;
        insert(OP, gemm)
    };
    status_or(make())
}

/// `x` bytes `[rows, K]` to `y` f32 or bytes `[rows, N]`.
#[wasm_bindgen]
pub fn affine_gemm_grouped_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |gemm: &GroupedAffineGemm| run(gemm, gemm.output_kind(), x, y, rows)))
}
