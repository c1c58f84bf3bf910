//! `strided_*`.

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{KernelError, Op, Result, What};
use lowbit_kernels::strided::{Axis, Segment, Strided};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Strided;

/// Parameters: bytes of an element (1, 2, 4, 8); elements of x; low and high 32 bits of the padding element; number of axes; for each axis of y, outermost first, its
/// stride in x, its number of segments, and for each of those start (-1: padding), step and count.
#[wasm_bindgen]
pub fn strided_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let (bytes, x_len) = (params.size(What::Bytes)?, params.size(What::Length)?);
        let [low, high] = [params.int()? as u32, params.int()? as u32];
        let rank = params.size(What::Axis)?;
        let axes = (0..rank.min(words)).map(|_| axis(&mut params)).collect::<Result<Vec<_>>>()?;
        params.end()?;
        insert(OP, (Strided::new(x_len, &axes)?, bytes, u64::from(low) | u64::from(high) << 32))
    };
    status_or(make())
}

fn axis(params: &mut Params<'_>) -> Result<Axis> {
    let (stride, count) = (params.size(What::Stride)?, params.size(What::Length)?);
    let mut segments = Vec::new();
    for _ in 0..count {
        segments.push(Segment { start: params.int()?, step: params.int()?, count: params.int()? });
    }
    Ok(Axis { stride, segments })
}

/// `x` to `y`.
#[wasm_bindgen]
pub fn strided_run(handle: i32, x: usize, y: usize) -> i32 {
    fn run<T: Element>(strided: &Strided, fill: T, x: usize, y: usize) -> Result<()> {
        let memory = Memory::new(OP);
        let [x_len, y_len] = strided.lengths();
        strided.run(memory.read(x, x_len)?, fill, memory.write(y, y_len)?)
    }
    status(with(OP, handle, |&(ref strided, bytes, fill): &(Strided, usize, u64)| match bytes {
        1 => run(strided, fill as u8, x, y),
        2 => run(strided, fill as u16, x, y),
        4 => run(strided, fill as u32, x, y),
        8 => run(strided, fill, x, y),
        other => Err(KernelError::range(OP, What::Bytes, 8, other)),
    }))
}
