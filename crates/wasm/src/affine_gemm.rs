//! [`lowbit_kernels::affine_gemm`] across the border.

use lowbit_kernels::affine_gemm::{AffineCodes, AffineGemm, AffineInput};
use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::output::OutputKind;
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::output::{output_at, read_transform};
use crate::params::Params;

const OP: Op = Op::AffineGemm;

/// Columns N, depth K, bits, codes (u8 array), zero points (int32 array), then whether x is uint8 and its zero point.
pub(crate) fn read_codes<'a>(params: &mut Params<'a>) -> Result<(AffineCodes<'a>, AffineInput)> {
    let (columns, depth) = (params.size(What::Columns)?, params.size(What::Depth)?);
    let bits = params.size(What::Bits)?;
    let (codes, zero_points) = (params.array()?, params.array()?);
    let input = AffineInput { unsigned: params.flag(What::Kind)?, zero_point: params.int()? };
    Ok((AffineCodes { columns, depth, group_size: depth, bits, codes, zero_points }, input))
}

/// Parameters: the codes (`read_codes`), output transform.
#[wasm_bindgen]
pub fn affine_gemm_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (codes, input) = read_codes(&mut params)?;
        let output = read_transform(OP, &mut params, codes.columns)?;
        params.end()?;
        let gemm = AffineGemm::new(Tier::BUILD, &codes, input, output)?;
        reserve_scratch(OP, gemm.scratch_lines(usize::MAX))?;
        insert(OP, gemm)
    };
    status_or(make())
}

/// `x` bytes `[rows, K]` to `y` `[rows, N]` of the transform's kind.
#[wasm_bindgen]
pub fn affine_gemm_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |gemm: &AffineGemm| run(gemm, gemm.output().kind(), x, y, rows)))
}

/// All of a run of products of bytes.
pub(crate) fn run<K: RowKernel<Input = i8>>(
    gemm: &K,
    kind: OutputKind,
    x: usize,
    y: usize,
    rows: usize,
) -> Result<()> {
    let memory = Memory::new(OP);
    let x = memory.read(x, checked_area(OP, rows, gemm.row_len())?)?;
    let row = kind.row_len(gemm.columns());
    let y = output_at(&memory, kind, y, checked_area(OP, rows, row)?)?;
    with_scratch(|scratch| lowbit_kernels::rows::run_matrix(OP, gemm, kind, x, rows, y, scratch))
}
