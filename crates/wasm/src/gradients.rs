//! [`lowbit_kernels::gradients`] across the border: what `packages/core/src/kernels/gradients.ts` calls.

use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::gradients::{self, Qsgd, Unreadable};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::memory::Memory;
use crate::params::Params;
use crate::quantize::read_grouping;

const OP: Op = Op::Quantize;

/// Parameters: x (f32 array), rows, columns, group size, scales (f32 array), zero (f32), highest code, seed, pointer to the codes.
#[wasm_bindgen]
pub fn gradient_random_codes(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x: &[f32] = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let scales = params.array()?;
        let (zero, max_code, seed) = (params.float()?, params.int()?, params.int()? as u32);
        let codes = memory.write(params.pointer()?, x.len())?;
        params.end()?;
        gradients::random_codes(&grouping, x, scales, zero, max_code, seed, codes)
    };
    status(run())
}

/// `count` trits to their bytes.
#[wasm_bindgen]
pub fn gradient_pack_trits(trits: usize, count: usize, bytes: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || gradients::pack_trits(memory.read(trits, count)?, memory.write(bytes, count.div_ceil(5))?);
    status(run())
}

/// Back to `count` trits; the position of the first byte that holds none, the number of bytes where all do.
#[wasm_bindgen]
pub fn gradient_unpack_trits(bytes: usize, count: usize, trits: usize) -> i32 {
    let memory = Memory::new(OP);
    let run = || gradients::unpack_trits(memory.read(bytes, count.div_ceil(5))?, memory.write(trits, count)?);
    status_or(run().map(|position| position as i32))
}

/// `count` numbers x and their residual, which is written; codes are a byte each, levels f32 `[groups, 2]`.
#[wasm_bindgen]
pub fn gradient_one_bit(
    x: usize,
    residual: usize,
    count: usize,
    group: usize,
    symmetric: usize,
    codes: usize,
    levels: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let levels = memory.write(levels, level_count(count, group)?)?;
        let (x, residual) = (memory.read(x, count)?, memory.write(residual, count)?);
        gradients::one_bit(x, residual, group, symmetric != 0, memory.write(codes, count)?, levels)
    };
    status(run())
}

/// `count` codes with their levels f32 `[groups, 2]` to f32 y.
#[wasm_bindgen]
pub fn gradient_two_levels(codes: usize, count: usize, group: usize, levels: usize, y: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let levels = memory.read(levels, level_count(count, group)?)?;
        gradients::two_levels(memory.read(codes, count)?, group, levels, memory.write(y, count)?)
    };
    status(run())
}

fn level_count(count: usize, group: usize) -> Result<usize> {
    checked_area(OP, count.div_ceil(group.max(1)), 2)
}

/// `count` numbers x and their residual, which is written; u32 `words` with room for as many, and how many they are.
#[wasm_bindgen]
pub fn gradient_threshold_take(x: usize, residual: usize, count: usize, threshold: f32, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let (x, residual) = (memory.read(x, count)?, memory.write(residual, count)?);
        gradients::threshold_take(x, residual, threshold, memory.write(words, count)?)
    };
    status_or(run().map(|taken| taken as i32))
}

/// `taken` words to `count` numbers f32 y; the position of the first word that is wrong, their number where all are right.
#[wasm_bindgen]
pub fn gradient_threshold_apply(words: usize, taken: usize, threshold: f32, y: usize, count: usize) -> i32 {
    let memory = Memory::new(OP);
    let run =
        || Ok(gradients::threshold_apply(memory.read(words, taken)?, threshold, memory.write(y, count)?));
    status_or(run().map(|position| position as i32))
}

/// Signs of `voters` rows of `count` bits each to those of their sums.
#[wasm_bindgen]
pub fn gradient_majority(signs: usize, voters: usize, count: usize, result: usize) -> i32 {
    let run = || {
        let (memory, row) = (Memory::new(OP), count.div_ceil(8));
        let signs = memory.read(signs, checked_area(OP, voters, row)?)?;
        gradients::majority(signs, voters, count, memory.write(result, row)?)
    };
    status(run())
}

/// The most bytes that [`gradient_qsgd_encode`] writes.
#[wasm_bindgen]
pub fn gradient_qsgd_bytes(count: usize, bucket: usize) -> i32 {
    let qsgd = Qsgd { bucket: bucket.max(1), levels: 1, dense: false };
    status_or(qsgd.most_bytes(count).map(|bytes| bytes as i32))
}

/// Parameters: x (f32 array), bucket, levels, 1 where every number has a code, seed, pointer to the norms (f32 per bucket), pointer to as many bytes as
/// [`gradient_qsgd_bytes`] says. The bytes that were written.
#[wasm_bindgen]
pub fn gradient_qsgd_encode(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x: &[f32] = params.array()?;
        let qsgd = read_qsgd(&mut params)?;
        let seed = params.int()? as u32;
        let norms = memory.write(params.pointer()?, x.len().div_ceil(qsgd.bucket.max(1)))?;
        let bytes = memory.write(params.pointer()?, qsgd.most_bytes(x.len())?)?;
        params.end()?;
        qsgd.encode(x, seed, norms, bytes)
    };
    status_or(run().map(|length| length as i32))
}

/// Parameters: norms (f32 array), coded levels (byte array), bucket, levels, 1 where every number has a code, pointer to y, its length. 0 where the bytes are
/// right, 1 where they end too early, 2 where they are wrong.
#[wasm_bindgen]
pub fn gradient_qsgd_decode(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (norms, bytes) = (params.array()?, params.array()?);
        let qsgd = read_qsgd(&mut params)?;
        let (y, count) = (params.pointer()?, params.size(What::Length)?);
        params.end()?;
        Ok(match qsgd.decode(norms, bytes, memory.write(y, count)?)? {
            Ok(()) => 0,
            Err(Unreadable::Truncated) => 1,
            Err(Unreadable::Corrupt) => 2,
        })
    };
    status_or(run())
}

fn read_qsgd(params: &mut Params<'_>) -> Result<Qsgd> {
    let (bucket, levels) = (params.size(What::GroupSize)?, params.size(What::Codebook)?);
    Ok(Qsgd { bucket, levels: levels as u32, dense: params.flag(What::Kind)? })
}

/// Parameters: two copies of the data (f32 arrays `[samples, K]`), x (f32 array of K), b (f32 array of samples), pointer to the gradient (f32, K).
#[wasm_bindgen]
pub fn gradient_least_squares(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (first, second, x, b) =
            (params.array()?, params.array()?, params.array::<f32>()?, params.array()?);
        let g = memory.write(params.pointer()?, x.len())?;
        params.end()?;
        gradients::least_squares(first, second, x, b, g)
    };
    status(run())
}
