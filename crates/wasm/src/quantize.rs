//! [`lowbit_kernels::quantize`] across the border: what `packages/core/src/kernels/quantize.ts` calls.

use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, check_range, checked_area};
use lowbit_kernels::layout::code_row_bytes;
use lowbit_kernels::nearest::Centroids;
use lowbit_kernels::quantize::{self, Grid, Grouping};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::coded_weights::read_weights;
use crate::error::{status, status_or};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Quantize;

/// `x = f32(x * factor)` in place, the product in f64.
#[wasm_bindgen]
pub fn quantize_multiply(x: usize, count: usize, factor: f64) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        for x in memory.write::<f32>(x, count)? {
            *x = (f64::from(*x) * factor) as f32;
        }
        Ok(())
    };
    status(run())
}

/// Largest |x| per group: f32 `y [rows, groups]`.
#[wasm_bindgen]
pub fn quantize_abs_max(x: usize, rows: usize, columns: usize, group_size: usize, y: usize) -> i32 {
    let run = || {
        let (memory, grouping) = (Memory::new(OP), Grouping::new(rows, columns, group_size)?);
        let y = memory.write(y, grouping.groups())?;
        quantize::abs_max(&grouping, memory.read(x, grouping.len())?, y)
    };
    status(run())
}

/// Smallest and largest x per group.
#[wasm_bindgen]
pub fn quantize_min_max(
    x: usize,
    rows: usize,
    columns: usize,
    group_size: usize,
    min: usize,
    max: usize,
) -> i32 {
    let run = || {
        let (memory, grouping) = (Memory::new(OP), Grouping::new(rows, columns, group_size)?);
        let (min, max) = (memory.write(min, grouping.groups())?, memory.write(max, grouping.groups())?);
        quantize::min_max(&grouping, memory.read(x, grouping.len())?, min, max)
    };
    status(run())
}

/// Mean and number (u32) of the |x| above the group's threshold.
#[wasm_bindgen]
pub fn quantize_mean_abs_above(
    x: usize,
    rows: usize,
    columns: usize,
    group_size: usize,
    threshold: usize,
    mean: usize,
    count: usize,
) -> i32 {
    let run = || {
        let (memory, grouping) = (Memory::new(OP), Grouping::new(rows, columns, group_size)?);
        let (x, threshold) = (memory.read(x, grouping.len())?, memory.read(threshold, grouping.groups())?);
        let (mean, count) = (memory.write(mean, grouping.groups())?, memory.write(count, grouping.groups())?);
        quantize::mean_abs_above(&grouping, x, threshold, mean, count)
    };
    status(run())
}

/// 1 where x < 0: `count` bytes.
#[wasm_bindgen]
pub fn quantize_signs(x: usize, count: usize, codes: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || quantize::signs(memory.read(x, count)?, memory.write(codes, count)?);
    status(run())
}

/// Parameters: x (f32 array), rows, columns, group size, scales (f32 array), zero points (int32 array), offsets (f32 array or absent), lowest and highest code,
/// pointer to the result: codes (bytes like x), or with `errors` f64 sums of squared errors per group.
#[wasm_bindgen]
pub fn quantize_grid(params: usize, words: usize, errors: i32) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let grid = Grid {
            scale: params.array()?,
            zero_points: params.array()?,
            offsets: params.array()?,
            min_code: params.int()?,
            max_code: params.int()?,
        };
        let result = params.pointer()?;
        params.end()?;
        if errors == 0 {
            grid.codes(&grouping, x, memory.write(result, x.len())?)
        } else {
            grid.errors(&grouping, x, memory.write(result, grouping.groups())?)
        }
    };
    status(run())
}

pub(crate) fn read_grouping(params: &mut Params<'_>) -> Result<Grouping> {
    Grouping::new(params.size(What::Rows)?, params.size(What::Columns)?, params.size(What::GroupSize)?)
}

/// Parameters: x (f32 array), codebook (f32 array), dimension, scales (f32 array or absent), rows, columns and group size of the scales, pointer to the codes.
#[wasm_bindgen]
pub fn quantize_nearest(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (x, vectors): (&[f32], &[f32]) = (params.array()?, params.array()?);
        let dimension = params.size(What::Codebook)?;
        let scales: &[f32] = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let codes = params.pointer()?;
        params.end()?;
        let centroids = Centroids::new(Tier::BUILD, vectors, dimension)?;
        let codes = memory.write(codes, x.len() / dimension)?;
        if scales.is_empty() {
            centroids.assign(x, codes)
        } else {
            quantize::nearest_scaled(&centroids, &grouping, x, scales, codes)
        }
    };
    status(run())
}

