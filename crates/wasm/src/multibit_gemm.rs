//! [`lowbit_kernels::multibit_gemm`] across the border.

use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::multibit_gemm::{MultibitGemm, MultibitOutput, MultibitShape};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles;
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;
use crate::xnor_gemm::read_counting;

const OP: Op = Op::MultibitGemm;

/// Packs planes of ±1 weights. Parameters: columns N, depth K, planes of the weights M and of the activations, counting (0 lookup, 1 popcount), codes (u8 array
/// `[M, N, ceil(K / 8)]`), coefficients (f32 array `[M, N]` or `[M]`), bias (f32 array `[N]` or absent), clamp (two floats). Returns a handle.
#[wasm_bindgen]
pub fn multibit_gemm_new(params: usize, words: usize) -> i32 {
    status_or(new(params, words))
}

fn new(params: usize, words: usize) -> Result<i32> {
    let memory = Memory::new(OP);
    let mut params = Params::new(&memory, OP, params, words)?;
    let shape = MultibitShape {
        columns: params.size(What::Columns)?,
        depth: params.size(What::Depth)?,
        weight_planes: params.size(What::Planes)?,
        planes: params.size(What::Planes)?,
    };
    let counting = read_counting(&mut params)?;
    let codes = params.array()?;
    let (alpha, bias, (low, high)) = (params.array()?, params.array()?, params.clamp()?);
    params.end()?;
    let output = MultibitOutput { alpha, bias, clamp: [low, high] };
    let gemm = MultibitGemm::new(Tier::BUILD, counting, shape, codes, output)?;
    reserve_scratch(OP, gemm.scratch_lines())?;
    handles::insert(OP, gemm)
}

/// `x`: u32 `[rows, row_len]`; `beta`: f32 `[planes + 1]`, where `per_row` is 1 `[rows, planes + 1]`; `y`: f32 `[rows, N]`. Returns 0.
#[wasm_bindgen]
pub fn multibit_gemm_run(handle: i32, x: usize, beta: usize, y: usize, rows: usize, per_row: i32) -> i32 {
    status(handles::with::<MultibitGemm, _>(OP, handle, |gemm| {
        let memory = Memory::new(OP);
        let MultibitShape { columns, planes, .. } = gemm.shape();
        let x = memory.read(x, checked_area(OP, rows, gemm.row_len())?)?;
        let lists = if per_row == 0 { 1 } else { rows };
        let beta = memory.read(beta, checked_area(OP, lists, planes + 1)?)?;
        let y = memory.write(y, checked_area(OP, rows, columns)?)?;
        with_scratch(|scratch| gemm.run(x, beta, rows, y, scratch))
    }))
}
