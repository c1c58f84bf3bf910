//! `elementwise_clip`, `elementwise_sign`. They may write where they read.

use lowbit_kernels::elementwise;
use lowbit_kernels::error::{Op, Result};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;

const OP: Op = Op::Elementwise;

/// `count` f32.
#[wasm_bindgen]
pub fn elementwise_clip(x: usize, y: usize, count: usize, low: f32, high: f32) -> i32 {
    status(in_place(OP, x, y, count, |y| elementwise::clip(y, low, high)))
}

/// `count` f32.
#[wasm_bindgen]
pub fn elementwise_sign(x: usize, y: usize, count: usize) -> i32 {
    status(in_place(OP, x, y, count, elementwise::sign))
}

/// Copies x to y unless they are one, and computes there.
pub fn in_place(op: Op, x: usize, y: usize, count: usize, run: impl FnOnce(&mut [f32])) -> Result<()> {
    let memory = Memory::new(op);
    let values = memory.write::<f32>(y, count)?;
    if x != y {
        values.copy_from_slice(memory.read(x, count)?);
    }
    run(values);
    Ok(())
}
