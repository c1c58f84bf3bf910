//! `elementwise_*`. The operators of one operand may write where they read.

use lowbit_kernels::elementwise::{self, Binary, BinaryOp};
use lowbit_kernels::error::{KernelError, Op, Result, What};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Elementwise;

/// Parameters: operator (0 add, 1 sub, 2 mul, 3 div), shape of a (pointer, length), shape of b (pointer, length), both int32.
#[wasm_bindgen]
pub fn elementwise_binary_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let op = match params.int()? {
            0 => BinaryOp::Add,
            1 => BinaryOp::Sub,
            2 => BinaryOp::Mul,
            3 => BinaryOp::Div,
            other => return Err(KernelError::range(OP, What::Kind, 3, other as usize)),
        };
        let (a, b) = (sizes(OP, params.array()?)?, sizes(OP, params.array()?)?);
        params.end()?;
        insert(OP, Binary::new(op, &a, &b)?)
    };
    status_or(make())
}

/// f32 `a` and `b` to f32 `y`, which overlaps neither.
#[wasm_bindgen]
pub fn elementwise_binary_run(handle: i32, a: usize, b: usize, y: usize) -> i32 {
    status(with(OP, handle, |binary: &Binary| {
        let memory = Memory::new(OP);
        let [a_len, b_len, y_len] = binary.lengths();
        binary.run(memory.read(a, a_len)?, memory.read(b, b_len)?, memory.write(y, y_len)?)
    }))
}

/// `count` f32.
#[wasm_bindgen]
pub fn elementwise_clip(x: usize, y: usize, count: usize, low: f32, high: f32) -> i32 {
    status(in_place(OP, x, y, count, |y| elementwise::clip(y, low, high)))
}

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

/// int32 sizes, none negative.
pub(crate) fn sizes(op: Op, words: &[i32]) -> Result<Vec<usize>> {
    let size =
        |&word| usize::try_from(word).map_err(|_| KernelError::range(op, What::Axis, 0, word as usize));
    words.iter().map(size).collect()
}
