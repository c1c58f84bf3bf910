//! `AdaRound`'s search: whether each weight goes down or up, by gradients on the error of the layer's output.

use super::OP;
use crate::buffer::{Buffer, Scratch};
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::gemm_f32::blocked::{self, DEPTH, Panels, Part, Product};
use crate::gemm_f32::panels::WIDE;
use crate::gemm_f32::{padded_bias, with_tile};
use crate::quantize::{Grid, Grouping};
use crate::tier::Tier;

/// Rows that are searched at once; each is a problem of its own. A weight of them takes 80 bytes, so that few rows are searched at a time.
const ROWS: usize = 16;

/// The rectified sigmoid h(V) = clip(σ(V)(ζ - γ) + γ, 0, 1).
const ZETA: f64 = 1.1;
const GAMMA: f64 = -0.1;

/// Adam with its usual constants.
const MOMENTS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// How long and how hard to push.
#[derive(Clone, Copy, Debug)]
pub struct Adaround {
    /// Steps of Adam.
    pub iterations: u32,
    /// Its step size.
    pub rate: f64,
    /// λ of the term Σ 1 - |2h - 1|^β, from a fifth of the steps on.
    pub weight: f64,
    /// β falls from the first to the second, linearly.
    pub beta: [f64; 2],
}

/// Codes of `w [rows, columns]`: row by row those of the search, or of rounding to the nearest level where these make less error. `h [columns, columns]` is the symmetric Gram matrix.
///
/// A row minimises e H eᵀ / 2c + λ Σ 1 - |2h - 1|^β, where e = w̃ - w and c is the mean of gap² `H_kk` over its weights (gap: between the level below and the one above), so
/// that the scale of weights and inputs does not matter.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` of the grid or where there are no columns, `Memory`.
pub fn adaround(
    tier: Tier,
    search: &Adaround,
    (grouping, grid): (&Grouping, &Grid<'_>),
    columns: usize,
    w: &[f32],
    h: &[f64],
    codes: &mut [u8],
) -> Result<()> {
    grid.check(grouping, w)?;
    check_shape(OP, What::Codes, w.len(), codes.len())?;
    check_shape(OP, What::Length, checked_area(OP, columns, columns)?, h.len())?;
    check_range(OP, What::Columns, 1, i64::MAX, columns as i64)?;
    check_shape(OP, What::Columns, 0, w.len() % columns)?;
    let depth = DEPTH.min(columns);
    let bias = padded_bias(OP, columns, &[])?;
    let clamp = (f32::NEG_INFINITY, f32::INFINITY);
    let product = Product { n: columns, k: columns, depth, bias: &bias, clamp, stride: columns };
    let weights = Rounded { h, columns };
    let mut scratch = Scratch::new();
    scratch.reserve(OP, blocked::scratch_lines(ROWS, depth, Rounded::READY))?;
    let size = checked_area(OP, columns, ROWS)?;
    let (mut errors, mut slopes) = (Buffer::<f32>::zeroed(OP, size)?, Buffer::<f32>::zeroed(OP, size)?);
    let mut cells = Vec::new();
    for (chunk, (w, codes)) in w.chunks(ROWS * columns).zip(codes.chunks_mut(ROWS * columns)).enumerate() {
        let first = chunk * ROWS * columns;
        cells.clear();
        cells.extend(w.iter().enumerate().map(|(i, &x)| Cell::new(x, grid, grouping.group_at(first + i))));
        normalize(&mut cells, columns, h);
        let (errors, slopes) = (&mut errors[..w.len()], &mut slopes[..w.len()]);
        let mut decay = [1.0; 2];
        for step in 0..search.iterations {
            for ((cell, error), &x) in cells.iter_mut().zip(&mut *errors).zip(w) {
                *error = cell.forward() - x;
            }
            with_tile!(tier, T => product.run::<T, _>(&weights, errors, slopes, scratch.arena()));
            for (decay, moment) in decay.iter_mut().zip(MOMENTS) {
                *decay *= moment;
            }
            let progress = f64::from(step) / f64::from(search.iterations);
            let beta = search.beta[0] + (search.beta[1] - search.beta[0]) * progress;
            let weight = if progress < 0.2 { 0.0 } else { search.weight };
            for (cell, &slope) in cells.iter_mut().zip(&*slopes) {
                cell.step(f64::from(slope), weight, beta, search.rate, decay);
            }
        }
        let rows = cells.chunks(columns).zip(w.chunks(columns)).zip(codes.chunks_mut(columns));
        for (row, ((cells, w), codes)) in rows.enumerate() {
            let at = |k: usize| grouping.group_at(first + row * columns + k);
            let searched: Vec<u8> = cells.iter().map(Cell::code).collect();
            for (k, code) in codes.iter_mut().enumerate() {
                *code = grid.code_of(w[k], at(k));
            }
            let cost = |codes: &[u8]| {
                let error = |(k, &code)| f64::from(w[k]) - f64::from(grid.decoded(code, at(k)));
                form(&codes.iter().enumerate().map(error).collect::<Vec<f64>>(), h)
            };
            if cost(&searched) < cost(codes) {
                codes.copy_from_slice(&searched);
            }
        }
    }
    Ok(())
}

/// H as floats, panels of which are made when they are asked for: all of it as floats would be half a Hessian more.
struct Rounded<'a> {
    h: &'a [f64],
    columns: usize,
}

