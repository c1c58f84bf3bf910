//! [`lowbit_kernels::solve`] across the border: what `packages/core/src/kernels/solve.ts` calls. Matrices of f64 are square, `[columns, columns]`.

use lowbit_kernels::error::{Op, Result, What, check_range, checked_area};
use lowbit_kernels::quantize::{Additive, Grid, Grouping};
use lowbit_kernels::solve::{self, Adaround, AdditiveLayer, ColumnStats, Hqq, Rounding};
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;
use crate::memory::Memory;
use crate::params::Params;
use crate::quantize::read_grouping;

const OP: Op = Op::Solve;

fn square(columns: usize) -> Result<usize> {
    checked_area(OP, columns, columns)
}

/// Adds `x [samples, columns]` to the upper half of `h`; `order` (u32) says which column stands where, 0 for none.
#[wasm_bindgen]
pub fn solve_gram(x: usize, samples: usize, columns: usize, order: usize, h: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.read(x, checked_area(OP, samples, columns)?)?;
        let order = memory.read(order, if order == 0 { 0 } else { columns })?;
        solve::gram(Tier::BUILD, x, columns, order, memory.write(h, square(columns)?)?)
    };
    status(run())
}

/// `h *= factor`, mirrored into the lower half; its diagonal goes to f64 `diagonal [columns]`.
#[wasm_bindgen]
pub fn solve_finish_gram(h: usize, columns: usize, factor: f64, diagonal: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let h = memory.write(h, square(columns)?)?;
        solve::finish_gram(h, columns, factor)?;
        solve::diagonal(h, memory.write(diagonal, columns)?)
    };
    status(run())
}

/// R of `h + damping I = R Rᵀ` in the place of h.
#[wasm_bindgen]
pub fn solve_factor(h: usize, columns: usize, damping: f64) -> i32 {
    let memory = Memory::new(OP);
    status(
        square(columns).and_then(|size| solve::factor(Tier::BUILD, memory.write(h, size)?, columns, damping)),
    )
}

/// Weights, grouping and grid, as most of what follows begins.
struct Rounded<'a> {
    w: &'a [f32],
    grouping: Grouping,
    grid: Grid<'a>,
}

fn read_rounded<'a>(params: &mut Params<'a>) -> Result<Rounded<'a>> {
    let w = params.array()?;
    let grouping = read_grouping(params)?;
    let grid = Grid {
        scale: params.array()?,
        zero_points: params.array()?,
        offsets: &[],
        min_code: params.int()?,
        max_code: params.int()?,
    };
    Ok(Rounded { w, grouping, grid })
}

/// Parameters: w (f32 array), rows, columns and group size of the grid, scales (f32 array), zero points (int32 array), lowest and highest code; columns of `factor`,
/// pointer to it (as of `solve_factor`), order (u32 array or absent), pointer to the codes (bytes like w).
#[wasm_bindgen]
pub fn solve_gptq(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let Rounded { w, grouping, grid } = read_rounded(&mut params)?;
        let columns = params.size(What::Columns)?;
        let factor = memory.read(params.pointer()?, square(columns)?)?;
        let order = params.array()?;
        let codes = memory.write(params.pointer()?, w.len())?;
        params.end()?;
        check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
        solve::gptq(Tier::BUILD, &Rounding { grouping: &grouping, grid, factor, order }, columns, w, codes)
    };
    status(run())
}

/// Parameters: as of `solve_gptq` up to the highest code; columns of `h`, pointer to it (as of `solve_finish_gram`), pointer to the codes. Then the steps of Adam, its step size, λ, and the
/// first and last β.
#[wasm_bindgen]
pub fn solve_adaround(
    params: usize,
    words: usize,
    iterations: u32,
    rate: f64,
    weight: f64,
    beta_from: f64,
    beta_to: f64,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let Rounded { w, grouping, grid } = read_rounded(&mut params)?;
        let columns = params.size(What::Columns)?;
        let h = memory.read(params.pointer()?, square(columns)?)?;
        let codes = memory.write(params.pointer()?, w.len())?;
        params.end()?;
        check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
        let search = Adaround { iterations, rate, weight, beta: [beta_from, beta_to] };
        solve::adaround(Tier::BUILD, &search, (&grouping, &grid), columns, w, h, codes)
    };
    status(run())
}

/// Parameters: w (f32 array), columns, pointer to `h` (as of `solve_finish_gram`), dimension, count and entries of the codebooks, pointers to f32 codebooks and codes,
/// which become better ones: steps of the fit of the codebooks, then the beam of a search for codes (0: none). The error goes to f64 `error`.
#[wasm_bindgen]
pub fn solve_additive(params: usize, words: usize, error: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let x: &[f32] = params.array()?;
        let columns = params.size(What::Columns)?;
        let h = memory.read(params.pointer()?, square(columns)?)?;
        let mut size = || params.size(What::Codebook);
        let sums = Additive { dimension: size()?, count: size()?, entries: size()? };
        check_range(OP, What::Codebook, 1, i64::MAX, sums.dimension as i64)?;
        let books = checked_area(OP, checked_area(OP, sums.count, sums.entries)?, sums.dimension)?;
        let codebooks = memory.write(params.pointer()?, books)?;
        let codes =
            memory.write(params.pointer()?, checked_area(OP, x.len() / sums.dimension, sums.count)?)?;
        let (steps, beam) = (params.size(What::Rows)?, params.size(What::Best)?);
        params.end()?;
        let layer = AdditiveLayer { sums, columns, x, h };
        layer.fit(codes, codebooks, steps)?;
        if beam > 0 {
            layer.search(codebooks, beam, codes)?;
        }
        memory.write::<f64>(error, 1)?[0] = layer.error(codes, codebooks)?;
        Ok(())
    };
    status(run())
}

