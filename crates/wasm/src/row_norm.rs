//! `row_norm_*`, `elementwise_gelu`, `elementwise_silu`.

use lowbit_kernels::elementwise;
use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::normalize::RowNorm;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elementwise::in_place;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Normalize;

/// Parameters: scale (f32 array `[C]`), bias (f32 array `[C]` or absent), epsilon (float), whether the mean is taken out (flag).
#[wasm_bindgen]
pub fn row_norm_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let (scale, bias, epsilon) = (params.array()?, params.array()?, params.float()?);
        let centered = params.flag(What::Kind)?;
        params.end()?;
        insert(OP, RowNorm::new(scale, bias, epsilon, centered)?)
    };
    status_or(make())
}

/// `x` f32 `[rows, C]` to `y` f32 `[rows, C]`; y may be x.
#[wasm_bindgen]
pub fn row_norm_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |norm: &RowNorm| {
        let mut result = Ok(());
        in_place(OP, x, y, checked_area(OP, rows, norm.channels())?, |y| result = norm.run(Tier::BUILD, y))?;
        result
    }))
}

/// `count` f32; `approximate` 0 for the normal distribution, else by tanh.
#[wasm_bindgen]
pub fn elementwise_gelu(x: usize, y: usize, count: usize, approximate: i32) -> i32 {
    let gelu = if approximate == 0 { elementwise::gelu } else { elementwise::gelu_tanh };
    status(in_place(Op::Elementwise, x, y, count, gelu))
}

/// `count` f32.
#[wasm_bindgen]
pub fn elementwise_silu(x: usize, y: usize, count: usize) -> i32 {
    status(in_place(Op::Elementwise, x, y, count, elementwise::silu))
}
