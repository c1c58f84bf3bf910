//! Order statistics, histograms and thresholds of weights across the border, and mixtures of two tensors.

use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::quantize::{self, Side};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;
use crate::params::Params;
use crate::quantize::read_grouping;

const OP: Op = Op::Quantize;

/// Parameters: x (f32 array), rows, columns, group size, whether of magnitudes, ranks (u32 array `[groups, R]`), pointer to f32 `y` like the ranks.
#[wasm_bindgen]
pub fn quantize_order_statistics(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let magnitudes = params.flag(What::Kind)?;
        let ranks: &[u32] = params.array()?;
        let y = params.pointer()?;
        params.end()?;
        quantize::order_statistics(&grouping, x, magnitudes, ranks, memory.write(y, ranks.len())?)
    };
    status(run())
}

/// Sets bytes of `mask` at the largest |x| where they are 0 until `set` of the `count` are.
#[wasm_bindgen]
pub fn quantize_largest(x: usize, count: usize, set: usize, mask: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || quantize::largest(memory.read(x, count)?, set, memory.write(mask, count)?);
    status(run())
}

/// Parameters: x (f32 array), rows, columns, group size, side (0 both, 1 x >= 0, 2 x < 0), tops (f32 array), bins, pointers to u32 counts and f64 sums of squares
/// `[groups, bins]`.
#[wasm_bindgen]
pub fn quantize_histogram(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let side = match params.int()? {
            0 => Side::Both,
            1 => Side::Positive,
            _ => Side::Negative,
        };
        let top = params.array()?;
        let bins = params.size(What::Codebook)?;
        let (counts, squares) = (params.pointer()?, params.pointer()?);
        params.end()?;
        let cells = checked_area(OP, grouping.groups(), bins)?;
        let (counts, squares) = (memory.write(counts, cells)?, memory.write(squares, cells)?);
        quantize::histogram(&grouping, x, side, top, bins, counts, squares)
    };
    status(run())
}

/// Parameters: x (f32 array), rows, columns, group size, thresholds (f32 array), scales (f32 array), pointer to the codes.
#[wasm_bindgen]
pub fn quantize_threshold_codes(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x: &[f32] = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let (thresholds, scale) = (params.array()?, params.array()?);
        let codes = params.pointer()?;
        params.end()?;
        quantize::threshold_codes(&grouping, x, thresholds, scale, memory.write(codes, x.len())?)
    };
    status(run())
}

/// `x = y` in place where the byte of `mask` is not 0.
#[wasm_bindgen]
pub fn quantize_choose(x: usize, y: usize, mask: usize, count: usize) -> i32 {
    in_place(x, count, |memory, x| quantize::choose(x, memory.read(y, count)?, memory.read(mask, count)?))
}

/// `x = (x + weight * y) / (1 + weight)` in place.
#[wasm_bindgen]
pub fn quantize_mix(x: usize, y: usize, count: usize, weight: f64) -> i32 {
    in_place(x, count, |memory, x| quantize::mix(x, memory.read(y, count)?, weight))
}

fn in_place(x: usize, count: usize, run: impl FnOnce(&Memory, &mut [f32]) -> Result<()>) -> i32 {
    let memory = Memory::new(OP);
    status(memory.write(x, count).and_then(|x| run(&memory, x)))
}
