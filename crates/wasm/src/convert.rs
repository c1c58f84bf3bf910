//! `quantize_activations`, `dequantize_activations`.

use lowbit_kernels::convert::{self, Byte};
use lowbit_kernels::error::{Op, Result};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;

/// `count` f32 to int8, or uint8 where `unsigned` is not 0.
#[wasm_bindgen]
pub fn quantize_activations(
    x: usize,
    y: usize,
    count: usize,
    scale: f32,
    zero_point: i32,
    unsigned: i32,
) -> i32 {
    fn run<T: Byte>(x: usize, y: usize, count: usize, scale: f32, zero_point: i32) -> Result<()> {
        let memory = Memory::new(Op::Convert);
        convert::quantize::<T>(memory.read(x, count)?, scale, zero_point, memory.write(y, count)?)
    }
    let run = if unsigned == 0 { run::<i8> } else { run::<u8> };
    status(run(x, y, count, scale, zero_point))
}

/// `count` int8, or uint8 where `unsigned` is not 0, to f32.
#[wasm_bindgen]
pub fn dequantize_activations(
    x: usize,
    y: usize,
    count: usize,
    scale: f32,
    zero_point: i32,
    unsigned: i32,
) -> i32 {
    fn run<T: Byte>(x: usize, y: usize, count: usize, scale: f32, zero_point: i32) -> Result<()> {
        let memory = Memory::new(Op::Convert);
        convert::dequantize::<T>(memory.read(x, count)?, scale, zero_point, memory.write(y, count)?)
    }
    let run = if unsigned == 0 { run::<i8> } else { run::<u8> };
    status(run(x, y, count, scale, zero_point))
}
