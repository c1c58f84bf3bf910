//! `linear_*`, `quantize_linear_run`, `dequantize_linear_run`, `dynamic_quantize`: scales and zero points that are values.

use lowbit_kernels::convert::{self, Code, Granularity, Scales};
use lowbit_kernels::error::{KernelError, Op, Result, What, check_range};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Convert;

struct Object {
    scales: Scales,
    element: i32,
    range: (i32, i32),
}

/// Calls `$run::<T>($argument, ...)` with the type of number `$element`.
macro_rules! by_code {
    ($element:expr, $run:ident($($argument:expr),*)) => {
        match $element {
            0 => $run::<i8>($($argument),*),
            1 => $run::<u8>($($argument),*),
            2 => $run::<i16>($($argument),*),
            3 => $run::<u16>($($argument),*),
            4 => $run::<i32>($($argument),*),
            other => Err(KernelError::range(OP, What::Kind, 4, other as usize)),
        }
    };
}

/// Parameters: type of codes (0 int8, 1 uint8, 2 int16, 3 uint16, 4 int32), sizes before, of and behind the axis, scales (0 one, 1 one per entry of the axis, else one per block of the
/// axis of as many entries as the next word says), the block, least and largest code.
#[wasm_bindgen]
pub fn linear_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let element = params.int()?;
        let mut size = || params.size(What::Length);
        let shape = [size()?, size()?, size()?];
        let granularity = match (params.int()?, params.size(What::GroupSize)?) {
            (0, _) => Granularity::Tensor,
            (1, _) => Granularity::Axis,
            (_, block) => Granularity::Blocks(block),
        };
        let range = (params.int()?, params.int()?);
        params.end()?;
        check_range(OP, What::Clamp, i64::from(range.0), i64::MAX, i64::from(range.1))?;
        insert(OP, Object { scales: Scales { shape, granularity }, element, range })
    };
    status_or(make())
}

/// `x` f32 to codes `y`; `zero_point` is 0 where there is none.
#[wasm_bindgen]
pub fn quantize_linear_run(handle: i32, x: usize, scale: usize, zero_point: usize, y: usize) -> i32 {
    fn run<T: Code>(object: &Object, [x, scale, zero_point, y]: [usize; 4]) -> Result<()> {
        let (memory, [count, scales]) = (Memory::new(OP), object.scales.lengths()?);
        let zero_point = if zero_point == 0 { None } else { Some(memory.read::<T>(zero_point, scales)?) };
        let (x, scale) = (memory.read(x, count)?, memory.read(scale, scales)?);
        object.scales.quantize(x, scale, zero_point, object.range, memory.write(y, count)?)
    }
    status(with(OP, handle, |object: &Object| {
        by_code!(object.element, run(object, [x, scale, zero_point, y]))
    }))
}

/// Codes `x` to `y` f32.
#[wasm_bindgen]
pub fn dequantize_linear_run(handle: i32, x: usize, scale: usize, zero_point: usize, y: usize) -> i32 {
    fn run<T: Code>(object: &Object, [x, scale, zero_point, y]: [usize; 4]) -> Result<()> {
        let (memory, [count, scales]) = (Memory::new(OP), object.scales.lengths()?);
        let zero_point = if zero_point == 0 { None } else { Some(memory.read::<T>(zero_point, scales)?) };
        let (x, scale) = (memory.read(x, count)?, memory.read(scale, scales)?);
        object.scales.dequantize(x, scale, zero_point, memory.write(y, count)?)
    }
    status(with(OP, handle, |object: &Object| {
        by_code!(object.element, run(object, [x, scale, zero_point, y]))
    }))
}

/// `count` f32 to `y` uint8 with the scale and the zero point of their range, which go to `scale` (f32) and `zero_point` (uint8).
#[wasm_bindgen]
pub fn dynamic_quantize(x: usize, y: usize, count: usize, scale: usize, zero_point: usize) -> i32 {
    let run = || -> Result<()> {
        let memory = Memory::new(OP);
        let x = memory.read(x, count)?;
        let (step, zero) = convert::dynamic_range(x)?;
        memory.write::<f32>(scale, 1)?[0] = step;
        memory.write::<u8>(zero_point, 1)?[0] = zero;
        convert::quantize::<u8>(Tier::BUILD, x, step, i32::from(zero), memory.write(y, count)?)
    };
    status(run())
}
