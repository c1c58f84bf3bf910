//! [`lowbit_kernels::codebook_gemm`] across the border.

use lowbit_kernels::codebook_gemm::CodebookGemm;
use lowbit_kernels::error::{Op, checked_area};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::coded_weights::read_weights;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;

const OP: Op = Op::CodebookGemm;

/// Parameters: coded weights (`read_weights`), bias (f32 array or absent), clamp (two floats).
#[wasm_bindgen]
pub fn codebook_gemm_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let weights = read_weights(&mut params)?;
        let bias = params.array()?;
        let clamp = params.clamp()?;
        params.end()?;
        let gemm = CodebookGemm::new(Tier::BUILD, &weights, bias, clamp)?;
        reserve_scratch(OP, gemm.scratch_lines(usize::MAX))?;
        insert(OP, gemm)
    };
    status_or(make())
}

/// `x` f32 `[rows, K]` to `y` f32 `[rows, N]`.
#[wasm_bindgen]
pub fn codebook_gemm_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |gemm: &CodebookGemm| {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, rows, gemm.row_len())?)?;
        let y = memory.write(y, checked_area(OP, rows, gemm.columns())?)?;
        with_scratch(|scratch| gemm.run(x, rows, y, scratch))
    }))
}
