//! [`DepthwiseAffine`] across the border.

use lowbit_kernels::depthwise::DepthwiseAffine;
use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::affine_gemm::read_codes;
use crate::error::{status, status_or};
use crate::geometry::read_geometry;
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::output::{output_at, read_transform};
use crate::params::Params;

const OP: Op = Op::Depthwise;

/// Parameters: the window, channels, the codes (one column per output, one row of them per tap), output transform.
#[wasm_bindgen]
pub fn depthwise_affine_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let geometry = read_geometry(OP, &mut params)?;
        let channels = params.size(What::Channels)?;
        let (codes, input) = read_codes(&mut params)?;
        let output = read_transform(OP, &mut params, codes.columns)?;
        params.end()?;
        let conv = DepthwiseAffine::new(Tier::BUILD, geometry, channels, &codes, input, output)?;
        reserve_scratch(OP, conv.scratch_lines())?;
        insert(OP, conv)
    };
    status_or(make())
}

/// `x` bytes `[batch, h, w, channels]` to `y` `[batch, h', w', outputs]` of the transform's kind.
#[wasm_bindgen]
pub fn depthwise_affine_run(handle: i32, x: usize, y: usize, batch: usize) -> i32 {
    status(with(OP, handle, |conv: &DepthwiseAffine| {
        let (memory, (x_len, y_len)) = (Memory::new(OP), conv.lengths());
        let x = memory.read(x, checked_area(OP, batch, x_len)?)?;
        let y = output_at(&memory, conv.output().kind(), y, checked_area(OP, batch, y_len)?)?;
        with_scratch(|scratch| conv.run(x, batch, y, scratch))
    }))
}
