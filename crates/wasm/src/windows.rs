//! `windows_*`, `unfold_run`, `fold_run`, `pool_nd_*`.

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{KernelError, Op, Result, What, checked_area};
use lowbit_kernels::windows::{Axis, PoolNd, Pooled, Reduction, Windows};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Windows;

/// Three axes, each input, output, kernel, stride, dilation, before, after.
fn read_windows(params: &mut Params<'_>) -> Result<Windows> {
    let mut axes = [Axis::POINT; 3];
    for axis in &mut axes {
        let mut size = || params.size(What::Geometry);
        *axis = Axis {
            input: size()?,
            output: size()?,
            kernel: size()?,
            stride: size()?,
            dilation: size()?,
            before: size()?,
            after: size()?,
        };
    }
    Windows::new(axes)
}

struct Rows {
    windows: Windows,
    channels: usize,
    groups: usize,
    bytes: usize,
}

impl Rows {
    /// Elements of `batch` images and of their rows of taps.
    fn lengths(&self, batch: usize) -> Result<[usize; 2]> {
        let lines = checked_area(OP, batch, self.channels)?;
        let taps = checked_area(OP, self.windows.places(), self.windows.taps())?;
        Ok([checked_area(OP, lines, self.windows.pixels())?, checked_area(OP, lines, taps)?])
    }
}

/// Parameters: three axes, channels, groups, bytes of an element (1, 2, 4).
#[wasm_bindgen]
pub fn windows_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let windows = read_windows(&mut params)?;
        let (channels, groups) = (params.size(What::Channels)?, params.size(What::Groups)?);
        let bytes = params.size(What::Bytes)?;
        params.end()?;
        insert(OP, Rows { windows, channels, groups, bytes })
    };
    status_or(make())
}

/// `x` `[batch, pixels, channels]` to `y` `[batch, places, groups, taps, channels / groups]`; taps outside are the element at `fill`, or 0 where that is 0.
#[wasm_bindgen]
pub fn unfold_run(handle: i32, x: usize, fill: usize, y: usize, batch: usize) -> i32 {
    fn run<T: Element>(rows: &Rows, [x, fill, y]: [usize; 3], batch: usize) -> Result<()> {
        let (memory, [x_len, y_len]) = (Memory::new(OP), rows.lengths(batch)?);
        let sizes = [batch, rows.channels, rows.groups];
        let fill = if fill == 0 { T::default() } else { memory.read(fill, 1)?[0] };
        rows.windows.unfold(memory.read(x, x_len)?, sizes, fill, memory.write(y, y_len)?)
    }
    status(with(OP, handle, |rows: &Rows| match rows.bytes {
        1 => run::<u8>(rows, [x, fill, y], batch),
        2 => run::<u16>(rows, [x, fill, y], batch),
        4 => run::<u32>(rows, [x, fill, y], batch),
        other => Err(KernelError::range(OP, What::Bytes, 4, other)),
    }))
}

/// `x` f32 `[batch, places, groups, taps, channels / groups]` to `y` f32 `[batch, pixels, channels]`, from `bias` f32 `[channels]` on, or 0 where that is 0.
#[wasm_bindgen]
pub fn fold_run(handle: i32, x: usize, bias: usize, y: usize, batch: usize) -> i32 {
    status(with(OP, handle, |rows: &Rows| {
        let (memory, [y_len, x_len]) = (Memory::new(OP), rows.lengths(batch)?);
        let sizes = [batch, rows.channels, rows.groups];
        let bias = if bias == 0 { None } else { Some(memory.read(bias, rows.channels)?) };
        rows.windows.fold(memory.read(x, x_len)?, sizes, bias, memory.write(y, y_len)?)
    }))
}

/// Parameters: three axes, reduction (0 maximum, 1 mean, 2 mean with padding, 3 norm), p of the norm, else 0.
#[wasm_bindgen]
pub fn pool_nd_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let windows = read_windows(&mut params)?;
        let (reduction, p) = (params.int()?, params.int()?);
        params.end()?;
        let reduction = match reduction {
            0 => Reduction::Max,
            1 => Reduction::Average,
            2 => Reduction::AverageWithPadding,
            3 => Reduction::Norm(p as u32),
            other => return Err(KernelError::range(OP, What::Kind, 3, other as usize)),
        };
        insert(OP, PoolNd::new(windows, reduction)?)
    };
    status_or(make())
}

/// Means or norms of `x` f32 `[planes, pixels]` to `y` f32 `[planes, places]`.
#[wasm_bindgen]
pub fn pool_nd_run(handle: i32, x: usize, y: usize, planes: usize) -> i32 {
    status(with(OP, handle, |pool: &PoolNd| {
        let (memory, [pixels, places]) = (Memory::new(OP), pool.lengths());
        let x = memory.read(x, checked_area(OP, planes, pixels)?)?;
        pool.run(x, planes, memory.write(y, checked_area(OP, planes, places)?)?)
    }))
}

/// Maxima of `x` `[planes, pixels]` to `y` `[planes, places]`, and their places to `indices` int64 unless that is 0; `element` 0 f32, 1 int8, 2 uint8.
#[wasm_bindgen]
pub fn pool_nd_max(
    handle: i32,
    x: usize,
    y: usize,
    planes: usize,
    element: i32,
    indices: usize,
    by_columns: i32,
) -> i32 {
    fn run<T: Pooled>(
        pool: &PoolNd,
        [x, y, indices]: [usize; 3],
        planes: usize,
        by_columns: bool,
    ) -> Result<()> {
        let (memory, [pixels, places]) = (Memory::new(OP), pool.lengths());
        let x: &[T] = memory.read(x, checked_area(OP, planes, pixels)?)?;
        let count = checked_area(OP, planes, places)?;
        let indices = if indices == 0 { None } else { Some(memory.write(indices, count)?) };
        pool.max(x, planes, memory.write(y, count)?, indices, by_columns)
    }
    let run = match element {
        0 => run::<f32>,
        1 => run::<i8>,
        _ => run::<u8>,
    };
    status(with(OP, handle, |pool: &PoolNd| run(pool, [x, y, indices], planes, by_columns != 0)))
}
