//! [`lowbit_kernels::flat_scan`] across the border.

use lowbit_kernels::error::{Op, Result, What};
use lowbit_kernels::flat_scan::{FlatRows, Rows, flat_rescore, flat_scan};
use lowbit_kernels::pq_tables::Metric;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;
use crate::params::Params;
use crate::top_k::{read_keys, read_selection};

const OP: Op = Op::FlatScan;

/// 0: squared distance, 1: negated inner product.
pub(crate) fn read_metric(params: &mut Params<'_>) -> Result<Metric> {
    Ok(if params.flag(What::Kind)? { Metric::InnerProduct } else { Metric::L2 })
}

/// Whether rows are bytes (0 or 1), rows (int8 or f32 array `[n, D]`), scales (f32 array `[n]`, empty for floats), n, D, selection (`read_selection`), metric.
fn read_rows<'a>(params: &mut Params<'a>) -> Result<(FlatRows<'a>, Metric)> {
    let rows = if params.flag(What::Kind)? {
        Rows::Bytes(params.array()?, params.array()?)
    } else {
        let rows = Rows::Floats(params.array()?);
        params.array::<f32>()?;
        rows
    };
    let (n, dimension) = (params.size(What::Rows)?, params.size(What::Depth)?);
    let selection = read_selection(params)?;
    Ok((FlatRows { rows, n, dimension, selection }, read_metric(params)?))
}

/// Parameters: rows (`read_rows`), queries (f32 array `[queries, D]`), queries, address of the keys, k. Returns 0.
#[wasm_bindgen]
pub fn flat_scan_run(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (rows, metric) = read_rows(&mut params)?;
        let vectors = params.array()?;
        let (queries, keys) = read_keys(&memory, OP, &mut params)?;
        params.end()?;
        flat_scan(Tier::BUILD, &rows, metric, vectors, queries, keys)
    };
    status(run())
}

/// Parameters: rows (`read_rows`), query (f32 array `[D]`), positions (u32 array), 1, address of the keys, k. Returns 0.
#[wasm_bindgen]
pub fn flat_scan_rescore(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (rows, metric) = read_rows(&mut params)?;
        let query = params.array()?;
        let positions = params.array()?;
        let (_, keys) = read_keys(&memory, OP, &mut params)?;
        params.end()?;
        flat_rescore(Tier::BUILD, &rows, metric, query, positions, keys)
    };
    status(run())
}
