//! [`lowbit_kernels::ternary_gemm`] across the border.

use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, checked_area};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::ternary_gemm::{DotWidth, TernaryGemm, TernaryInput, TernaryWeights};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles;
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::output::{output_at, read_transform};
use crate::params::Params;

const OP: Op = Op::TernaryGemm;

/// Packs ternary or sign weights. Parameters: columns N, depth K, bits, codes (u8 array `[N, ceil(K * bits / 8)]`), zero points (int32 array: one, one per
/// column, or absent for sign codes), whether x is uint8 (0, 1), zero point of x, bits of the lanes that the tier relaxed adds dots in (16, 32; 0: whichever is faster),
/// output transform. Returns a handle.
#[wasm_bindgen]
pub fn ternary_gemm_new(params: usize, words: usize) -> i32 {
    status_or(new(params, words))
}

fn new(params: usize, words: usize) -> Result<i32> {
    let memory = Memory::new(OP);
    let mut params = Params::new(&memory, OP, params, words)?;
    let weights = TernaryWeights {
        columns: params.size(What::Columns)?,
        depth: params.size(What::Depth)?,
        bits: params.size(What::Bits)?,
        codes: params.array()?,
        zero_points: params.array()?,
    };
    let input = TernaryInput { unsigned: params.flag(What::Kind)?, zero_point: params.int()? };
    let dot = match params.int()? {
        0 => DotWidth::fastest(),
        16 => DotWidth::Sums16,
        32 => DotWidth::Sums32,
        other => return Err(KernelError::new(ErrorCode::Range, OP, What::Kind, 32, i64::from(other))),
    };
    let output = read_transform(OP, &mut params, weights.columns)?;
    params.end()?;
    let gemm = TernaryGemm::new(Tier::BUILD, &weights, input, output)?.with_dot(dot);
    reserve_scratch(OP, gemm.scratch_lines(usize::MAX))?;
    handles::insert(OP, gemm)
}

/// `x`: bytes `[rows, K]`; `y`: `[rows, N]` of the transform's kind, bits `[rows, ceil(N / 32)]` u32. Returns 0.
#[wasm_bindgen]
pub fn ternary_gemm_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(handles::with::<TernaryGemm, _>(OP, handle, |gemm| {
        let memory = Memory::new(OP);
        let kind = gemm.output().kind();
        let x = memory.read(x, checked_area(OP, rows, gemm.row_len())?)?;
        let y = output_at(&memory, kind, y, checked_area(OP, rows, kind.row_len(gemm.columns()))?)?;
        with_scratch(|scratch| gemm.run(x, rows, y, scratch))
    }))
}
