//! `elementwise_binary_*`.

use lowbit_kernels::elementwise::{Binary, BinaryOp};
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

/// int32 sizes, none negative.
pub(crate) fn sizes(op: Op, words: &[i32]) -> Result<Vec<usize>> {
    let size =
        |&word| usize::try_from(word).map_err(|_| KernelError::range(op, What::Axis, 0, word as usize));
    words.iter().map(size).collect()
}
