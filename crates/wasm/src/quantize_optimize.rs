//! The loops of quantizers that solve for their levels, [`lowbit_kernels::quantize`] across the border: bases, scales, sorted weights.

use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::quantize::{self, Grouping};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;
use crate::params::Params;
use crate::quantize::read_grouping;

const OP: Op = Op::Quantize;

/// A call over groups: x (f32 array), rows, columns, group size, and then what `use_rest` reads.
fn over_groups(
    params: usize,
    words: usize,
    use_rest: impl FnOnce(&Memory, &mut Params<'_>, &Grouping, &[f32]) -> Result<()>,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x: &[f32] = params.array()?;
        let grouping = read_grouping(&mut params)?;
        use_rest(&memory, &mut params, &grouping, x)
    };
    status(run())
}

/// Parameters: x, its groups, bases, coefficients (f32 array), pointers to the codes (changed in place) and to the f32 means per group.
#[wasm_bindgen]
pub fn quantize_residual_signs(params: usize, words: usize) -> i32 {
    over_groups(params, words, |memory, params, grouping, x| {
        let bases = params.size(What::Bits)?;
        let (coefficients, codes, mean) = (params.array()?, params.pointer()?, params.pointer()?);
        params.end()?;
        let (codes, mean) = (memory.write(codes, x.len())?, memory.write(mean, grouping.groups())?);
        quantize::residual_signs(grouping, x, bases, coefficients, codes, mean)
    })
}

/// Parameters: x, its groups, bases, pointers to the codes and to the f32 coefficients `[groups, bases]`.
#[wasm_bindgen]
pub fn quantize_fit_bases(params: usize, words: usize) -> i32 {
    over_groups(params, words, |memory, params, grouping, x| {
        let bases = params.size(What::Bits)?;
        let (codes, coefficients) = (params.pointer()?, params.pointer()?);
        params.end()?;
        let coefficients = memory.write(coefficients, checked_area(OP, grouping.groups(), bases)?)?;
        quantize::fit_bases(grouping, x, memory.read(codes, x.len())?, bases, coefficients)
    })
}

/// Parameters: x, its groups, bases, coefficients (f32 array), pointer to the codes.
#[wasm_bindgen]
pub fn quantize_nearest_bases(params: usize, words: usize) -> i32 {
    over_groups(params, words, |memory, params, grouping, x| {
        let bases = params.size(What::Bits)?;
        let (coefficients, codes) = (params.array()?, params.pointer()?);
        params.end()?;
        quantize::nearest_bases(grouping, x, bases, coefficients, memory.write(codes, x.len())?)
    })
}

/// Parameters: x, its groups, bits, thresholds (f32 array), pointer to the codes.
#[wasm_bindgen]
pub fn quantize_base_codes(params: usize, words: usize) -> i32 {
    over_groups(params, words, |memory, params, grouping, x| {
        let bits = params.size(What::Bits)?;
        let (thresholds, codes) = (params.array()?, params.pointer()?);
        params.end()?;
        quantize::base_codes(grouping, x, bits, thresholds, memory.write(codes, x.len())?)
    })
}

/// f64 mean and standard deviation per group.
#[wasm_bindgen]
pub fn quantize_moments(
    x: usize,
    rows: usize,
    columns: usize,
    group_size: usize,
    mean: usize,
    deviation: usize,
) -> i32 {
    let run = || {
        let (memory, grouping) = (Memory::new(OP), Grouping::new(rows, columns, group_size)?);
        let (mean, deviation) =
            (memory.write(mean, grouping.groups())?, memory.write(deviation, grouping.groups())?);
        quantize::moments(&grouping, memory.read(x, grouping.len())?, mean, deviation)
    };
    status(run())
}

/// Parameters: x, its groups, pointer to the codes, levels (f32 array), importance (f32 array or absent), pointers to the two f64 sums per group.
#[wasm_bindgen]
pub fn quantize_scale_sums(params: usize, words: usize) -> i32 {
    over_groups(params, words, |memory, params, grouping, x| {
        let codes = params.pointer()?;
        let (levels, importance) = (params.array()?, params.array()?);
        let (dot, power) = (params.pointer()?, params.pointer()?);
        params.end()?;
        let codes = memory.read(codes, x.len())?;
        let (dot, power) = (memory.write(dot, grouping.groups())?, memory.write(power, grouping.groups())?);
        quantize::scale_sums(grouping, x, codes, levels, importance, dot, power)
    })
}

/// `count` f32 ascending, in place.
#[wasm_bindgen]
pub fn quantize_sort(x: usize, count: usize) -> i32 {
    let memory = Memory::new(OP);
    status(memory.write(x, count).map(quantize::sort))
}

/// Parameters: x, its groups, levels (f32 array, ascending from 0 on), pointer to the f32 scales per group, which become those of least error from where they are.
#[wasm_bindgen]
pub fn quantize_level_scale(params: usize, words: usize) -> i32 {
    over_groups(params, words, |memory, params, grouping, x| {
        let (levels, scale) = (params.array()?, params.pointer()?);
        params.end()?;
        quantize::level_scale(grouping, x, levels, memory.write(scale, grouping.groups())?)
    })
}

/// f32 scales of the best ternary weights per group.
#[wasm_bindgen]
pub fn quantize_ternary_scale(x: usize, rows: usize, columns: usize, group_size: usize, scale: usize) -> i32 {
    let run = || {
        let (memory, grouping) = (Memory::new(OP), Grouping::new(rows, columns, group_size)?);
        let scale = memory.write(scale, grouping.groups())?;
        quantize::ternary_scale(&grouping, memory.read(x, grouping.len())?, scale)
    };
    status(run())
}
