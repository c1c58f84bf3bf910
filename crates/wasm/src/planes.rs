//! `plane_norm_*`, `channel_norm_*`, `channel_statistics`, `local_response_*`.

use lowbit_kernels::error::{Op, checked_area};
use lowbit_kernels::normalize::{self, PlaneNorm};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elementwise::in_place;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;

const OP: Op = Op::Normalize;

/// Planes of `inner` elements.
#[wasm_bindgen]
pub fn plane_norm_new(channels: usize, groups: usize, inner: usize, epsilon: f32) -> i32 {
    let make = || insert(OP, PlaneNorm::new(channels, groups, inner, epsilon)?);
    status_or(make())
}

/// `x` f32 `[batch, channels, inner]` to `y`, which may be x; `scale` and `bias` f32 `[channels]`.
#[wasm_bindgen]
pub fn plane_norm_run(handle: i32, x: usize, y: usize, batch: usize, scale: usize, bias: usize) -> i32 {
    status(with(OP, handle, |norm: &PlaneNorm| {
        let [channels, image] = norm.lengths();
        let memory = Memory::new(OP);
        let (scale, bias) = (memory.read(scale, channels)?, memory.read(bias, channels)?);
        let count = checked_area(OP, batch, image)?;
        memory.write::<f32>(y, count)?;
        let mut result = Ok(());
        in_place(OP, x, y, count, |y| result = norm.run(y, scale, bias))?;
        result
    }))
}

/// Planes of `inner` elements.
#[wasm_bindgen]
pub fn channel_norm_new(channels: usize, inner: usize, epsilon: f32) -> i32 {
    status_or(insert(OP, ([channels, inner], epsilon)))
}

/// `x` f32 `[batch, channels, inner]` to `y`, which may be x; scale, bias, mean and variance are f32 `[channels]`.
#[wasm_bindgen]
pub fn channel_norm_run(
    handle: i32,
    x: usize,
    y: usize,
    batch: usize,
    scale: usize,
    bias: usize,
    mean: usize,
    variance: usize,
) -> i32 {
    status(with(OP, handle, |&([channels, inner], epsilon): &([usize; 2], f32)| {
        let memory = Memory::new(OP);
        let vector = |pointer| memory.read::<f32>(pointer, channels);
        let vectors = [vector(scale)?, vector(bias)?, vector(mean)?, vector(variance)?];
        let count = checked_area(OP, checked_area(OP, batch, channels)?, inner)?;
        memory.write::<f32>(y, count)?;
        let mut result = Ok(());
        in_place(OP, x, y, count, |y| result = normalize::channel_norm(y, inner, vectors, epsilon))?;
        result
    }))
}

/// Mean and variance f32 `[channels]` of `x` f32 `[batch, channels, inner]`.
#[wasm_bindgen]
pub fn channel_statistics(
    x: usize,
    batch: usize,
    channels: usize,
    inner: usize,
    mean: usize,
    variance: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, checked_area(OP, batch, channels)?, inner)?)?;
        let (mean, variance) = (memory.write(mean, channels)?, memory.write(variance, channels)?);
        normalize::channel_statistics(x, inner, mean, variance)
    };
    status(run())
}

/// Over `size` channels, with alpha, beta and bias.
#[wasm_bindgen]
pub fn local_response_new(size: usize, alpha: f32, beta: f32, bias: f32) -> i32 {
    status_or(insert(OP, (size, [alpha, beta, bias])))
}

/// `x` f32 `[outer, channels, inner]` to `y`.
#[wasm_bindgen]
pub fn local_response_run(
    handle: i32,
    x: usize,
    y: usize,
    outer: usize,
    channels: usize,
    inner: usize,
) -> i32 {
    status(with(OP, handle, |&(size, constants): &(usize, [f32; 3])| {
        let memory = Memory::new(OP);
        let count = checked_area(OP, checked_area(OP, outer, channels)?, inner)?;
        let (x, y) = (memory.read(x, count)?, memory.write(y, count)?);
        normalize::local_response(x, [outer, channels, inner], size, constants, y)
    }))
}
