//! [`lowbit_kernels::rabitq`] across the border.

use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::rabitq::{
    Metric, RabitqCodes, RabitqQuery, encode, prepare, query_bytes, rabitq_scan, relative_error, row_bytes,
};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::flat_scan::read_metric;
use crate::memory::Memory;
use crate::params::Params;
use crate::top_k::{read_keys, read_selection};

const OP: Op = Op::Rabitq;

/// f32 `x [n, D]` to u8 `codes [n, row_bytes(D, bits)]` and f32 `factors [n, 2]`. Returns 0.
#[wasm_bindgen]
pub fn rabitq_encode(x: usize, n: usize, dimension: usize, bits: usize, codes: usize, factors: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        lowbit_kernels::error::check_range(OP, What::Bits, 1, 8, bits as i64)?;
        lowbit_kernels::error::check_range(OP, What::Depth, 1, 1 << 15, dimension as i64)?;
        let codes = memory.write(codes, checked_area(OP, n, row_bytes(dimension, bits))?)?;
        let factors = memory.write(factors, checked_area(OP, n, 2)?)?;
        encode(memory.read(x, checked_area(OP, n, dimension)?)?, dimension, bits, codes, factors)
    };
    status(run())
}

/// f32 `query [D]` and `centroid [D]` to int8 `codes` (D up to a multiple of 128); step and base into f32 `[2]`; `metric` 0: squared distance, 1: negated inner product. Returns 0.
#[wasm_bindgen]
pub fn rabitq_prepare(
    query: usize,
    centroid: usize,
    dimension: usize,
    metric: i32,
    codes: usize,
    factors: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        lowbit_kernels::error::check_range(OP, What::Depth, 1, 1 << 15, dimension as i64)?;
        let metric = if metric == 0 { Metric::L2 } else { Metric::InnerProduct };
        let factors = memory.write::<f32>(factors, 2)?;
        (factors[0], factors[1]) = prepare(
            memory.read(query, dimension)?,
            memory.read(centroid, dimension)?,
            metric,
            memory.write(codes, query_bytes(dimension))?,
        )?;
        Ok(())
    };
    status(run())
}

/// The relative errors of `n` codes, f32 `[n]`. Returns 0.
#[wasm_bindgen]
pub fn rabitq_errors(
    codes: usize,
    n: usize,
    dimension: usize,
    bits: usize,
    factors: usize,
    errors: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        lowbit_kernels::error::check_range(OP, What::Bits, 1, 8, bits as i64)?;
        lowbit_kernels::error::check_range(OP, What::Depth, 1, 1 << 15, dimension as i64)?;
        let row = row_bytes(dimension, bits);
        let codes = memory.read::<u8>(codes, checked_area(OP, n, row)?)?;
        let factors = memory.read::<f32>(factors, checked_area(OP, n, 2)?)?.as_chunks::<2>().0;
        let errors = memory.write::<f32>(errors, n)?;
        for ((code, factors), error) in codes.chunks_exact(row).zip(factors).zip(errors) {
            *error = relative_error(code, *factors, dimension, bits);
        }
        Ok(())
    };
    status(run())
}

/// Parameters: codes (u8 array), factors (f32 array `[n, 2]`), n, D, bits, selection (`read_selection`), metric, query (int8 array), step, base, 1, address of the keys, k. Returns 0.
#[wasm_bindgen]
pub fn rabitq_scan_run(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (codes, factors) = (params.array()?, params.array()?);
        let n = params.size(What::Rows)?;
        let (dimension, bits) = (params.size(What::Depth)?, params.size(What::Bits)?);
        let selection = read_selection(&mut params)?;
        let metric = read_metric(&mut params)?;
        let query = RabitqQuery { codes: params.array()?, step: params.float()?, base: params.float()? };
        let (_, keys) = read_keys(&memory, OP, &mut params)?;
        params.end()?;
        let codes = RabitqCodes { codes, factors, n, dimension, bits, selection };
        rabitq_scan(Tier::BUILD, &codes, metric, &query, keys)
    };
    status(run())
}
