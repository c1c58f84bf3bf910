//! `transpose_*`, `pad_*`, `copy_rows`, `cast`.

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{KernelError, Op, Result, What, check_shape, checked_area};
use lowbit_kernels::transform::{self, DType, Pad, Transpose};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::binary::sizes;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Transform;

/// Calls `$run::<T>($arguments)` with the unsigned integer of `$bytes` bytes.
macro_rules! by_size {
    ($bytes:expr, $run:ident($($argument:expr),*)) => {
        match $bytes {
            1 => $run::<u8>($($argument),*),
            2 => $run::<u16>($($argument),*),
            4 => $run::<u32>($($argument),*),
            8 => $run::<u64>($($argument),*),
            other => Err(KernelError::range(OP, What::Bytes, 8, other)),
        }
    };
}

/// Parameters: bytes of an element (1, 2, 4, 8), shape of x (pointer, length), permutation (pointer, length), both int32.
#[wasm_bindgen]
pub fn transpose_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let bytes = params.size(What::Bytes)?;
        let (shape, permutation) = (sizes(OP, params.array()?)?, sizes(OP, params.array()?)?);
        params.end()?;
        insert(OP, (Transpose::new(&shape, &permutation)?, bytes))
    };
    status_or(make())
}

/// `x` to `y`.
#[wasm_bindgen]
pub fn transpose_run(handle: i32, x: usize, y: usize) -> i32 {
    fn run<T: Element>(transpose: &Transpose, x: usize, y: usize) -> Result<()> {
        let memory = Memory::new(OP);
        transpose.run::<T>(memory.read(x, transpose.len())?, memory.write(y, transpose.len())?)
    }
    status(with(OP, handle, |(transpose, bytes): &(Transpose, usize)| by_size!(*bytes, run(transpose, x, y))))
}

/// Parameters: shape (pointer, length), pads before and after each axis (pointer, length), both int32; the bytes of the padding element
/// (pointer, length 1, 2, 4 or 8).
#[wasm_bindgen]
pub fn pad_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let (shape, pads) = (sizes(OP, params.array()?)?, sizes(OP, params.array()?)?);
        let value: &[u8] = params.array()?;
        params.end()?;
        check_shape(OP, What::Padding, 2 * shape.len(), pads.len())?;
        let (before, after) = pads.split_at(shape.len());
        let mut element = [0; 8];
        element
            .get_mut(..value.len())
            .ok_or(KernelError::range(OP, What::Bytes, 8, value.len()))?
            .copy_from_slice(value);
        insert(OP, (Pad::new(&shape, before, after)?, u64::from_le_bytes(element), value.len()))
    };
    status_or(make())
}

/// `x` to `y`.
#[wasm_bindgen]
pub fn pad_run(handle: i32, x: usize, y: usize) -> i32 {
    fn run<T: Element + TryFrom<u64>>(pad: &Pad, value: u64, x: usize, y: usize) -> Result<()> {
        let memory = Memory::new(OP);
        let [x_len, y_len] = pad.lengths();
        // The value was read from as many bytes as T has.
        let value = T::try_from(value).unwrap_or_default();
        pad.run(memory.read(x, x_len)?, value, memory.write(y, y_len)?)
    }
    status(with(OP, handle, |(pad, value, bytes): &(Pad, u64, usize)| {
        by_size!(*bytes, run(pad, *value, x, y))
    }))
}

/// `rows` rows of `row` bytes from `x`, which lie side by side, to `y`, where they start `stride` bytes apart.
#[wasm_bindgen]
pub fn copy_rows(x: usize, y: usize, rows: usize, row: usize, stride: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.read::<u8>(x, checked_area(OP, rows, row)?)?;
        let last = checked_area(OP, rows.saturating_sub(1), stride)?;
        let y = memory.write(y, last.checked_add(row).ok_or(KernelError::memory(OP, usize::MAX))?)?;
        transform::copy_rows(x, rows, row, y, stride)
    };
    status(run())
}

/// `count` elements of type `from` at `x` to type `to` at `y`: 0 f32, 1 f16, 2 int8, 3 uint8, 4 int32, 5 int64, 6 bool.
#[wasm_bindgen]
pub fn cast(x: usize, y: usize, count: usize, from: i32, to: i32) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let (from, to) = (DType::from_number(from)?, DType::from_number(to)?);
        let x = memory.read(x, checked_area(OP, count, from.size())?)?;
        transform::cast(x, from, memory.write(y, checked_area(OP, count, to.size())?)?, to)
    };
    status(run())
}
