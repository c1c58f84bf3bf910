//! GPTQ's loop over columns.
//!
//! The paper updates the weights that are left by a row of U, the upper Cholesky factor of H⁻¹: `w_k` -= (`w_j` - `ŵ_j`) / `U_jj` · `U_jk` for k > j. With H = R Rᵀ, R upper triangular, U is R⁻¹ and the error of
//! a row's output is ‖e R‖² with e = w - ŵ, whose element j is `R_jj` (`t_j` - `ŵ_j`) with
//!
//!   `t_j` = `w_j` + Σ_{i<j} `e_i` `R_ij` / `R_jj`,
//!
//! and that is the weight the paper has at column j: the choice of `ŵ_j` which makes this element least is the level nearest to `t_j`. So the errors are fed forward by R itself, no matrix is inverted, and
//! the row's error is known at the end. Errors of all columns before a block of 64 enter it in one product, those inside one by one.

use super::OP;
use super::gram::check_order;
use super::tile::{Panels, SIDE, Tile, add_products};
use crate::buffer::Buffer;
use crate::error::{Result, What, check_shape, checked_area};
use crate::quantize::{Grid, Grouping};
use crate::tier::Tier;

/// Columns whose sums are brought up to date together.
const BLOCK: usize = 64;

/// Rows whose errors are kept at once.
const ROWS: usize = 64;

/// Levels, and the order in which columns are rounded.
pub struct Rounding<'a> {
    /// Which weights share a level; over the weights as they lie.
    pub grouping: &'a Grouping,
    /// The levels.
    pub grid: Grid<'a>,
    /// R of [`super::factor`], `[columns, columns]`.
    pub factor: &'a [f64],
    /// The column of the weights that R's column j is; empty where it is j.
    pub order: &'a [u32],
}

/// Codes of `w [rows, columns]`, row by row those of GPTQ, or of rounding to the nearest level where these make less error in the output.
///
/// # Errors
/// `Shape` where a slice does not have its length, `Range` of the grid and of `order`, `Memory`.
pub fn gptq(tier: Tier, rounding: &Rounding<'_>, columns: usize, w: &[f32], codes: &mut [u8]) -> Result<()> {
    let Rounding { grouping, grid, factor, order } = rounding;
    grid.check(grouping, w)?;
    check_shape(OP, What::Codes, w.len(), codes.len())?;
    check_shape(OP, What::Length, checked_area(OP, columns, columns)?, factor.len())?;
    check_shape(OP, What::Columns, 0, w.len() % columns.max(1))?;
    check_order(columns, order)?;
    let mut fed = Panels::new(columns.min(BLOCK), columns)?;
    let mut chunk = Chunk::new(columns)?;
    // Nearest levels first: they are there for rows that feeding errors forward does not help.
    grid.codes(grouping, w, codes)?;
    let rows = w.len() / columns;
    for first in (0..rows).step_by(ROWS) {
        let count = ROWS.min(rows - first);
        chunk.round(tier, rounding, columns, &mut fed, (first, count), w, codes);
    }
    Ok(())
}

/// Errors of a few rows, four rows side by side, `[rows / 4][column]`.
struct Chunk {
    /// w - ŵ as errors are fed forward.
    errors: Buffer<f64>,
    /// w - its nearest level.
    nearest: Buffer<f64>,
    codes: Buffer<u8>,
    costs: [[f64; 2]; ROWS],
}

impl Chunk {
    fn new(columns: usize) -> Result<Self> {
        let size = checked_area(OP, columns, ROWS)?;
        Ok(Self {
            errors: Buffer::zeroed(OP, size)?,
            nearest: Buffer::zeroed(OP, size)?,
            codes: Buffer::zeroed(OP, size)?,
            costs: [[0.0; 2]; ROWS],
        })
    }

    fn round(
        &mut self,
        tier: Tier,
        Rounding { grouping, grid, factor, order }: &Rounding<'_>,
        columns: usize,
        fed: &mut Panels,
        (first, count): (usize, usize),
        w: &[f32],
        codes: &mut [u8],
    ) {
        let position =
            |row: usize, j: usize| (first + row) * columns + order.get(j).map_or(j, |&c| c as usize);
        self.costs = [[0.0; 2]; ROWS];
        let (errors, _) = self.errors.as_chunks_mut::<SIDE>();
        let (nearest, _) = self.nearest.as_chunks_mut::<SIDE>();
        for row in 0..count {
            for j in 0..columns {
                let at = position(row, j);
                let value = grid.decoded(codes[at], grouping.group_at(at));
                nearest[row / SIDE * columns + j][row % SIDE] = f64::from(w[at]) - f64::from(value);
            }
        }
        for start in (0..columns).step_by(BLOCK) {
            let end = columns.min(start + BLOCK);
            fed.fill(end - start, start, |i, c| factor[i * columns + start + c]);
            for strip in 0..count.div_ceil(SIDE) {
                let errors = &mut errors[strip * columns..][..columns];
                let nearest = &nearest[strip * columns..][..columns];
                let mut sums = [[[0.0; SIDE]; 2]; BLOCK];
                for panel in 0..(end - start).div_ceil(SIDE) {
                    let fed = if start == 0 { &[] } else { fed.panel(panel) };
                    let mut tiles: [Tile; 2] = [[[0.0; SIDE]; SIDE]; 2];
                    add_products(tier, fed, errors, &mut tiles[0]);
                    add_products(tier, fed, nearest, &mut tiles[1]);
                    for c in 0..SIDE {
                        sums[panel * SIDE + c] = [tiles[0][c], tiles[1][c]];
                    }
                }
                for j in start..end {
                    let row_of_r = &factor[j * columns..][..end];
                    let pivot = row_of_r[j];
                    for r in 0..SIDE.min(count - strip * SIDE) {
                        let row = strip * SIDE + r;
                        let at = position(row, j);
                        let group = grouping.group_at(at);
                        let [sum, other] = sums[j - start].map(|lanes| lanes[r]);
                        let target = f64::from(w[at]) + sum / pivot;
                        let code = grid.code_of(target as f32, group);
                        let error = f64::from(w[at]) - f64::from(grid.decoded(code, group));
                        self.codes[row * columns + j] = code;
                        errors[j][r] = error;
                        let [fed, plain] = [sum + error * pivot, other + nearest[j][r] * pivot];
                        self.costs[row][0] += fed * fed;
                        self.costs[row][1] += plain * plain;
                    }
                    let (error, plain) = (errors[j], nearest[j]);
                    for (sums, &f) in sums[j + 1 - start..].iter_mut().zip(&row_of_r[j + 1..]) {
                        for r in 0..SIDE {
                            sums[0][r] += f * error[r];
                            sums[1][r] += f * plain[r];
                        }
                    }
                }
            }
        }
        for row in 0..count {
            let [fed, plain] = self.costs[row];
            if fed < plain {
                for j in 0..columns {
                    codes[position(row, j)] = self.codes[row * columns + j];
                }
            }
        }
    }
}
