//! [`DepthwiseF32`] across the border.

use lowbit_kernels::depthwise::DepthwiseF32;
use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::geometry::read_geometry;
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;

const OP: Op = Op::Depthwise;

/// Parameters: the window, channels, weights (f32 array `[outputs, kh, kw]`), bias (f32 array or absent), clamp (two floats).
#[wasm_bindgen]
pub fn depthwise_f32_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let geometry = read_geometry(OP, &mut params)?;
        let channels = params.size(What::Channels)?;
        let (weights, bias) = (params.array()?, params.array()?);
        let clamp = params.clamp()?;
        params.end()?;
        let conv = DepthwiseF32::new(Tier::BUILD, geometry, channels, weights, bias, clamp)?;
        reserve_scratch(OP, conv.scratch_lines())?;
        insert(OP, conv)
    };
    status_or(make())
}

/// `x` f32 `[batch, h, w, channels]` to `y` f32 `[batch, h', w', outputs]`.
#[wasm_bindgen]
pub fn depthwise_f32_run(handle: i32, x: usize, y: usize, batch: usize) -> i32 {
    status(with(OP, handle, |conv: &DepthwiseF32| {
        let (memory, (x_len, y_len)) = (Memory::new(OP), conv.lengths());
        let x = memory.read(x, checked_area(OP, batch, x_len)?)?;
        let y = memory.write(y, checked_area(OP, batch, y_len)?)?;
        with_scratch(|scratch| conv.run(x, batch, y, scratch))
    }))
}
