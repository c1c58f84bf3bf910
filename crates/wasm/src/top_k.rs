//! [`lowbit_kernels::top_k`] across the border: heaps are plain memory of the host, u64 `[queries, k]`.

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::top_k::{Score, Selection, clear, finish};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::TopK;

/// Makes every place of `count` keys empty. Returns 0.
#[wasm_bindgen]
pub fn top_k_clear(keys: usize, count: usize) -> i32 {
    status(Memory::new(OP).write(keys, count).map(clear))
}

/// Takes the keys `[queries, k]` apart, best first: u32 `ids` (`u32::MAX` in empty places) and f32 `scores`, both `[queries, k]`. The keys have to be cleared then. Returns 0.
#[wasm_bindgen]
pub fn top_k_finish_f32(keys: usize, queries: usize, k: usize, ids: usize, scores: usize) -> i32 {
    status(finish_all::<f32>(keys, queries, k, ids, scores))
}

/// As `top_k_finish_f32`, for int32 scores.
#[wasm_bindgen]
pub fn top_k_finish_i32(keys: usize, queries: usize, k: usize, ids: usize, scores: usize) -> i32 {
    status(finish_all::<i32>(keys, queries, k, ids, scores))
}

fn finish_all<S: Score + Element>(
    keys: usize,
    queries: usize,
    k: usize,
    ids: usize,
    scores: usize,
) -> Result<()> {
    let (memory, count) = (Memory::new(OP), checked_area(OP, queries, k)?);
    let keys = memory.write(keys, count)?;
    let (ids, scores) = (memory.write(ids, count)?, memory.write::<S>(scores, count)?);
    let each = keys.chunks_exact_mut(k.max(1)).zip(ids.chunks_exact_mut(k.max(1)));
    for ((keys, ids), scores) in each.zip(scores.chunks_exact_mut(k.max(1))) {
        finish(keys, ids, scores)?;
    }
    Ok(())
}

/// First id, ids (u32 array or absent), whether there is a filter (0 or 1), filter (u32 array).
pub(crate) fn read_selection<'a>(params: &mut Params<'a>) -> Result<Selection<'a>> {
    let first = params.int()? as u32;
    let ids = params.array()?;
    Ok(Selection { first, ids, filter: read_filter(params)? })
}

/// Whether there is a filter (0 or 1), filter (u32 array).
pub(crate) fn read_filter<'a>(params: &mut Params<'a>) -> Result<Option<&'a [u32]>> {
    let filtered = params.flag(What::Ids)?;
    let filter = params.array()?;
    Ok(filtered.then_some(filter))
}

/// Queries, address of the keys, k; the keys themselves.
pub(crate) fn read_keys<'a>(
    memory: &'a Memory,
    op: Op,
    params: &mut Params<'_>,
) -> Result<(usize, &'a mut [u64])> {
    let queries = params.size(What::Queries)?;
    let keys = params.pointer()?;
    let k = params.size(What::Best)?;
    Ok((queries, memory.write(keys, checked_area(op, queries, k)?)?))
}
