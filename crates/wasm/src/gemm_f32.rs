//! [`lowbit_kernels::gemm_f32`] across the border.

use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::gemm_f32::GemmF32;
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;

/// Parameters: n, k, weights (pointer, length) f32 `[n, k]`, bias (pointer, length) f32 `[n]` or empty, clamp (two floats).
#[wasm_bindgen]
pub fn gemm_f32_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(Op::GemmF32);
        let mut params = Params::new(&memory, Op::GemmF32, pointer, words)?;
        let (n, k) = (params.size(What::Columns)?, params.size(What::Depth)?);
        let (weights, bias) = (params.array()?, params.array()?);
        let clamp = params.clamp()?;
        params.end()?;
        let gemm = GemmF32::new(Tier::BUILD, n, k, weights, bias, clamp)?;
        reserve_scratch(Op::GemmF32, gemm.scratch_lines(usize::MAX))?;
        insert(Op::GemmF32, gemm)
    };
    status_or(make())
}

/// `x` f32 `[rows, k]` to `y` f32 `[rows, n]`.
#[wasm_bindgen]
pub fn gemm_f32_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(Op::GemmF32, handle, |gemm: &GemmF32| {
        let memory = Memory::new(Op::GemmF32);
        let x = memory.read(x, checked_area(Op::GemmF32, rows, gemm.row_len())?)?;
        let y = memory.write(y, checked_area(Op::GemmF32, rows, gemm.columns())?)?;
        with_scratch(|scratch| gemm.run(x, rows, y, scratch))
    }))
}
