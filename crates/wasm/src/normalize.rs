//! `batch_norm_*`, `softmax_f32`.

use lowbit_kernels::error::{KernelError, Op, Result, checked_area};
use lowbit_kernels::normalize::{self, BatchNorm};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elementwise::in_place;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Normalize;

/// Parameters: scale, bias, mean, variance (each pointer, length) f32 `[C]`, epsilon (float).
#[wasm_bindgen]
pub fn batch_norm_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let mut next = || params.array();
        let (scale, bias, mean, variance) = (next()?, next()?, next()?, next()?);
        let epsilon = params.float()?;
        params.end()?;
        insert(OP, BatchNorm::new(scale, bias, mean, variance, epsilon)?)
    };
    status_or(make())
}

/// `x` f32 `[rows, C]` to `y` f32 `[rows, C]`; y may be x.
#[wasm_bindgen]
pub fn batch_norm_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |norm: &BatchNorm| {
        let mut result = Ok(());
        in_place(OP, x, y, checked_area(OP, rows, norm.channels())?, |y| result = norm.run(y))?;
        result
    }))
}

/// f32 `[outer, size, inner]` along `size`; y may be x.
#[wasm_bindgen]
pub fn softmax_f32(x: usize, y: usize, outer: usize, size: usize, inner: usize) -> i32 {
    let run = || {
        let count = checked_area(OP, checked_area(OP, outer, size)?, inner)?;
        let mut result: Result<(), KernelError> = Ok(());
        in_place(OP, x, y, count, |y| result = normalize::softmax(y, outer, size, inner))?;
        result
    };
    status(run())
}
