//! Signs of floats across the border: the part of [`lowbit_kernels::bitpack`] that indexes of vectors call too.

use lowbit_kernels::bitpack::pack_signs;
use lowbit_kernels::error::{Op, Result, checked_area};
use lowbit_kernels::layout::words_per_row;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;

const OP: Op = Op::Bitpack;

/// Values, and words of one plane.
pub(crate) fn lengths(rows: usize, channels: usize) -> Result<(usize, usize)> {
    Ok((checked_area(OP, rows, channels)?, checked_area(OP, rows, words_per_row(channels))?))
}

/// f32 to bits: `x < 0`. Returns 0.
#[wasm_bindgen]
pub fn bitpack_signs(x: usize, y: usize, rows: usize, channels: usize) -> i32 {
    let run = || {
        let (memory, (values, words)) = (Memory::new(OP), lengths(rows, channels)?);
        pack_signs(Tier::BUILD, memory.read(x, values)?, rows, channels, memory.write(y, words)?)
    };
    status(run())
}
