//! [`lowbit_kernels::pq_tables`], [`lowbit_kernels::pq_scan`] and [`lowbit_kernels::pq_fast_scan`] across the border.

use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, check_shape, checked_area};
use lowbit_kernels::layout::code_row_bytes;
use lowbit_kernels::pq_fast_scan::{self, PqBlocks, block_bytes, pq_fast_scan, scratch_lines};
use lowbit_kernels::pq_scan::{PqCodes, PqList, pq_scan, pq_scan_lists};
use lowbit_kernels::pq_tables::{MAX_SUBSPACES, Metric, PqShape, PqTables};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::Selection;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};
use crate::params::Params;
use crate::top_k::{read_filter, read_keys, read_selection};

/// Parameters: subspaces M, centroids K (16 or 256), dimension d, codebooks (f32 array `[M, K, d]`). Returns a handle.
#[wasm_bindgen]
pub fn pq_tables_new(params: usize, words: usize) -> i32 {
    const OP: Op = Op::PqTables;
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let subspaces = params.size(What::Subspaces)?;
        let centroids = params.size(What::Codebook)?;
        let dimension = params.size(What::Depth)?;
        let codebooks = params.array()?;
        params.end()?;
        insert(OP, PqTables::new(Tier::BUILD, PqShape { subspaces, centroids, dimension }, codebooks)?)
    };
    status_or(make())
}

/// f32 `queries [count, M d]` to f32 `tables [count, M, K]`; `metric` 0: squared distance, 1: negated inner product. Returns 0.
#[wasm_bindgen]
pub fn pq_tables_run(handle: i32, metric: i32, queries: usize, count: usize, tables: usize) -> i32 {
    const OP: Op = Op::PqTables;
    status(with(OP, handle, |object: &PqTables| {
        let metric = match metric {
            0 => Metric::L2,
            1 => Metric::InnerProduct,
            other => return Err(KernelError::new(ErrorCode::Range, OP, What::Kind, 1, i64::from(other))),
        };
        let memory = Memory::new(OP);
        let queries = memory.read(queries, checked_area(OP, count, object.query_len())?)?;
        object.run(
            metric,
            queries,
            count,
            memory.write(tables, checked_area(OP, count, object.table_len())?)?,
        )
    }))
}

/// Parameters: codes (u8 array `[n, M]`), n, M, tables (f32 array `[queries, M, 256]`), queries, address of the keys, k, selection (`read_selection`). Returns 0.
#[wasm_bindgen]
pub fn pq_scan_run(params: usize, words: usize) -> i32 {
    const OP: Op = Op::PqScan;
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let codes = params.array()?;
        let (n, subspaces) = (params.size(What::Rows)?, params.size(What::Subspaces)?);
        let tables = params.array()?;
        let (queries, keys) = read_keys(&memory, OP, &mut params)?;
        let selection = read_selection(&mut params)?;
        params.end()?;
        pq_scan(Tier::BUILD, &PqCodes { codes, n, subspaces, selection }, tables, queries, keys)
    };
    status(run())
}

/// Parameters: M, tables (f32 array `[M, 256]`), queries (1), address of the keys, k, whether there is a filter (0 or 1), filter (u32 array), and of each of as many lists as are said next: codes (u8 array
/// `[n, M]`), ids (u32 array `[n]`), offsets (f32 array `[n]`), base (f32). Returns 0.
#[wasm_bindgen]
pub fn pq_scan_lists_run(params: usize, words: usize) -> i32 {
    const OP: Op = Op::PqScan;
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let subspaces = params.size(What::Subspaces)?;
        let tables = params.array()?;
        let (queries, keys) = read_keys(&memory, OP, &mut params)?;
        check_shape(OP, What::Queries, 1, queries)?;
        let filter = read_filter(&mut params)?;
        memory.seal();
        let mut lists = Vec::new();
        for _ in 0..params.size(What::Rows)? {
            let codes = params.array()?;
            let ids: &[u32] = params.array()?;
            let selection = Selection { first: 0, ids, filter };
            let codes = PqCodes { codes, n: ids.len(), subspaces, selection };
            lists.push(PqList { codes, offsets: params.array()?, base: params.float()? });
        }
        params.end()?;
        pq_scan_lists(Tier::BUILD, &lists, tables, keys)
    };
    status(run())
}

/// Bytes of the blocks of `n` vectors.
fn blocks_len(n: usize, subspaces: usize) -> Result<usize> {
    const OP: Op = Op::PqFastScan;
    lowbit_kernels::error::check_range(OP, What::Subspaces, 1, MAX_SUBSPACES as i64, subspaces as i64)?;
    block_bytes(n, subspaces)
}

/// u8 `codes [n, ceil(M / 2)]` into u8 `blocks` of `first + n` vectors, from vector `first` on. Returns 0.
#[wasm_bindgen]
pub fn pq_fast_scan_pack(codes: usize, n: usize, subspaces: usize, first: usize, blocks: usize) -> i32 {
    const OP: Op = Op::PqFastScan;
    let run = || {
        let len = blocks_len(first.saturating_add(n), subspaces)?;
        let memory = Memory::new(OP);
        let codes = memory.read(codes, checked_area(OP, n, code_row_bytes(subspaces, 4))?)?;
        pq_fast_scan::pack(codes, n, subspaces, first, memory.write(blocks, len)?)
    };
    status(run())
}

/// The codes of vectors `first .. first + n` of u8 `blocks`, u8 `[n, ceil(M / 2)]`. Returns 0.
#[wasm_bindgen]
pub fn pq_fast_scan_unpack(blocks: usize, first: usize, n: usize, subspaces: usize, codes: usize) -> i32 {
    const OP: Op = Op::PqFastScan;
    let run = || {
        let len = blocks_len(first.saturating_add(n), subspaces)?;
        let memory = Memory::new(OP);
        let codes = memory.write(codes, checked_area(OP, n, code_row_bytes(subspaces, 4))?)?;
        pq_fast_scan::unpack(memory.read(blocks, len)?, first, n, subspaces, codes)
    };
    status(run())
}

/// Parameters: as `pq_scan_run`, with blocks in place of codes and tables `[queries, M, 16]`. Returns 0.
#[wasm_bindgen]
pub fn pq_fast_scan_run(params: usize, words: usize) -> i32 {
    const OP: Op = Op::PqFastScan;
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let blocks = params.array()?;
        let (n, subspaces) = (params.size(What::Rows)?, params.size(What::Subspaces)?);
        let tables = params.array()?;
        let (queries, keys) = read_keys(&memory, OP, &mut params)?;
        let selection = read_selection(&mut params)?;
        params.end()?;
        blocks_len(n, subspaces)?;
        reserve_scratch(OP, scratch_lines(subspaces))?;
        let codes = PqBlocks { blocks, n, subspaces, selection };
        with_scratch(|scratch| pq_fast_scan(Tier::BUILD, &codes, tables, queries, keys, scratch))
    };
    status(run())
}
