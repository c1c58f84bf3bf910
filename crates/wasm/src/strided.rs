//! `strided_*`.

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{KernelError, Op, Result, What};
use lowbit_kernels::strided::{Axis, Segment, Strided, Triangle, range};
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

/// `y[i] = start + i * delta`, `count` elements of `kind`: f32, f64, int16, int32, int64 from 0 on; exact below 2^53.
#[wasm_bindgen]
pub fn strided_range(kind: u32, start: f64, delta: f64, y: usize, count: usize) -> i32 {
    fn run<T: Element>(start: f64, delta: f64, from: fn(f64) -> T, y: usize, count: usize) -> Result<()> {
        range(start, delta, from, Memory::new(OP).write(y, count)?);
        Ok(())
    }
    status(match kind {
        0 => run(start, delta, |x| x as f32, y, count),
        1 => run(start, delta, |x| x, y, count),
        2 => run(start, delta, |x| x as i16, y, count),
        3 => run(start, delta, |x| x as i32, y, count),
        4 => run(start, delta, |x| x as i64, y, count),
        other => Err(KernelError::range(OP, What::Kind, 4, other as usize)),
    })
}

/// `count` elements of `bytes` 1, 2, 4 or 8 from `x` to `y`: of each matrix [rows, columns] what is above (`upper`) or below the diagonal that begins in column
/// `diagonal`, zeros elsewhere.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "plain numbers")]
pub fn strided_triangle(
    bytes: usize,
    rows: usize,
    columns: usize,
    diagonal: i32,
    upper: bool,
    x: usize,
    y: usize,
    count: usize,
) -> i32 {
    fn run<T: Element>(triangle: Triangle, x: usize, y: usize, count: usize) -> Result<()> {
        let memory = Memory::new(OP);
        triangle.run::<T>(memory.read(x, count)?, memory.write(y, count)?)
    }
    let triangle = Triangle { rows, columns, diagonal: diagonal.into(), upper };
    status(match bytes {
        1 => run::<u8>(triangle, x, y, count),
        2 => run::<u16>(triangle, x, y, count),
        4 => run::<u32>(triangle, x, y, count),
        8 => run::<u64>(triangle, x, y, count),
        other => Err(KernelError::range(OP, What::Bytes, 8, other)),
    })
}
