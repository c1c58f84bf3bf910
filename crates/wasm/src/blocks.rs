//! [`lowbit_kernels::blocks`] across the border: what `packages/core/src/kernels/blocks.ts` calls.

use lowbit_kernels::blocks::{self, Kind, Stored};
use lowbit_kernels::error::{KernelError, Op, Result, What};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Quantize;

/// Parameters: type of block, columns, x (f32 array `[rows, columns]`), pointers to codes (bytes like x), scales (f32 per group), offsets (f32 per group,
/// types with a minimum alone), number of groups.
#[wasm_bindgen]
pub fn blocks_encode(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let kind = Kind::of(params.int()?)?;
        let columns = params.size(What::Columns)?;
        let x: &[f32] = params.array()?;
        let tensor = Pointers::new(&mut params)?;
        params.end()?;
        let (scales, offsets) = tensor.floats(&memory, kind)?;
        blocks::encode(kind, columns, x, memory.write(tensor.codes, x.len())?, scales, offsets)
    };
    status(run())
}

/// Parameters: type of block, codes (byte array), scales (f32 array), offsets (f32 array, empty but for types with a minimum), pointer to the blocks, their bytes.
/// The position of the first scale of the first block that cannot be written; the number of scales where there is none.
#[wasm_bindgen]
pub fn blocks_write(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let kind = Kind::of(params.int()?)?;
        let (codes, scales, offsets) = (params.array()?, params.array()?, params.array()?);
        let (bytes, length) = (params.pointer()?, params.size(What::Bytes)?);
        params.end()?;
        let position = blocks::write(kind, codes, scales, offsets, memory.write(bytes, length)?)?;
        Ok(position as i32)
    };
    status_or(run())
}

/// Parameters: type of block, blocks (byte array), pointers to codes, scales and offsets as of [`blocks_encode`], number of groups.
#[wasm_bindgen]
pub fn blocks_read(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let kind = Kind::of(params.int()?)?;
        let bytes: &[u8] = params.array()?;
        let tensor = Pointers::new(&mut params)?;
        params.end()?;
        let codes = memory.write(tensor.codes, bytes.len() / kind.bytes() * kind.weights())?;
        let (scales, offsets) = tensor.floats(&memory, kind)?;
        blocks::read(kind, bytes, codes, scales, offsets)
    };
    status(run())
}

/// `count` elements of a stored type at any address, as f32 at `y`.
#[wasm_bindgen]
pub fn blocks_widen(stored: i32, x: usize, y: usize, count: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let stored = Stored::of(stored)?;
        let bytes = count.checked_mul(stored.bytes()).ok_or(KernelError::memory(OP, usize::MAX))?;
        blocks::widen(stored, memory.read(x, bytes)?, memory.write(y, count)?)
    };
    status(run())
}

/// Where the parts of a quantized tensor go.
struct Pointers {
    codes: usize,
    scales: usize,
    offsets: usize,
    groups: usize,
}

impl Pointers {
    fn new(params: &mut Params<'_>) -> Result<Self> {
        let mut pointer = || params.int().map(|word| word as u32 as usize);
        let (codes, scales, offsets) = (pointer()?, pointer()?, pointer()?);
        Ok(Self { codes, scales, offsets, groups: params.size(What::Groups)? })
    }

    /// Scales and offsets.
    fn floats<'a>(&self, memory: &'a Memory, kind: Kind) -> Result<(&'a mut [f32], &'a mut [f32])> {
        let offsets = if kind.has_offsets() { self.groups } else { 0 };
        Ok((memory.write(self.scales, self.groups)?, memory.write(self.offsets, offsets)?))
    }
}
