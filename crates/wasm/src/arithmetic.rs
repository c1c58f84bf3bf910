//! `arithmetic_*`.

use lowbit_kernels::arithmetic::{Arithmetic, FUNCTIONS, Operand};
use lowbit_kernels::dtype::DType;
use lowbit_kernels::error::{KernelError, Op, Result, What, check_range, check_shape};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::binary::sizes;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Arithmetic;

/// Parameters: function (its place in `lowbit_kernels::arithmetic::FUNCTIONS`), type of y, saturate (0 or 1), constants (pointer, 2) f64; then of each tensor its type and its shape
/// (pointer, length) int32. Types are places in `lowbit_kernels::dtype::DTYPES`.
#[wasm_bindgen]
pub fn arithmetic_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let function = params.int()?;
        check_range(OP, What::Kind, 0, FUNCTIONS.len() as i64 - 1, i64::from(function))?;
        let y = DType::from_number(OP, params.int()?)?;
        let saturate = params.flag(What::Clamp)?;
        let constants: &[f64] = params.array()?;
        check_shape(OP, What::Operands, 2, constants.len())?;
        let count = params.size(What::Operands)?;
        let mut tensors = Vec::new();
        for _ in 0..count {
            tensors.push((DType::from_number(OP, params.int()?)?, sizes(OP, params.array()?)?));
        }
        params.end()?;
        let operands: Vec<Operand<'_>> = tensors.iter().map(|(dtype, shape)| (*dtype, &shape[..])).collect();
        let constants = [constants[0], constants[1]];
        insert(OP, Arithmetic::new(FUNCTIONS[function as usize], &operands, constants, y, saturate)?)
    };
    status_or(make())
}

/// `a`, `b` and `c`, any address where they are no tensors, to `y`, which may be `a` where elements are as many and as wide.
#[wasm_bindgen]
pub fn arithmetic_run(handle: i32, a: usize, b: usize, c: usize, y: usize) -> i32 {
    let run = |arithmetic: &Arithmetic| -> Result<(), KernelError> {
        let memory = Memory::new(OP);
        let [a_bytes, b_bytes, c_bytes, y_bytes] = arithmetic.bytes();
        let a = if a == y && arithmetic.in_place() { None } else { Some(memory.read(a, a_bytes)?) };
        arithmetic.run(a, memory.read(b, b_bytes)?, memory.read(c, c_bytes)?, memory.write(y, y_bytes)?)
    };
    status(with(OP, handle, run))
}
