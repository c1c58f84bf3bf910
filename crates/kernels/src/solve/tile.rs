//! The one inner loop: sums of products over a packed depth, 4 x 4 at a time.

use crate::buffer::Buffer;
use crate::error::{Result, checked_area};

use crate::tier::Tier;

use super::OP;

/// Rows and columns of a tile.
pub(super) const SIDE: usize = 4;

/// Sums `[row][column]`.
pub(super) type Tile = [[f64; SIDE]; SIDE];

/// Columns of a matrix in panels `[panel][depth][SIDE]`, zeros where there is no column. Packed, a panel lies in consecutive lines of the cache whatever the row's length.
pub(super) struct Panels {
    values: Buffer<f64>,
    depth: usize,
}

impl Panels {
    /// Room for `columns` columns of at most `depth` values.
    pub(super) fn new(columns: usize, depth: usize) -> Result<Self> {
        let size = checked_area(OP, columns.next_multiple_of(SIDE), depth)?;
        Ok(Self { values: Buffer::zeroed(OP, size)?, depth })
    }

    /// Holds `value(k, column)` for all k below `depth` and columns below `columns`; nothing else.
    pub(super) fn fill(&mut self, columns: usize, depth: usize, value: impl Fn(usize, usize) -> f64) {
        self.depth = depth;
        let (values, _) = self.values.as_chunks_mut::<SIDE>();
        for (panel, values) in values.chunks_exact_mut(depth.max(1)).take(columns.div_ceil(SIDE)).enumerate()
        {
            for (k, values) in values.iter_mut().enumerate() {
                for (c, cell) in values.iter_mut().enumerate() {
                    let column = panel * SIDE + c;
                    *cell = if column < columns { value(k, column) } else { 0.0 };
                }
            }
        }
    }

    /// The depth of four columns.
    pub(super) fn panel(&self, panel: usize) -> &[[f64; SIDE]] {
        let (values, _) = self.values.as_chunks::<SIDE>();
        &values[panel * self.depth..][..self.depth]
    }
}

/// `sums[r][c] += Σ_k a[k][r] * b[k][c]`, k ascending, every step rounded twice.
#[inline(always)]
pub(super) fn add_products(tier: Tier, a: &[[f64; SIDE]], b: &[[f64; SIDE]], sums: &mut Tile) {
    match tier.effective() {
        Tier::Scalar => super::scalar::add_products(a, b, sums),
        #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
        Tier::Simd128 | Tier::Relaxed => super::simd128::add_products(a, b, sums),
        #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
        _ => unreachable!("a tier that this build does not hold"),
    }
}

/// Continues `sums` of rows `row..` and columns `column..` of a matrix `[.., stride]`; what lies beyond `rows` and `columns` is left out.
pub(super) fn continue_tile(
    tier: Tier,
    matrix: &mut [f64],
    stride: usize,
    [row, column]: [usize; 2],
    [rows, columns]: [usize; 2],
    a: &[[f64; SIDE]],
    b: &[[f64; SIDE]],
) {
    let (height, width) = (SIDE.min(rows - row), SIDE.min(columns - column));
    let mut sums = [[0.0; SIDE]; SIDE];
    for (r, sums) in sums.iter_mut().take(height).enumerate() {
        sums[..width].copy_from_slice(&matrix[(row + r) * stride + column..][..width]);
    }
    add_products(tier, a, b, &mut sums);
    for (r, sums) in sums.iter().take(height).enumerate() {
        matrix[(row + r) * stride + column..][..width].copy_from_slice(&sums[..width]);
    }
}
