//! [`lowbit_kernels::hamming`] across the border.

use lowbit_kernels::error::{Op, Result, What};
use lowbit_kernels::hamming::{BinaryCodes, hamming_range, hamming_scan};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::memory::Memory;
use crate::params::Params;
use crate::top_k::{read_keys, read_selection};

const OP: Op = Op::Hamming;

/// Codes (u8 array `[n, words_per_row(bits) * 4]`), n, bits, selection (`read_selection`).
fn read_codes<'a>(params: &mut Params<'a>) -> Result<BinaryCodes<'a>> {
    let codes = params.array()?;
    let (n, bits) = (params.size(What::Rows)?, params.size(What::Bits)?);
    Ok(BinaryCodes { codes, n, bits, selection: read_selection(params)? })
}

/// Parameters: codes (`read_codes`), query rows (u8 array), queries, address of the keys, k. Returns 0.
#[wasm_bindgen]
pub fn hamming_scan_run(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let codes = read_codes(&mut params)?;
        let rows = params.array()?;
        let (queries, keys) = read_keys(&memory, OP, &mut params)?;
        params.end()?;
        hamming_scan(&codes, rows, queries, keys)
    };
    status(run())
}

/// Parameters: codes (`read_codes`), query row (u8 array), radius, u32 ids and int32 distances (addresses), room of both. Returns how many codes are within the radius.
#[wasm_bindgen]
pub fn hamming_range_run(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let codes = read_codes(&mut params)?;
        let query = params.array()?;
        let radius = params.int()?;
        let (ids, distances) = (params.pointer()?, params.pointer()?);
        let room = params.size(What::Length)?;
        params.end()?;
        let (ids, distances) = (memory.write(ids, room)?, memory.write(distances, room)?);
        Ok(hamming_range(&codes, query, radius, ids, distances)? as i32)
    };
    status_or(run())
}