/// Parameters: as of `solve_gptq` up to the highest code; pointer to `h`, pointer to f64 forms per group: `d H_gg dᵀ` of what the grid leaves.
#[wasm_bindgen]
pub fn solve_grid_quadratic(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let Rounded { w, grouping, grid } = read_rounded(&mut params)?;
        let columns = params.size(What::Columns)?;
        let h = memory.read(params.pointer()?, square(columns)?)?;
        let forms = memory.write(params.pointer()?, grouping.groups())?;
        params.end()?;
        solve::grid_quadratic(&grouping, &grid, w, h, forms)
    };
    status(run())
}

/// f64 `forms [rows]`: `d H dᵀ` of every row of d = x - y.
#[wasm_bindgen]
pub fn solve_quadratic(x: usize, y: usize, rows: usize, columns: usize, h: usize, forms: usize) -> i32 {
    let run = || {
        let (memory, grouping) = (Memory::new(OP), Grouping::new(rows, columns, columns)?);
        let (x, y) = (memory.read(x, grouping.len())?, memory.read(y, grouping.len())?);
        solve::quadratic(&grouping, x, y, memory.read(h, square(columns)?)?, memory.write(forms, rows)?)
    };
    status(run())
}

/// Parameters: w (f32 array), rows, columns, group size, highest code, rounds, pointers to f32 scales and offsets per group and to the codes. Then p, β and its growth.
#[wasm_bindgen]
pub fn solve_hqq(params: usize, words: usize, norm: f64, beta: f64, growth: f64) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let w: &[f32] = params.array()?;
        let grouping = read_grouping(&mut params)?;
        let search = Hqq {
            max_code: params.int()?,
            norm,
            beta: [beta, growth],
            rounds: params.size(What::Rows)? as u32,
        };
        let mut pointer = || params.int().map(|word| word as u32 as usize);
        let [scales, offsets, codes] = [pointer()?, pointer()?, pointer()?];
        params.end()?;
        let scales = memory.write(scales, grouping.groups())?;
        let offsets = memory.write(offsets, grouping.groups())?;
        solve::hqq(&search, &grouping, w, scales, offsets, memory.write(codes, w.len())?)
    };
    status(run())
}

/// Rotates the rows of `x [rows, columns]` in place, in blocks of `size`; `signs` is a byte per column.
#[wasm_bindgen]
pub fn solve_hadamard(x: usize, rows: usize, columns: usize, size: usize, signs: usize, inverse: i32) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let x = memory.write(x, checked_area(OP, rows, columns)?)?;
        check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
        solve::hadamard(x, columns, size, memory.read(signs, columns)?, inverse != 0)
    };
    status(run())
}

/// f64 `stats [4, columns]` += Σx, Σ|x|, max|x|, Σx² of the columns of `x [rows, columns]`.
#[wasm_bindgen]
pub fn solve_column_stats(x: usize, rows: usize, columns: usize, stats: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
        let all: &mut [f64] = memory.write(stats, checked_area(OP, 4, columns)?)?;
        let (sums, rest) = all.split_at_mut(2 * columns);
        let ((sum, sum_abs), (max_abs, sum_squares)) =
            (sums.split_at_mut(columns), rest.split_at_mut(columns));
        let mut stats = ColumnStats { sum, sum_abs, max_abs, sum_squares };
        solve::column_stats(memory.read(x, checked_area(OP, rows, columns)?)?, columns, &mut stats)
    };
    status(run())
}

/// `w[n][k] *= factors[n] * channels[k % count]` in place, factors in f64.
#[wasm_bindgen]
pub fn solve_scale(
    w: usize,
    rows: usize,
    columns: usize,
    factors: usize,
    channels: usize,
    count: usize,
) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let w = memory.write(w, checked_area(OP, rows, columns)?)?;
        solve::scale(w, columns, memory.read(factors, rows)?, memory.read(channels, count)?)
    };
    status(run())
}

/// f64 `y [rows]` of `w [rows, columns]` times f64 `x [columns]`.
#[wasm_bindgen]
pub fn solve_row_dots(w: usize, rows: usize, columns: usize, x: usize, y: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let w = memory.read(w, checked_area(OP, rows, columns)?)?;
        solve::row_dots(w, memory.read(x, columns)?, memory.write(y, rows)?)
    };
    status(run())
}

/// `x^exponent` of `count` f64 in place.
#[wasm_bindgen]
pub fn solve_powers(x: usize, count: usize, exponent: f64) -> i32 {
    let memory = Memory::new(OP);
    status(memory.write(x, count).map(|x| solve::powers(x, exponent)))
}
