//! `acme.hard_swish`, an operator from outside of lowbit, and the module that holds it: all of lowbit's exports, and `acme_hard_swish`.

pub mod hard_swish;

// lowbit's border comes along: its exports are in this module as they are in lowbit.<tier>.wasm.
pub use lowbit_wasm;

use lowbit_kernels::error::{Op, Result};
use lowbit_wasm::error::status;
use lowbit_wasm::memory::Memory;
use wasm_bindgen::prelude::wasm_bindgen;

/// y = x * clamp(alpha * x + beta, 0, 1) of `count` f32; y may be x. 0, or a negative error code.
#[wasm_bindgen]
pub fn acme_hard_swish(x: usize, y: usize, count: usize, alpha: f32, beta: f32) -> i32 {
    status(run(x, y, count, alpha, beta))
}

fn run(x: usize, y: usize, count: usize, alpha: f32, beta: f32) -> Result<()> {
    // Each slice is checked: inside one live block, aligned, and what is written overlaps nothing else.
    let memory = Memory::new(Op::Custom);
    let values = memory.write::<f32>(y, count)?;
    if x != y {
        values.copy_from_slice(memory.read(x, count)?);
    }
    hard_swish::hard_swish(values, alpha, beta);
    Ok(())
}