impl Panels for Rounded<'_> {
    const READY: bool = false;
    const NARROW: bool = false;

    fn part<'a>(&'a self, part: Part, room: &'a mut [f32]) -> &'a [f32] {
        let room = &mut room[..part.depth * WIDE];
        // Column k of a symmetric matrix is its row k.
        let rows = self.h[part.start * self.columns..].chunks_exact(self.columns);
        for (row, out) in rows.zip(room.chunks_exact_mut(WIDE)) {
            let (real, padding) = out.split_at_mut(part.real);
            for (out, &value) in real.iter_mut().zip(&row[part.first..]) {
                *out = value as f32;
            }
            padding.fill(0.0);
        }
        room
    }
}

/// One weight: the levels around it, and where between them it is.
struct Cell {
    low: u8,
    high: u8,
    /// What `low` stands for, and how far away `high` is; 0 for a weight beyond the grid.
    base: f64,
    gap: f64,
    /// gap / c
    force: f64,
    v: f64,
    sigma: f64,
    moments: [f64; 2],
}

impl Cell {
    fn new(x: f32, grid: &Grid<'_>, group: usize) -> Self {
        let (scale, zero, offset) = grid.cell(group);
        // 0 / 0 counts as 0, and any larger quotient is beyond every grid.
        let steps = (x - offset) / scale;
        let floor = (steps.floor() as i32).clamp(-(1 << 24), 1 << 24);
        let code = |steps: i32| (steps + zero).clamp(grid.min_code, grid.max_code) as u8;
        let (low, high) = (code(floor), code(floor + 1));
        let base = f64::from(grid.decoded(low, group));
        let rest = f64::from(steps - floor as f32).clamp(0.0, 1.0);
        let v = -libm::log((ZETA - GAMMA) / (rest - GAMMA) - 1.0);
        let gap = f64::from(grid.decoded(high, group)) - base;
        Self { low, high, base, gap, force: 0.0, v, sigma: 0.0, moments: [0.0; 2] }
    }

    fn share(&self) -> f64 {
        (self.sigma * (ZETA - GAMMA) + GAMMA).clamp(0.0, 1.0)
    }

    /// The weight as it is now.
    fn forward(&mut self) -> f32 {
        self.sigma = 1.0 / (1.0 + libm::exp(-self.v));
        (self.base + self.share() * self.gap) as f32
    }

    /// A step of Adam; `slope` is (e H) at this weight.
    fn step(&mut self, slope: f64, weight: f64, beta: f64, rate: f64, decay: [f64; 2]) {
        let share = self.share();
        let mut gradient = 0.0;
        if share > 0.0 && share < 1.0 {
            let side = 2.0 * share - 1.0;
            let push = if weight == 0.0 || side == 0.0 {
                0.0
            } else {
                weight * beta * 2.0 * libm::pow(side.abs(), beta - 1.0) * side.signum()
            };
            gradient = (slope * self.force - push) * (ZETA - GAMMA) * self.sigma * (1.0 - self.sigma);
        }
        self.moments[0] = MOMENTS[0] * self.moments[0] + (1.0 - MOMENTS[0]) * gradient;
        self.moments[1] = MOMENTS[1] * self.moments[1] + (1.0 - MOMENTS[1]) * gradient * gradient;
        let mean = self.moments[0] / (1.0 - decay[0]);
        let square = self.moments[1] / (1.0 - decay[1]);
        self.v -= rate * mean / (square.sqrt() + EPSILON);
    }

    const fn code(&self) -> u8 {
        // σ >= 1/2 exactly where h >= 1/2.
        if self.v >= 0.0 { self.high } else { self.low }
    }
}

/// Divides the gradients of a row by c.
fn normalize(cells: &mut [Cell], columns: usize, h: &[f64]) {
    for row in cells.chunks_mut(columns) {
        let sum = row
            .iter()
            .enumerate()
            .fold(0.0, |sum, (k, cell)| sum + cell.gap * cell.gap * h[k * (columns + 1)]);
        let mean = sum / columns as f64;
        for cell in row {
            cell.force = if mean > 0.0 { cell.gap / mean } else { 0.0 };
        }
    }
}

/// d H dᵀ
fn form(d: &[f64], h: &[f64]) -> f64 {
    let dot = |h: &[f64]| h.iter().zip(d).fold(0.0, |sum, (h, d)| sum + h * d);
    d.iter().zip(h.chunks(d.len())).fold(0.0, |sum, (&d, h)| sum + d * dot(h))
}
