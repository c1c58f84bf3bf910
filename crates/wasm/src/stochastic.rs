//! Codes that are drawn, mixtures, posteriors and ranges of activations: the loops of [`lowbit_kernels::quantize`] that only the module of quantizers has.

use lowbit_kernels::error::{Op, Result};
use lowbit_kernels::quantize::{self, Grouping, Mixture, Random, StochasticGrid};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;
use crate::params::Params;
use crate::quantize::read_grouping;

const OP: Op = Op::Quantize;

/// Parameters: x (f32 array), rows, columns, group size, scales (f32 array), offsets (f32 array or absent), zero, lowest and highest code, pointer to the codes (bytes like
/// x), pointer to the generator's state (4 u32, left where the draws ended).
#[wasm_bindgen]
pub fn quantize_stochastic(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let grid = StochasticGrid {
            scale: params.array()?,
            offset: params.array()?,
            zero: params.int()?,
            min_code: params.int()?,
            max_code: params.int()?,
        };
        let codes = memory.write(params.pointer()?, x.len())?;
        let state = memory.write::<u32>(params.pointer()?, 4)?;
        params.end()?;
        let mut random = Random::new([state[0], state[1], state[2], state[3]]);
        let result = grid.codes(&grouping, x, &mut random, codes);
        state.copy_from_slice(&random.state());
        result
    };
    status(run())
}

/// The E-step of a mixture of `components` (f64 `[components, 3]`: π, μ, λ) over `count` f32 x: f64 `sums [components, 3]` and behind them the log likelihood.
#[wasm_bindgen]
pub fn quantize_mixture_sums(x: usize, count: usize, components: usize, mixture: usize, sums: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mixture = read_mixture(&memory, mixture, components)?;
        let sums = memory.write::<f64>(sums, 3 * components + 1)?;
        sums[3 * components] = mixture.expectation(memory.read(x, count)?, &mut sums[..3 * components])?;
        Ok(())
    };
    status(run())
}

/// The most responsible component of each x: `count` bytes.
#[wasm_bindgen]
pub fn quantize_mixture_codes(
    x: usize,
    count: usize,
    components: usize,
    mixture: usize,
    codes: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mixture = read_mixture(&memory, mixture, components)?;
        mixture.assign(memory.read(x, count)?, memory.write(codes, count)?)
    };
    status(run())
}

fn read_mixture(memory: &Memory, pointer: usize, components: usize) -> Result<Mixture> {
    let parameters = memory.read::<f64>(pointer, components.saturating_mul(3))?;
    let column = |at: usize| parameters.iter().skip(at).step_by(3).copied().collect::<Vec<_>>();
    Mixture::new(&column(0), &column(1), &column(2))
}

/// x where curvature·x² >= `least`, else 0: f32 `y`, `count` each.
#[wasm_bindgen]
pub fn quantize_prune(x: usize, curvature: usize, count: usize, least: f64, y: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        quantize::prune(
            memory.read(x, count)?,
            memory.read(curvature, count)?,
            least,
            memory.write(y, count)?,
        )
    };
    status(run())
}

/// Σ|x - y| per group: f64 `sums`.
#[wasm_bindgen]
pub fn quantize_abs_errors(
    x: usize,
    y: usize,
    rows: usize,
    columns: usize,
    group_size: usize,
    sums: usize,
) -> i32 {
    let run = || {
        let (memory, grouping) = (Memory::new(OP), Grouping::new(rows, columns, group_size)?);
        let (x, y) = (memory.read(x, grouping.len())?, memory.read(y, grouping.len())?);
        quantize::abs_errors(&grouping, x, y, memory.write(sums, grouping.groups())?)
    };
    status(run())
}

/// Adds `count` f32 x to u32 `counts` of `bins` bins around 0, `per_unit` of them to 1.
#[wasm_bindgen]
pub fn quantize_tally(x: usize, count: usize, per_unit: f64, counts: usize, bins: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        quantize::tally(memory.read(x, count)?, per_unit, memory.write(counts, bins)?);
        Ok(())
    };
    status(run())
}

/// Parameters: x and gradient (f32 arrays), low, high and step (floats), pointer to dx (f32 like x), pointer to f64 sums: below, above, inside.
#[wasm_bindgen]
pub fn quantize_clip_gradients(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let (x, gradient): (&[f32], &[f32]) = (params.array()?, params.array()?);
        let (low, high, step) = (params.float()?, params.float()?, params.float()?);
        let dx = memory.write(params.pointer()?, x.len())?;
        let sums = memory.write::<f64>(params.pointer()?, 3)?;
        params.end()?;
        let found = quantize::clip_gradients(x, gradient, low, high, f64::from(step), dx)?;
        sums.copy_from_slice(&[found.below, found.above, found.inside]);
        Ok(())
    };
    status(run())
}
