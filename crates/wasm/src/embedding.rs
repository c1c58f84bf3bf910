//! [`lowbit_kernels::embedding`] across the border.

use lowbit_kernels::embedding::{EmbeddingTable, TableCodes, add_positions, masked_mean};
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, check_range, checked_area};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elementwise::in_place;
use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Embedding;

/// Parameters: rows V, columns D, bits; for bits 0 the values (f32 array `[V, D]`), else codes (u8 array), zero points (int32 array, one or `[V, groups]`), scales (f32 array
/// `[V, groups]` or `[1, groups]`), group size.
#[wasm_bindgen]
pub fn embedding_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let (rows, columns) = (params.size(What::Rows)?, params.size(What::Columns)?);
        let table = match params.size(What::Bits)? {
            0 => {
                let values = params.array()?;
                params.end()?;
                EmbeddingTable::floats(rows, columns, values)?
            }
            bits => {
                let (codes, zero_points, scales) = (params.array()?, params.array()?, params.array()?);
                let group_size = params.size(What::GroupSize)?;
                params.end()?;
                EmbeddingTable::codes(&TableCodes {
                    rows,
                    columns,
                    bits,
                    codes,
                    zero_points,
                    scales,
                    group_size,
                })?
            }
        };
        insert(OP, table)
    };
    status_or(make())
}

/// `ids` int32 (`wide` 0) or int64 (1) `[count]` to `y` f32 `[count, D]`.
#[wasm_bindgen]
pub fn embedding_run(handle: i32, ids: usize, wide: i32, count: usize, y: usize) -> i32 {
    status(with(OP, handle, |table: &EmbeddingTable| {
        let memory = Memory::new(OP);
        let y = memory.write(y, checked_area(OP, count, table.columns())?)?;
        if wide == 0 {
            table.run(memory.read(ids, count)?, y)
        } else {
            table.run_i64(memory.read(ids, count)?, y)
        }
    }))
}

/// `x` f32 `[batch, positions, columns]` plus the rows from `offset` on of `table` f32 `[limit, columns]`, to `y`; y may be x.
#[wasm_bindgen]
pub fn embedding_add_positions(
    x: usize,
    y: usize,
    batch: usize,
    positions: usize,
    columns: usize,
    table: usize,
    limit: usize,
    offset: usize,
) -> i32 {
    let run = || {
        let count = checked_area(OP, checked_area(OP, batch, positions)?, columns)?;
        check_range(OP, What::Positions, 0, limit as i64, offset as i64)?;
        let tables = Memory::new(OP);
        let table = tables.read::<f32>(table, checked_area(OP, limit, columns)?)?;
        let mut result: Result<(), KernelError> = Ok(());
        in_place(OP, x, y, count, |y| result = add_positions(y, positions, table, columns, offset))?;
        result
    };
    status(run())
}

/// Means of `x` f32 `[batch, positions, columns]` over the positions whose `keep` (`kind` 1 int32, 2 int64) `[batch, positions]` is not 0, to `y` f32 `[batch, columns]`.
#[wasm_bindgen]
pub fn embedding_masked_mean(
    x: usize,
    keep: usize,
    kind: i32,
    batch: usize,
    positions: usize,
    columns: usize,
    y: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let cells = checked_area(OP, batch, positions)?;
        let x = memory.read::<f32>(x, checked_area(OP, cells, columns)?)?;
        let y = memory.write::<f32>(y, checked_area(OP, batch, columns)?)?;
        let sizes = [batch, positions, columns];
        match kind {
            1 => masked_mean(x, memory.read::<i32>(keep, cells)?, sizes, y),
            2 => masked_mean(x, memory.read::<i64>(keep, cells)?, sizes, y),
            _ => Err(KernelError::new(ErrorCode::Range, OP, What::Kind, 2, i64::from(kind))),
        }
    };
    status(run())
}
