//! [`lowbit_kernels::nearest`] across the border.

use lowbit_kernels::error::{Op, What};
use lowbit_kernels::nearest::Centroids;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Nearest;

/// Parameters: x (f32 array `[rows, dimension]`), centroids (f32 array `[count, dimension]`), dimension, pointer to the indices (u32 `[rows]`).
#[wasm_bindgen]
pub fn nearest_assign(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (x, vectors): (&[f32], &[f32]) = (params.array()?, params.array()?);
        let dimension = params.size(What::Codebook)?;
        let indices = params.pointer()?;
        params.end()?;
        let centroids = Centroids::new(Tier::BUILD, vectors, dimension)?;
        centroids.assign(x, memory.write::<u32>(indices, x.len() / dimension)?)
    };
    status(run())
}
