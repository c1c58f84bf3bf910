//! [`lowbit_kernels::bitpack`] across the border. Pointers to f32, bytes or words of bits, `[rows, channels]`.

use lowbit_kernels::bitpack::max_pool::BitMaxPool;
#[cfg(feature = "multibit")]
use lowbit_kernels::bitpack::pack_planes;
use lowbit_kernels::bitpack::{pack_signs_int8, pack_trits, unpack_signs, unpack_trits};
use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::geometry::read_geometry;
use crate::handles;
use crate::memory::Memory;
use crate::params::Params;
use crate::signs::lengths;

const OP: Op = Op::Bitpack;

/// f32 to trits. Returns the number of zeros; where that is 0, `y` holds bits instead (its second half is unspecified).
#[wasm_bindgen]
pub fn bitpack_trits(x: usize, y: usize, rows: usize, channels: usize) -> i32 {
    let run = || {
        let (memory, (values, words)) = (Memory::new(OP), lengths(rows, channels)?);
        let y = memory.write(y, checked_area(OP, 2, words)?)?;
        Ok(pack_trits(Tier::BUILD, memory.read(x, values)?, rows, channels, y)? as i32)
    };
    status_or(run())
}

/// int8, or uint8 where `unsigned` is 1, to bits: `x < zero_point`. Returns 0.
#[wasm_bindgen]
pub fn bitpack_signs_int8(
    x: usize,
    y: usize,
    rows: usize,
    channels: usize,
    zero_point: i32,
    unsigned: i32,
) -> i32 {
    let run = || {
        let (memory, (values, words)) = (Memory::new(OP), lengths(rows, channels)?);
        let (x, y) = (memory.read(x, values)?, memory.write(y, words)?);
        pack_signs_int8(Tier::BUILD, x, unsigned != 0, zero_point, rows, channels, y)
    };
    status(run())
}

/// Codes of `bits` bits, one a byte, to bits `[rows, bits, channels]`. Returns 0.
#[cfg(feature = "multibit")]
#[wasm_bindgen]
pub fn bitpack_planes(x: usize, y: usize, rows: usize, channels: usize, bits: usize) -> i32 {
    let run = || {
        let (memory, (values, words)) = (Memory::new(OP), lengths(rows, channels)?);
        let y = memory.write(y, checked_area(OP, bits, words)?)?;
        pack_planes(Tier::BUILD, memory.read(x, values)?, bits, rows, channels, y)
    };
    status(run())
}

/// Bits to f32 -1, +1. Returns 0.
#[wasm_bindgen]
pub fn bitpack_unpack_signs(x: usize, y: usize, rows: usize, channels: usize) -> i32 {
    let run = || {
        let (memory, (values, words)) = (Memory::new(OP), lengths(rows, channels)?);
        unpack_signs(Tier::BUILD, memory.read(x, words)?, rows, channels, memory.write(y, values)?)
    };
    status(run())
}

/// Trits to f32 -1, 0, +1. Returns 0.
#[wasm_bindgen]
pub fn bitpack_unpack_trits(x: usize, y: usize, rows: usize, channels: usize) -> i32 {
    let run = || {
        let (memory, (values, words)) = (Memory::new(OP), lengths(rows, channels)?);
        let x = memory.read(x, checked_area(OP, 2, words)?)?;
        unpack_trits(Tier::BUILD, x, rows, channels, memory.write(y, values)?)
    };
    status(run())
}

/// Parameters: the window (as `conv_new` reads it), channels. Returns a handle.
#[wasm_bindgen]
pub fn bitpack_max_pool_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let geometry = read_geometry(OP, &mut params)?;
        let channels = params.size(What::Channels)?;
        params.end()?;
        handles::insert(OP, BitMaxPool::new(geometry, channels)?)
    };
    status_or(make())
}

/// Bits `[batch, h, w, channels]` to bits `[batch, h', w', channels]`. Returns 0.
#[wasm_bindgen]
pub fn bitpack_max_pool_run(handle: i32, x: usize, y: usize, batch: usize) -> i32 {
    status(handles::with::<BitMaxPool, _>(OP, handle, |pool| {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, batch, pool.input_len())?)?;
        pool.run(x, batch, memory.write(y, checked_area(OP, batch, pool.output_len())?)?)
    }))
}
