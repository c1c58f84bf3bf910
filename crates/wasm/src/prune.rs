//! Magnitude pruning across the border, for quantizers alone: what `packages/core/src/kernels/quantize.ts` calls.

use lowbit_kernels::error::Op;
use lowbit_kernels::quantize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;

const OP: Op = Op::Quantize;

/// `count` bytes of mask: 0 at the `pruned` smallest magnitudes, 1 at the others.
#[wasm_bindgen]
pub fn quantize_magnitude_mask(x: usize, count: usize, pruned: usize, mask: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || quantize::magnitude_mask(memory.read(x, count)?, pruned, memory.write(mask, count)?);
    status(run())
}

/// The `kept_count` floats whose mask is 1.
#[wasm_bindgen]
pub fn quantize_compress(x: usize, mask: usize, count: usize, kept: usize, kept_count: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || {
        let kept = memory.write::<f32>(kept, kept_count)?;
        quantize::compress(memory.read(x, count)?, memory.read(mask, count)?, kept)
    };
    status(run())
}

/// Floats again, 0 where the mask is.
#[wasm_bindgen]
pub fn quantize_expand(kept: usize, kept_count: usize, mask: usize, count: usize, x: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || {
        let kept = memory.read::<f32>(kept, kept_count)?;
        quantize::expand(kept, memory.read(mask, count)?, 0.0, memory.write(x, count)?)
    };
    status(run())
}

/// Codes again, `fill` where the mask is 0.
#[wasm_bindgen]
pub fn quantize_expand_codes(
    kept: usize,
    kept_count: usize,
    mask: usize,
    count: usize,
    fill: u8,
    codes: usize,
) -> i32 {
    let memory = Memory::new(OP);
    let run = || {
        let kept = memory.read::<u8>(kept, kept_count)?;
        quantize::expand(kept, memory.read(mask, count)?, fill, memory.write(codes, count)?)
    };
    status(run())
}
