//! `quantize_activations`, `dequantize_activations`, `count_nans`, `canonicalize_nans`.

use lowbit_kernels::convert::{self, Byte};
use lowbit_kernels::error::{Op, Result};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
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
        convert::quantize::<T>(
            Tier::BUILD,
            memory.read(x, count)?,
            scale,
            zero_point,
            memory.write(y, count)?,
        )
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

/// How many of `count` f32 are NaN.
#[wasm_bindgen]
pub fn count_nans(x: usize, count: usize) -> i32 {
    let run = || Ok(convert::count_nans(Memory::new(Op::Convert).read(x, count)?) as i32);
    status_or(run())
}

/// Gives every NaN among `count` f32 one bit pattern, in place.
#[wasm_bindgen]
pub fn canonicalize_nans(x: usize, count: usize) -> i32 {
    let run = || -> Result<()> {
        convert::canonicalize_nans(Memory::new(Op::Convert).write(x, count)?);
        Ok(())
    };
    status(run())
}
