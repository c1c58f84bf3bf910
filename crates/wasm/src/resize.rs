//! `resize_*`.

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{KernelError, Op, Result, What};
use lowbit_kernels::resize::{Axis, Coordinates, Filter, Method, Nearest, Resize};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;

const OP: Op = Op::Resize;

struct Object {
    resize: Resize,
    bytes: usize,
    outside: u64,
}

/// Parameters: number of axes, for each input, output, scale, start and end of the region (the last three floats); coordinates (0 half pixel, 1 half pixel symmetric, 2 `PyTorch` half
/// pixel, 3 align corners, 4 asymmetric, 5 TensorFlow crop and resize, 6 TensorFlow half pixel for nearest); filter (0 nearest rounding halves down, 1 rounding them up, 2 floor, 3 ceil,
/// 4 linear, 5 cubic); the cubic's a (float); whether it antialiases, whether it drops weights outside (0, 1 each); extrapolation value (float); bytes of an element (4 unless
/// nearest: 1, 2, 4, 8); the extrapolation value as such an element, low and high 32 bits.
#[wasm_bindgen]
pub fn resize_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let rank = params.size(What::Axis)?;
        let mut axes = Vec::new();
        for _ in 0..rank {
            let (input, output) = (params.size(What::Length)?, params.size(What::Length)?);
            let scale = params.float()?;
            axes.push(Axis { input, output, scale, region: [params.float()?, params.float()?] });
        }
        let coordinates = params.size(What::Kind)?;
        let coordinates = *Coordinates::ALL.get(coordinates).ok_or(KernelError::range(
            OP,
            What::Kind,
            Coordinates::ALL.len() - 1,
            coordinates,
        ))?;
        let (filter, a) = (params.size(What::Kind)?, params.float()?);
        let filter = match filter {
            4 => Filter::Linear,
            5 => Filter::Cubic(a),
            nearest => Filter::Nearest(*Nearest::ALL.get(nearest).ok_or(KernelError::range(
                OP,
                What::Kind,
                5,
                nearest,
            ))?),
        };
        let (antialias, exclude_outside) = (params.flag(What::Kind)?, params.flag(What::Kind)?);
        let extrapolation = params.float()?;
        let bytes = params.size(What::Bytes)?;
        let [low, high] = [params.int()? as u32, params.int()? as u32];
        params.end()?;
        let method = Method { coordinates, filter, antialias, exclude_outside, extrapolation };
        let resize = Resize::new(&axes, &method)?;
        reserve_scratch(OP, resize.scratch_lines(bytes))?;
        insert(OP, Object { resize, bytes, outside: u64::from(low) | u64::from(high) << 32 })
    };
    status_or(make())
}

/// `x` to `y`.
#[wasm_bindgen]
pub fn resize_run(handle: i32, x: usize, y: usize) -> i32 {
    fn nearest<T: Element>(resize: &Resize, x: usize, y: usize, outside: T) -> Result<()> {
        let (memory, [x_len, y_len]) = (Memory::new(OP), resize.lengths());
        let (x, y) = (memory.read(x, x_len)?, memory.write(y, y_len)?);
        with_scratch(|scratch| resize.run_nearest(x, y, outside, scratch))
    }
    status(with(OP, handle, |object: &Object| {
        let (resize, outside) = (&object.resize, object.outside);
        if !resize.is_nearest() {
            let (memory, [x_len, y_len]) = (Memory::new(OP), resize.lengths());
            let (x, y) = (memory.read(x, x_len)?, memory.write(y, y_len)?);
            return with_scratch(|scratch| resize.run(x, y, scratch));
        }
        match object.bytes {
            1 => nearest(resize, x, y, outside as u8),
            2 => nearest(resize, x, y, outside as u16),
            4 => nearest(resize, x, y, outside as u32),
            8 => nearest(resize, x, y, outside),
            other => Err(KernelError::range(OP, What::Bytes, 8, other)),
        }
    }))
}
