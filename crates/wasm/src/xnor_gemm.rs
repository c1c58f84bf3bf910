//! [`lowbit_kernels::xnor_gemm`] across the border.

use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::rows::RowKernel;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::xnor_gemm::{Activations, Counting, XnorGemm, XnorShape};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles;
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::output::{output_at, read_transform};
use crate::params::Params;

const OP: Op = Op::XnorGemm;

/// Packs ±1 weights. Parameters: columns N, taps, channels, activations (0 bits, 1 trits), counting (0 lookup, 1 popcount), codes (u8 array `[N, ceil(taps *
/// channels / 8)]`), output transform. Returns a handle.
#[wasm_bindgen]
pub fn xnor_gemm_new(params: usize, words: usize) -> i32 {
    status_or(new(params, words))
}

fn new(params: usize, words: usize) -> Result<i32> {
    let memory = Memory::new(OP);
    let mut params = Params::new(&memory, OP, params, words)?;
    let shape = XnorShape {
        columns: params.size(What::Columns)?,
        taps: params.size(What::Taps)?,
        channels: params.size(What::Channels)?,
        activations: if params.flag(What::Kind)? { Activations::Trits } else { Activations::Bits },
    };
    let counting = read_counting(&mut params)?;
    let codes = params.array()?;
    let output = read_transform(OP, &mut params, shape.columns)?;
    params.end()?;
    let gemm = XnorGemm::with_counting(Tier::BUILD, counting, shape, codes, output)?;
    reserve_scratch(OP, gemm.scratch_lines(usize::MAX))?;
    handles::insert(OP, gemm)
}

/// How differing bits are counted: 0 lookup, 1 popcount.
pub(crate) fn read_counting(params: &mut Params<'_>) -> Result<Counting> {
    Ok(if params.flag(What::Kind)? { Counting::Popcount } else { Counting::Lookup })
}

/// The product for rows of bits by the weights of `handle`, which both share. Returns a handle.
#[wasm_bindgen]
pub fn xnor_gemm_of_bits(handle: i32) -> i32 {
    let make = || {
        let gemm = handles::with::<XnorGemm, _>(OP, handle, |gemm| Ok(gemm.of_bits()))?;
        handles::insert(OP, gemm)
    };
    status_or(make())
}

/// `x`: u32 `[rows, row_len]`; `y`: `[rows, N]` of the transform's kind, bits `[rows, ceil(N / 32)]` u32. Returns 0.
#[wasm_bindgen]
pub fn xnor_gemm_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(handles::with::<XnorGemm, _>(OP, handle, |gemm| {
        let memory = Memory::new(OP);
        let kind = gemm.output().kind();
        let x = memory.read(x, checked_area(OP, rows, gemm.row_len())?)?;
        let y = output_at(&memory, kind, y, checked_area(OP, rows, kind.row_len(gemm.columns()))?)?;
        with_scratch(|scratch| gemm.run(x, rows, y, scratch))
    }))
}
