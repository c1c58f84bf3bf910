//! [`lowbit_kernels::vectors`] across the border, and rotations.

use lowbit_kernels::error::{Op, What, check_range, checked_area};
use lowbit_kernels::pq_tables::PqShape;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::vectors::{self, Anisotropic};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Vectors;

/// The first of `n` rows of f32 `x` that no score can hold; n where there is none.
#[wasm_bindgen]
pub fn vectors_first_unusable(x: usize, n: usize, dimension: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let row = vectors::first_unusable(memory.read(x, checked_area(OP, n, dimension)?)?, dimension)?;
        Ok(row as i32)
    };
    status_or(run())
}

/// Divides each of `n` rows of f32 `x` by its length. Returns 0.
#[wasm_bindgen]
pub fn vectors_normalize(x: usize, n: usize, dimension: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        vectors::normalize(memory.write(x, checked_area(OP, n, dimension)?)?, dimension)
    };
    status(run())
}

/// f32 `y = x Rᵀ` for `n` rows: `transposed [D, D]` is Rᵀ row by row, y row i is R times x row i. Returns 0.
#[wasm_bindgen]
pub fn vectors_rotate(x: usize, n: usize, dimension: usize, transposed: usize, y: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let floats = checked_area(OP, n, dimension)?;
        let transposed = memory.read(transposed, checked_area(OP, dimension, dimension)?)?;
        lowbit_kernels::quantize::rotate(
            memory.read(x, floats)?,
            dimension,
            transposed,
            memory.write(y, floats)?,
        )
    };
    status(run())
}

/// f32 `x [n, D]` to int8 `codes [n, D]` and f32 `scales [n]`. Returns 0.
#[wasm_bindgen]
pub fn vectors_to_bytes(x: usize, n: usize, dimension: usize, codes: usize, scales: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let len = checked_area(OP, n, dimension)?;
        vectors::to_bytes(
            memory.read(x, len)?,
            dimension,
            memory.write(codes, len)?,
            memory.write(scales, n)?,
        )
    };
    status(run())
}

/// Parameters: x (f32 array `[n, M d]`), codebooks (f32 array `[M, K, d]`), M, d, whether codes are of four bits, address of the codes, their bytes. Returns 0.
#[wasm_bindgen]
pub fn vectors_pq_encode(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (x, codebooks) = (params.array()?, params.array()?);
        let (subspaces, dimension) = (params.size(What::Subspaces)?, params.size(What::Depth)?);
        let four = params.flag(What::Bits)?;
        let (codes, bytes) = (params.pointer()?, params.size(What::Codes)?);
        params.end()?;
        check_range(OP, What::Subspaces, 1, 1 << 16, subspaces as i64)?;
        check_range(OP, What::Depth, 1, 1 << 16, dimension as i64)?;
        vectors::pq_encode(Tier::BUILD, x, codebooks, subspaces, dimension, four, memory.write(codes, bytes)?)
    };
    status(run())
}

/// Parameters: x and the vectors whose directions count (f32 arrays `[n, M d]`), M, K, d, eta (f32), codes (u8 array `[n, M]`), codebooks (f32 array `[M, K, d]`), sweeps: codes are
/// found; of 0 the codebooks are fitted to those that there are. Returns 0.
#[wasm_bindgen]
pub fn vectors_anisotropic(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (x, whole) = (params.array()?, params.array()?);
        let (subspaces, centroids) = (params.size(What::Subspaces)?, params.size(What::Codebook)?);
        let (dimension, eta) = (params.size(What::Depth)?, params.float()?);
        let (codes, bytes) = (params.pointer()?, params.size(What::Codes)?);
        let (codebooks, entries) = (params.pointer()?, params.size(What::Codebook)?);
        let sweeps = params.size(What::Best)?;
        params.end()?;
        let rows = Anisotropic { x, whole, shape: PqShape { subspaces, centroids, dimension }, eta };
        if sweeps == 0 {
            rows.fit(memory.read(codes, bytes)?, memory.write(codebooks, entries)?)
        } else {
            let codebooks = memory.read(codebooks, entries)?;
            rows.encode(Tier::BUILD, codebooks, sweeps, memory.write(codes, bytes)?)
        }
    };
    status(run())
}

/// u8 `rows [n, ceil(M / 2)]` of u8 `codes [n, M]` of 4 bits. Returns 0.
#[wasm_bindgen]
pub fn vectors_pack_halves(codes: usize, n: usize, subspaces: usize, rows: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let codes = memory.read(codes, checked_area(OP, n, subspaces)?)?;
        vectors::pack_halves(
            codes,
            subspaces,
            memory.write(rows, checked_area(OP, n, subspaces.div_ceil(2))?)?,
        )
    };
    status(run())
}

/// Parameters: x (f32 array `[n, D]`), D, assigned (u32 array `[n]`), addresses of f32 centroids `[K, D]` and u32 counts `[K]`, K. Returns 0.
#[wasm_bindgen]
pub fn vectors_means(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x = params.array()?;
        let dimension = params.size(What::Depth)?;
        let assigned = params.array()?;
        let (centroids, counts) = (params.pointer()?, params.pointer()?);
        let k = params.size(What::Codebook)?;
        params.end()?;
        let centroids = memory.write(centroids, checked_area(OP, k, dimension)?)?;
        vectors::means(x, dimension, assigned, centroids, memory.write(counts, k)?)
    };
    status(run())
}

/// Parameters: address of f32 x `[n, D]`, n, D, assigned (u32 array `[n]`), centroids (f32 array `[K, D]`). Returns 0.
#[wasm_bindgen]
pub fn vectors_subtract(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x = params.pointer()?;
        let (n, dimension) = (params.size(What::Rows)?, params.size(What::Depth)?);
        let (assigned, centroids) = (params.array()?, params.array()?);
        params.end()?;
        vectors::subtract(memory.write(x, checked_area(OP, n, dimension)?)?, dimension, assigned, centroids)
    };
    status(run())
}
