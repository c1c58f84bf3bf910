//! [`lowbit_kernels::codebook_gemm`] across the border.

use lowbit_kernels::codebook_gemm::{CodebookGemm, CodedWeights, Decoding};
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, checked_area};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;

const OP: Op = Op::CodebookGemm;

/// Columns N, depth K, bits, codes (u8 array), decoding (0 sign, 1 affine, 2 table, 3 product), its array (none; int32 zero points; f32 codebook; f32
/// codebook), dimension, scales (f32 array or absent), rows and columns of the scales, group size.
pub(crate) fn read_weights<'a>(params: &mut Params<'a>) -> Result<CodedWeights<'a>> {
    let (columns, depth) = (params.size(What::Columns)?, params.size(What::Depth)?);
    let bits = params.size(What::Bits)?;
    let codes = params.array()?;
    let decoding = match params.int()? {
        0 => {
            params.array::<u8>()?;
            Decoding::Sign
        }
        1 => Decoding::Affine { zero_points: params.array()? },
        2 => Decoding::Table { codebook: params.array()? },
        3 => Decoding::Product { codebook: params.array()?, dimension: 1 },
        other => return Err(KernelError::new(ErrorCode::Range, OP, What::Kind, 3, i64::from(other))),
    };
    let dimension = params.size(What::Codebook)?;
    let decoding = match decoding {
        Decoding::Product { codebook, .. } => Decoding::Product { codebook, dimension },
        other => other,
    };
    let scales = params.array()?;
    // The second size follows from the length, which is checked.
    let (scale_rows, _) = (params.size(What::Scale)?, params.size(What::Scale)?);
    let group_size = params.size(What::GroupSize)?;
    Ok(CodedWeights { columns, depth, bits, codes, decoding, scales, scale_rows, group_size })
}

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