/// f64 `sums [clusters, dimension]` and u32 `counts [clusters]` of the `count` sub-vectors of x with these codes.
#[wasm_bindgen]
pub fn quantize_cluster_sums(
    x: usize,
    codes: usize,
    count: usize,
    dimension: usize,
    clusters: usize,
    sums: usize,
    counts: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        check_range(OP, What::Codebook, 1, 256, clusters as i64)?;
        let x = memory.read(x, checked_area(OP, count, dimension)?)?;
        let sums = memory.write(sums, checked_area(OP, clusters, dimension)?)?;
        let counts = memory.write(counts, clusters)?;
        quantize::cluster_sums(x, memory.read(codes, count)?, dimension, sums, counts)
    };
    status(run())
}

/// The position of the first NaN or infinity; `count` where there is none.
#[wasm_bindgen]
pub fn quantize_first_not_finite(x: usize, count: usize) -> i32 {
    let memory = Memory::new(OP);
    status_or(memory.read(x, count).and_then(|x| position(quantize::first_not_finite(x))))
}

/// The position of the first code that is not below `levels`; `count` where there is none.
#[wasm_bindgen]
pub fn quantize_first_beyond(codes: usize, count: usize, levels: usize) -> i32 {
    let memory = Memory::new(OP);
    status_or(memory.read(codes, count).and_then(|codes| position(quantize::first_beyond(codes, levels))))
}

fn position(at: usize) -> Result<i32> {
    let limit = i64::from(i32::MAX);
    i32::try_from(at).map_err(|_| KernelError::new(ErrorCode::Range, OP, What::Length, limit, at as i64))
}

/// Codes `[rows, per_row]` to packed rows.
#[wasm_bindgen]
pub fn quantize_pack(codes: usize, rows: usize, per_row: usize, bits: usize, packed: usize) -> i32 {
    let run = || {
        let (memory, [plain, bytes]) = (Memory::new(OP), code_lengths(rows, per_row, bits)?);
        quantize::pack(memory.read(codes, plain)?, rows, per_row, bits, memory.write(packed, bytes)?)
    };
    status(run())
}

/// Packed rows to codes `[rows, per_row]`.
#[wasm_bindgen]
pub fn quantize_unpack(packed: usize, rows: usize, per_row: usize, bits: usize, codes: usize) -> i32 {
    let run = || {
        let (memory, [plain, bytes]) = (Memory::new(OP), code_lengths(rows, per_row, bits)?);
        quantize::unpack(memory.read(packed, bytes)?, rows, per_row, bits, memory.write(codes, plain)?)
    };
    status(run())
}

/// Bytes of plain and of packed codes.
fn code_lengths(rows: usize, per_row: usize, bits: usize) -> Result<[usize; 2]> {
    check_range(OP, What::Bits, 1, 8, bits as i64)?;
    checked_area(OP, per_row, bits)?;
    Ok([checked_area(OP, rows, per_row)?, checked_area(OP, rows, code_row_bytes(per_row, bits))?])
}

/// Parameters: coded weights as of `codebook_gemm_new` without bias and clamp. `w` is f32 `[N, K]`.
#[wasm_bindgen]
pub fn quantize_decode(params: usize, words: usize, w: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let weights = read_weights(&mut params)?;
        params.end()?;
        quantize::decode(&weights, memory.write(w, checked_area(OP, weights.columns, weights.depth)?)?)
    };
    status(run())
}

/// f64 `sums`: noise, signal, power, dot, largest difference of `count` f32 x and y.
#[wasm_bindgen]
pub fn quantize_error_sums(x: usize, y: usize, count: usize, sums: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let result = quantize::error_sums(memory.read(x, count)?, memory.read(y, count)?)?;
        let values = [result.noise, result.signal, result.power, result.dot, result.max_abs];
        memory.write::<f64>(sums, values.len())?.copy_from_slice(&values);
        Ok(())
    };
    status(run())
}
