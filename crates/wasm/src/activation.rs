//! `elementwise_leaky_relu`, `elementwise_sigmoid`, `elementwise_tanh`. They may write where they read.

use lowbit_kernels::elementwise;
use lowbit_kernels::error::Op;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elementwise::in_place;
use crate::error::status;

const OP: Op = Op::Elementwise;

/// `count` f32.
#[wasm_bindgen]
pub fn elementwise_leaky_relu(x: usize, y: usize, count: usize, alpha: f32) -> i32 {
    status(in_place(OP, x, y, count, |y| elementwise::leaky_relu(y, alpha)))
}

/// `count` f32.
#[wasm_bindgen]
pub fn elementwise_sigmoid(x: usize, y: usize, count: usize) -> i32 {
    status(in_place(OP, x, y, count, elementwise::sigmoid))
}

/// `count` f32.
#[wasm_bindgen]
pub fn elementwise_tanh(x: usize, y: usize, count: usize) -> i32 {
    status(in_place(OP, x, y, count, elementwise::tanh))
}
