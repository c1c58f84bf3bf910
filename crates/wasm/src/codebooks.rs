//! Searches over codebooks across the border: the steps of k-means, entropy-constrained, additive and hashed quantization. `packages/core/src/kernels/codebooks.ts` calls them.

use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::quantize::{self, Additive};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Quantize;

/// One pass of Lloyd's algorithm over `x [count, dimension]`: moves `centroids [clusters, dimension]`, writes the codes, and to f64 `result`
/// the explained sum of squares, the first empty cluster or -1, and whether a centroid moved.
#[wasm_bindgen]
pub fn codebook_lloyd_pass(
    x: usize,
    count: usize,
    dimension: usize,
    centroids: usize,
    clusters: usize,
    codes: usize,
    result: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, count, dimension)?)?;
        let centroids = memory.write(centroids, checked_area(OP, clusters, dimension)?)?;
        let codes = memory.write::<u8>(codes, count)?;
        let pass = quantize::lloyd_pass(Tier::BUILD, x, dimension, centroids, codes)?;
        let empty = pass.empty.map_or(-1.0, |cluster| cluster as f64);
        memory.write::<f64>(result, 3)?.copy_from_slice(&[
            pass.explained,
            empty,
            f64::from(u8::from(pass.moved)),
        ]);
        Ok(())
    };
    status(run())
}

/// Moves centroid `empty` to the vector farthest from its own; 0 where every vector lies on its own, else 1.
#[wasm_bindgen]
pub fn codebook_refill(
    x: usize,
    count: usize,
    dimension: usize,
    centroids: usize,
    clusters: usize,
    codes: usize,
    empty: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, count, dimension)?)?;
        let centroids = memory.write(centroids, checked_area(OP, clusters, dimension)?)?;
        quantize::refill(x, memory.read(codes, count)?, centroids, dimension, empty).map(i32::from)
    };
    status_or(run())
}

/// f32 `distances [count]` of vectors in columns, `x [dimension, count]`, where the one `chosen` is nearer.
#[wasm_bindgen]
pub fn codebook_nearer(x: usize, count: usize, dimension: usize, chosen: usize, distances: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, count, dimension)?)?;
        quantize::nearer(x, chosen, memory.write(distances, count)?)
    };
    status(run())
}

/// Runs of `length` floats of x that begin at u32 `starts [runs]`: `y [runs, length]`, or where `step` is not 0 every `step`th float of each as columns,
/// `[length / step rounded up, runs]`.
#[wasm_bindgen]
pub fn codebook_take(
    x: usize,
    count: usize,
    starts: usize,
    runs: usize,
    length: usize,
    step: usize,
    y: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let (x, starts) = (memory.read(x, count)?, memory.read(starts, runs)?);
        let kept = if step == 0 { length } else { length.div_ceil(step) };
        let y = memory.write(y, checked_area(OP, runs, kept)?)?;
        if step == 0 {
            quantize::take(x, starts, length, y)
        } else {
            quantize::take_columns(x, starts, length, step, y)
        }
    };
    status(run())
}

/// Takes the entry of each code off `x [count, dimension]`.
#[wasm_bindgen]
pub fn codebook_subtract(
    x: usize,
    count: usize,
    dimension: usize,
    codebook: usize,
    entries: usize,
    codes: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.write(x, checked_area(OP, count, dimension)?)?;
        let codebook = memory.read(codebook, checked_area(OP, entries, dimension)?)?;
        quantize::subtract(x, memory.read(codes, count)?, codebook, dimension)
    };
    status(run())
}

/// `pairs [count, 2]` of x and its weight, at least `floor`.
#[wasm_bindgen]
pub fn codebook_pair(x: usize, weights: usize, count: usize, floor: f32, pairs: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let pairs = memory.write(pairs, checked_area(OP, count, 2)?)?;
        quantize::pair(memory.read(x, count)?, memory.read(weights, count)?, floor, pairs)
    };
    status(run())
}

/// Sorts `pairs [count, 2]`.
#[wasm_bindgen]
pub fn codebook_sort_pairs(pairs: usize, count: usize) -> i32 {
    let run = || {
        quantize::sort_pairs(Memory::new(OP).write(pairs, checked_area(OP, count, 2)?)?);
        Ok(())
    };
    status(run())
}

/// f64 `runs [count / 64 rounded up, 2]` of sorted values, or with `weighted` of sorted pairs.
#[wasm_bindgen]
pub fn codebook_run_sums(sorted: usize, count: usize, weighted: i32, runs: usize) -> i32 {
    let run = || {
        let (memory, width) = (Memory::new(OP), if weighted == 0 { 1 } else { 2 });
        let sorted = memory.read(sorted, checked_area(OP, count, width)?)?;
        quantize::run_sums(sorted, weighted != 0, memory.write(runs, 2 * count.div_ceil(64))?)
    };
    status(run())
}

