//! `gather_*`.

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{KernelError, Op, Result, What};
use lowbit_kernels::gather::{Axis, Coordinate, Gather, Indices, Number, Outside, Reduction};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Gather;

/// Parameters: whether indices beyond their axis are skipped (0: refused); elements of the data, of the indices and of a block; number of axes, for each its blocks, stride
/// in the data and stride in the indices; number of coordinates, for each its size and stride.
#[wasm_bindgen]
pub fn gather_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let outside = if params.flag(What::Kind)? { Outside::Skipped } else { Outside::Refused };
        let [data, indices, block] = [size(&mut params)?, size(&mut params)?, size(&mut params)?];
        let rank = size(&mut params)?.min(words);
        let axes = (0..rank)
            .map(|_| {
                Ok(Axis {
                    count: size(&mut params)?,
                    stride: size(&mut params)?,
                    index_stride: size(&mut params)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let count = size(&mut params)?.min(words);
        let coordinates = (0..count)
            .map(|_| Ok(Coordinate { size: size(&mut params)?, stride: size(&mut params)? }))
            .collect::<Result<Vec<_>>>()?;
        params.end()?;
        insert(OP, Gather::new(data, indices, &axes, &coordinates, block, outside)?)
    };
    status_or(make())
}

fn size(params: &mut Params<'_>) -> Result<usize> {
    params.size(What::Length)
}

fn indices_at(memory: &Memory, bytes: usize, pointer: usize, len: usize) -> Result<Indices<'_>> {
    match bytes {
        4 => Ok(Indices::Narrow(memory.read(pointer, len)?)),
        8 => Ok(Indices::Wide(memory.read(pointer, len)?)),
        other => Err(KernelError::range(OP, What::Bytes, 8, other)),
    }
}

/// `y`, the dense side, from `x`; elements of `element_bytes` 1, 2, 4 or 8, indices of `index_bytes` 4 or 8.
#[wasm_bindgen]
pub fn gather_run(
    handle: i32,
    element_bytes: usize,
    index_bytes: usize,
    x: usize,
    indices: usize,
    y: usize,
) -> i32 {
    fn run<T: Element>(
        gather: &Gather,
        index_bytes: usize,
        x: usize,
        indices: usize,
        y: usize,
    ) -> Result<()> {
        let memory = Memory::new(OP);
        let lengths = gather.lengths();
        let indices = indices_at(&memory, index_bytes, indices, lengths.indices)?;
        gather.gather::<T>(memory.read(x, lengths.data)?, indices, memory.write(y, lengths.dense)?)
    }
    status(with(OP, handle, |gather: &Gather| match element_bytes {
        1 => run::<u8>(gather, index_bytes, x, indices, y),
        2 => run::<u16>(gather, index_bytes, x, indices, y),
        4 => run::<u32>(gather, index_bytes, x, indices, y),
        8 => run::<u64>(gather, index_bytes, x, indices, y),
        other => Err(KernelError::range(OP, What::Bytes, 8, other)),
    }))
}

/// `y`, the data, with the blocks of `updates` (all of them its one element where `one` is set). `kind`: f32, f64, int8, uint8, int16, uint16, int32, uint32, int64, uint64 from
/// 0 on; `reduction`: replace, add, mul, min, max.
#[wasm_bindgen]
#[expect(clippy::too_many_arguments, reason = "plain numbers")]
pub fn gather_scatter(
    handle: i32,
    kind: u32,
    reduction: u32,
    index_bytes: usize,
    updates: usize,
    one: bool,
    indices: usize,
    y: usize,
) -> i32 {
    let reduction = match reduction {
        0 => Reduction::Replace,
        1 => Reduction::Add,
        2 => Reduction::Mul,
        3 => Reduction::Min,
        4 => Reduction::Max,
        other => return status(Err(KernelError::range(OP, What::Kind, 4, other as usize))),
    };
    let run = match kind {
        0 => scatter::<f32>,
        1 => scatter::<f64>,
        2 => scatter::<i8>,
        3 => scatter::<u8>,
        4 => scatter::<i16>,
        5 => scatter::<u16>,
        6 => scatter::<i32>,
        7 => scatter::<u32>,
        8 => scatter::<i64>,
        9 => scatter::<u64>,
        other => return status(Err(KernelError::range(OP, What::Kind, 9, other as usize))),
    };
    status(with(OP, handle, |gather: &Gather| {
        run(gather, reduction, index_bytes, [updates, indices, y], one)
    }))
}

fn scatter<T: Number>(
    gather: &Gather,
    reduction: Reduction,
    index_bytes: usize,
    [updates, indices, y]: [usize; 3],
    one: bool,
) -> Result<()> {
    let memory = Memory::new(OP);
    let lengths = gather.lengths();
    let indices = indices_at(&memory, index_bytes, indices, lengths.indices)?;
    let updates = memory.read::<T>(updates, if one { 1 } else { lengths.dense })?;
    gather.scatter(reduction, updates, indices, memory.write(y, lengths.data)?)
}
