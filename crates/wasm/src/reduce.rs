//! `reduce_*`, `along_*`, `arg_extreme`, `top_k_*`.

use core::cell::RefCell;

use lowbit_kernels::dtype::DType;
use lowbit_kernels::error::{KernelError, Op, Result, What, check_range, checked_area};
use lowbit_kernels::reduce::{Along, AlongKind, Candidate, Lines, REDUCTIONS, Reduce, TopK, arg_extreme};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::binary::sizes;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Reduce;

/// Parameters: reduction (its place in `lowbit_kernels::reduce::REDUCTIONS`), type (in `lowbit_kernels::dtype::DTYPES`), shape of x (pointer, length) int32, per axis whether it is reduced
/// (pointer, length) bytes.
#[wasm_bindgen]
pub fn reduce_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let kind = params.int()?;
        check_range(OP, What::Kind, 0, REDUCTIONS.len() as i64 - 1, i64::from(kind))?;
        let dtype = DType::from_number(OP, params.int()?)?;
        let shape = sizes(OP, params.array()?)?;
        let over: Vec<bool> = params.array::<u8>()?.iter().map(|byte| *byte != 0).collect();
        params.end()?;
        insert(OP, Reduce::new(REDUCTIONS[kind as usize], dtype, &shape, &over)?)
    };
    status_or(make())
}

/// `x` to `y`, of one type.
#[wasm_bindgen]
pub fn reduce_run(handle: i32, x: usize, y: usize) -> i32 {
    status(with(OP, handle, |reduce: &Reduce| {
        let memory = Memory::new(OP);
        let [x_bytes, y_bytes] = reduce.bytes();
        reduce.run(memory.read(x, x_bytes)?, memory.write(y, y_bytes)?)
    }))
}

/// `[outer, size, inner]` at `x` along `size` to `y`: kind 0 to 3 sums (1 exclusive, 2 reverse, 3 both), 4 softmax, 5 its logarithm.
#[wasm_bindgen]
pub fn along_run(kind: i32, dtype: i32, outer: usize, size: usize, inner: usize, x: usize, y: usize) -> i32 {
    let run = || {
        let kind = match kind {
            0..=3 => AlongKind::CumSum { exclusive: kind & 1 != 0, reverse: kind & 2 != 0 },
            4 => AlongKind::Softmax,
            5 => AlongKind::LogSoftmax,
            _ => return Err(KernelError::range(OP, What::Kind, 5, kind as usize)),
        };
        let (dtype, lines) = (DType::from_number(OP, dtype)?, Lines { outer, size, inner });
        let bytes = checked_area(OP, lines.elements()?, dtype.size())?;
        let memory = Memory::new(OP);
        Along::new(kind, dtype, lines)?.run(memory.read(x, bytes)?, memory.write(y, bytes)?)
    };
    status(run())
}

/// `[outer, size, inner]` at `x` to int64 `[outer, inner]` at `y`: kind 0 the largest, 1 the smallest; plus 2 the last of several.
#[wasm_bindgen]
pub fn arg_extreme_run(
    kind: i32,
    dtype: i32,
    outer: usize,
    size: usize,
    inner: usize,
    x: usize,
    y: usize,
) -> i32 {
    let run = || {
        check_range(OP, What::Kind, 0, 3, i64::from(kind))?;
        let (dtype, lines) = (DType::from_number(OP, dtype)?, Lines { outer, size, inner });
        let (x_bytes, y_bytes) =
            (checked_area(OP, lines.elements()?, dtype.size())?, checked_area(OP, lines.lines()?, 8)?);
        let memory = Memory::new(OP);
        let (x, y) = (memory.read(x, x_bytes)?, memory.write(y, y_bytes)?);
        arg_extreme(dtype, lines, kind & 1 != 0, kind & 2 != 0, x, y)
    };
    status(run())
}

/// What keeps the k best of each line, and its room.
type Best = (TopK, RefCell<Vec<Candidate>>);

/// Parameters: type, smallest (0 or 1), k, outer, size, inner.
#[wasm_bindgen]
pub fn best_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let dtype = DType::from_number(OP, params.int()?)?;
        let smallest = params.flag(What::Kind)?;
        let k = params.size(What::Best)?;
        let mut size = || params.size(What::Axis);
        let lines = Lines { outer: size()?, size: size()?, inner: size()? };
        params.end()?;
        let mut heap = Vec::new();
        let made = TopK::new(dtype, lines, k, smallest)?;
        made.bytes()?;
        heap.try_reserve_exact(k).map_err(|_| KernelError::memory(OP, k))?;
        let best: Best = (made, RefCell::new(heap));
        insert(OP, best)
    };
    status_or(make())
}

/// `x` to `values` of its type and `positions` int64, both `[outer, k, inner]`.
#[wasm_bindgen]
pub fn best_run(handle: i32, x: usize, values: usize, positions: usize) -> i32 {
    let run = |(best, heap): &Best| -> Result<()> {
        let memory = Memory::new(OP);
        let [x_bytes, value_bytes, position_bytes] = best.bytes()?;
        let (values, positions) =
            (memory.write(values, value_bytes)?, memory.write(positions, position_bytes)?);
        best.run(memory.read(x, x_bytes)?, values, positions, &mut heap.borrow_mut())
    };
    status(with(OP, handle, run))
}
