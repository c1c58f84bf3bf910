//! `channel_affine_*`, `threshold_*`.

use lowbit_kernels::buffer::Buffer;
use lowbit_kernels::error::{Op, What, check_range, checked_area};
use lowbit_kernels::normalize::ChannelAffine;
use lowbit_kernels::output::{OutputKind, OutputMut, OutputTransform};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elementwise::in_place;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Normalize;

/// Parameters: element of x (0 f32, 1 int32), scale (pointer, length) f32 `[C]`, bias (pointer, length) f32 `[C]`, clamp (two floats).
#[wasm_bindgen]
pub fn channel_affine_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let integers = params.flag(What::Kind)?;
        let (scale, bias) = (params.array()?, params.array()?);
        let clamp = params.clamp()?;
        params.end()?;
        insert(OP, (ChannelAffine::new(scale, bias, clamp)?, integers))
    };
    status_or(make())
}

/// `x` f32 or int32 `[rows, C]` to `y` f32 `[rows, C]`; y may be x where that is f32.
#[wasm_bindgen]
pub fn channel_affine_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |(affine, integers): &(ChannelAffine, bool)| {
        let count = checked_area(OP, rows, affine.channels())?;
        if *integers {
            let memory = Memory::new(OP);
            return affine.run_i32(memory.read(x, count)?, memory.write(y, count)?);
        }
        let mut result = Ok(());
        in_place(OP, x, y, count, |y| result = affine.run_f32(y))?;
        result
    }))
}

/// Parameters: thresholds (pointer, length) int32 `[C]`.
#[wasm_bindgen]
pub fn threshold_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let thresholds: &[i32] = params.array()?;
        params.end()?;
        check_range(OP, What::Channels, 1, i64::from(i32::MAX), thresholds.len() as i64)?;
        let transform = OutputTransform::Bits { thresholds: Buffer::from_slice(OP, thresholds)? };
        insert(OP, (transform, thresholds.len()))
    };
    status_or(make())
}

/// `x` int32 `[rows, C]` to `y` bits `[rows, words of C]`: bit = x < threshold.
#[wasm_bindgen]
pub fn threshold_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |(transform, channels): &(OutputTransform, usize)| {
        let memory = Memory::new(OP);
        let words = OutputKind::Bits.row_len(*channels);
        let x = memory.read(x, checked_area(OP, rows, *channels)?)?;
        let y = memory.write(y, checked_area(OP, rows, words)?)?;
        for (x, y) in x.chunks_exact(*channels).zip(y.chunks_exact_mut(words)) {
            transform.apply(Tier::BUILD, x, OutputMut::Bits(y));
        }
        Ok(())
    }))
}
