//! [`lowbit_kernels::quantize::SumEncoder`] across the border: residual and additive codes of vectors. `packages/core/src/kernels/sums.ts` calls it.

use core::cell::RefCell;

use lowbit_kernels::error::{Op, What, checked_area};
use lowbit_kernels::pq_tables::PqShape;
use lowbit_kernels::quantize::SumEncoder;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Quantize;

/// Remembers products from call to call.
type Encoder = RefCell<SumEncoder>;

/// Parameters: codebooks M, entries K (16 or 256), dimension D, codebooks (f32 array `[M, K, D]`), beam, sweeps. Returns a handle.
#[wasm_bindgen]
pub fn sums_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let subspaces = params.size(What::Subspaces)?;
        let centroids = params.size(What::Codebook)?;
        let dimension = params.size(What::Depth)?;
        let codebooks = params.array()?;
        let (beam, sweeps) = (params.size(What::Best)?, params.size(What::Best)?);
        params.end()?;
        let shape = PqShape { subspaces, centroids, dimension };
        insert(OP, Encoder::new(SumEncoder::new(Tier::BUILD, shape, codebooks, beam, sweeps)?))
    };
    status_or(make())
}

/// u8 `codes [bytes]`, M of each vector, of f32 `x [floats]`. Returns 0.
#[wasm_bindgen]
pub fn sums_encode(handle: i32, x: usize, floats: usize, codes: usize, bytes: usize) -> i32 {
    status(with(OP, handle, |encoder: &Encoder| {
        let memory = Memory::new(OP);
        encoder.borrow_mut().encode(memory.read(x, floats)?, memory.write(codes, bytes)?)
    }))
}

/// f32 `norms [n]` of u8 `codes [bytes]` added to f32 `start [floats]`: of none, one or n vectors. Returns 0.
#[wasm_bindgen]
pub fn sums_norms(
    handle: i32,
    codes: usize,
    bytes: usize,
    start: usize,
    floats: usize,
    norms: usize,
    n: usize,
) -> i32 {
    status(with(OP, handle, |encoder: &Encoder| {
        let memory = Memory::new(OP);
        let (codes, start) = (memory.read(codes, bytes)?, memory.read(start, floats)?);
        encoder.borrow().norms(codes, start, memory.write(norms, n)?)
    }))
}

/// Parameters: handle, codes (u8 array `[n, M]`), norms (f32 array `[n]` or `[0]`), least, step, address of the rows. Returns 0.
#[wasm_bindgen]
pub fn sums_store(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let handle = params.int()?;
        let (codes, norms): (&[u8], &[f32]) = (params.array()?, params.array()?);
        let scale = (params.float()?, params.float()?);
        let (rows, bytes) = (params.pointer()?, params.size(What::Codes)?);
        params.end()?;
        let rows = memory.write(rows, checked_area(OP, bytes, 1)?)?;
        with(OP, handle, |encoder: &Encoder| encoder.borrow().store(codes, norms, scale, rows))
    };
    status(run())
}