/// f64 `result [bounds + 1, 4]` of the intervals between `bounds`.
#[wasm_bindgen]
pub fn codebook_interval_sums(
    sorted: usize,
    count: usize,
    weighted: i32,
    runs: usize,
    bounds: usize,
    bound_count: usize,
    result: usize,
) -> i32 {
    let run = || {
        let (memory, width) = (Memory::new(OP), if weighted == 0 { 1 } else { 2 });
        let sorted = memory.read(sorted, checked_area(OP, count, width)?)?;
        let runs = memory.read(runs, 2 * count.div_ceil(64))?;
        let result = memory.write(result, checked_area(OP, bound_count + 1, 4)?)?;
        quantize::interval_sums(sorted, weighted != 0, runs, memory.read(bounds, bound_count)?, result)
    };
    status(run())
}

/// Codes of the levels of least squared error, weighted with the curvature (or 1 where it is 0), and penalty.
#[wasm_bindgen]
pub fn codebook_penalized(
    x: usize,
    count: usize,
    curvature: usize,
    levels: usize,
    penalties: usize,
    level_count: usize,
    codes: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let (levels, penalties) = (memory.read(levels, level_count)?, memory.read(penalties, level_count)?);
        let curvature = optional(&memory, curvature, count)?;
        quantize::penalized_codes(
            memory.read(x, count)?,
            curvature,
            levels,
            penalties,
            memory.write(codes, count)?,
        )
    };
    status(run())
}

/// f64 `sums [levels, 4]` of the weights with each code.
#[wasm_bindgen]
pub fn codebook_level_sums(
    x: usize,
    count: usize,
    curvature: usize,
    codes: usize,
    levels: usize,
    sums: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let curvature = optional(&memory, curvature, count)?;
        let sums = memory.write(sums, checked_area(OP, levels, 4)?)?;
        quantize::level_sums(memory.read(x, count)?, curvature, memory.read(codes, count)?, sums)
    };
    status(run())
}

fn optional(memory: &Memory, pointer: usize, count: usize) -> Result<&[f32]> {
    memory.read(pointer, if pointer == 0 { 0 } else { count })
}

/// Parameters: x (f32 array), dimension, count and entries of the codebooks, their pointer, the pointer to the codes, beam, sweeps of the search of codes,
/// sweeps of the fit of codebooks. The sum of squared errors that is left goes to f64 `error`.
#[wasm_bindgen]
pub fn codebook_additive(params: usize, words: usize, error: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x: &[f32] = params.array()?;
        let mut size = || params.size(What::Codebook);
        let (dimension, count, entries) = (size()?, size()?, size()?);
        let (codebooks, codes) = (params.pointer()?, params.pointer()?);
        let mut size = || params.size(What::Best);
        let (beam, searches, fits) = (size()?, size()?, size()?);
        params.end()?;
        let additive = Additive { dimension, count, entries };
        let codebooks =
            memory.write(codebooks, checked_area(OP, checked_area(OP, count, entries)?, dimension)?)?;
        let codes = memory.write(codes, checked_area(OP, x.len() / dimension.max(1), count)?)?;
        additive.search(x, codebooks, beam, searches, codes)?;
        additive.refit(x, codes, codebooks, fits)?;
        memory.write::<f64>(error, 1)?[0] = additive.error(x, codes, codebooks)?;
        Ok(())
    };
    status(run())
}

/// f64 `sums` and u32 `counts` of hashed x, of `part` shared values from `first` on of all `values`.
#[wasm_bindgen]
pub fn codebook_hashed_sums(
    x: usize,
    count: usize,
    seed: u32,
    values: usize,
    first: usize,
    part: usize,
    sums: usize,
    counts: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let (sums, counts) = (memory.write(sums, part)?, memory.write(counts, part)?);
        quantize::hashed_sums(memory.read(x, count)?, seed, (values, first), sums, counts)
    };
    status(run())
}

/// Codes `[count, length / count]` to `y [length / count, count]`.
#[wasm_bindgen]
pub fn codebook_interleave(codes: usize, length: usize, count: usize, y: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || quantize::interleave(memory.read(codes, length)?, count, memory.write(y, length)?);
    status(run())
}

/// `y = R x` of `count` vectors of d numbers, R's columns in `transposed [d, d]`.
#[wasm_bindgen]
pub fn codebook_rotate(x: usize, count: usize, d: usize, transposed: usize, y: usize) -> i32 {
    let run = || {
        let (memory, floats) = (Memory::new(OP), checked_area(OP, count, d)?);
        let transposed = memory.read(transposed, checked_area(OP, d, d)?)?;
        quantize::rotate(memory.read(x, floats)?, d, transposed, memory.write(y, floats)?)
    };
    status(run())
}

/// f64 `a [d, d]`, a rotation on entry: the one that brings `count` vectors x of d numbers nearest to what their codes `[subspaces, count]` stand for in
/// `codebooks [subspaces, entries, d / subspaces]`, and where that leaves a choice the old one.
#[wasm_bindgen]
pub fn codebook_procrustes(
    x: usize,
    count: usize,
    d: usize,
    codes: usize,
    codebooks: usize,
    subspaces: usize,
    entries: usize,
    a: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, count, d)?)?;
        let codes = memory.read(codes, checked_area(OP, count, subspaces)?)?;
        let codebooks = memory.read(codebooks, checked_area(OP, entries, d)?)?;
        let a = memory.write(a, checked_area(OP, d, d)?)?;
        quantize::cross(x, d, codes, codebooks, subspaces, a)?;
        quantize::nearest_rotation(a, d)
    };
    status(run())
}
