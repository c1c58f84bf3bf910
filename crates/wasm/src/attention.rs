//! [`lowbit_kernels::attention`] across the border.

use lowbit_kernels::attention::{Attention, Mask, Rotary};
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, checked_area};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elementwise::in_place;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;

const OP: Op = Op::Attention;

/// Sizes, and what is added by a mask of floats.
struct Sized {
    attention: Attention,
    kind: i32,
    strides: [usize; 3],
}

/// Parameters: batch, queries, keys, heads, heads of keys and values, depth, scale (float), causal (flag), kind of the mask (0 none, 1 int32 and 2 int64 `[batch, keys]`,
/// 3 floats that are added), and its strides of batch, head and query (0 where it has none).
#[wasm_bindgen]
pub fn attention_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let attention = Attention {
            batch: params.size(What::Rows)?,
            queries: params.size(What::Positions)?,
            keys: params.size(What::Positions)?,
            heads: params.size(What::Heads)?,
            kv_heads: params.size(What::Heads)?,
            depth: params.size(What::Depth)?,
            scale: params.float()?,
            causal: params.flag(What::Kind)?,
        };
        let kind = params.int()?;
        if !(0..=3).contains(&kind) {
            return Err(KernelError::new(ErrorCode::Range, OP, What::Kind, 3, i64::from(kind)));
        }
        let strides = [params.size(What::Stride)?, params.size(What::Stride)?, params.size(What::Stride)?];
        params.end()?;
        attention.check()?;
        reserve_scratch(OP, attention.scratch_lines())?;
        insert(OP, Sized { attention, kind, strides })
    };
    status_or(make())
}

/// `q` and `y` f32 `[batch, queries, heads * depth]`, `k` and `v` f32 `[batch, keys, kv_heads * depth]`, `mask` of `mask_len` elements of its kind.
#[wasm_bindgen]
pub fn attention_run(
    handle: i32,
    q: usize,
    k: usize,
    v: usize,
    mask: usize,
    mask_len: usize,
    y: usize,
) -> i32 {
    status(with(OP, handle, |sized: &Sized| {
        let Sized { attention, kind, strides } = sized;
        let memory = Memory::new(OP);
        let [from, to] = [(attention.queries, attention.heads), (attention.keys, attention.kv_heads)].map(
            |(positions, heads)| -> Result<usize> {
                checked_area(OP, checked_area(OP, attention.batch, positions)?, heads * attention.depth)
            },
        );
        let (from, to) = (from?, to?);
        let mask = match kind {
            0 => Mask::None,
            1 => Mask::Keep(memory.read(mask, mask_len)?),
            2 => Mask::KeepI64(memory.read(mask, mask_len)?),
            _ => Mask::Add { values: memory.read(mask, mask_len)?, strides: *strides },
        };
        let inputs = [memory.read(q, from)?, memory.read(k, to)?, memory.read(v, to)?];
        let y = memory.write(y, from)?;
        with_scratch(|scratch| attention.run(Tier::BUILD, inputs, mask, y, scratch))
    }))
}

/// Tables of `limit` positions for heads of `depth` elements.
#[wasm_bindgen]
pub fn rotary_new(limit: usize, depth: usize, theta: f64) -> i32 {
    status_or(Rotary::new(limit, depth, theta).and_then(|rotary| insert(OP, rotary)))
}

/// `x` f32 `[batch, positions, heads * depth]` to `y` of the same shape; y may be x.
#[wasm_bindgen]
pub fn rotary_run(handle: i32, x: usize, y: usize, batch: usize, positions: usize, heads: usize) -> i32 {
    status(with(OP, handle, |rotary: &Rotary| {
        let width = checked_area(OP, heads, rotary.depth())?;
        let count = checked_area(OP, checked_area(OP, batch, positions)?, width)?;
        let mut result = Ok(());
        in_place(OP, x, y, count, |y| result = rotary.run(y, positions, heads))?;
        result
    }))
}
