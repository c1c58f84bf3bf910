//! Panels decoded as they are used.

use super::Decode;
use super::dense::CodebookGemm;
use super::pack::{COLUMNS, Packed};
use crate::buffer::{Arena, lines_for};
use crate::gemm_f32::finish;

/// Positions decoded at a time: 256 x 16 f32 are 16 KiB, half of the first-level cache.
const DEPTH: usize = 256;
/// Rows that share a decoded panel; their sums are another 16 KiB.
const ROWS: usize = 256;

/// Lines that [`run`] takes.
pub(super) fn scratch_lines(packed: &Packed, rows: usize) -> usize {
    lines_for::<f32>(rows.min(ROWS) * COLUMNS) + lines_for::<f32>(depth_block(packed) * COLUMNS)
}

/// Weights of a column decoded at a time: whole positions.
fn depth_block(packed: &Packed) -> usize {
    (DEPTH / packed.dimension).max(1) * packed.dimension
}

/// `x [rows, K]` to `y`, rows `stride` apart.
pub(super) fn run<T: Decode>(
    gemm: &CodebookGemm,
    x: &[f32],
    y: &mut [f32],
    stride: usize,
    mut scratch: Arena<'_>,
) {
    let (packed, depth) = (&gemm.packed, gemm.packed.depth);
    let acc = scratch.take::<f32>((x.len() / depth).min(ROWS) * COLUMNS);
    let panel = scratch.take::<f32>(depth_block(packed) * COLUMNS);
    for (x, y) in x.chunks(ROWS * depth).zip(y.chunks_mut(ROWS * stride)) {
        let acc = &mut acc[..x.len() / depth * COLUMNS];
        for at in 0..packed.panels() {
            let first = at * COLUMNS;
            acc.fill(0.0);
            for start in (0..depth).step_by(depth_block(packed)) {
                let panel = &mut panel[..(depth - start).min(depth_block(packed)) * COLUMNS];
                decode::<T>(packed, at, start, panel);
                T::accumulate(&x[start..], depth, panel, COLUMNS, acc);
            }
            let bias = &gemm.bias[first..][..COLUMNS.min(packed.columns - first)];
            finish::<T>(acc, COLUMNS, bias, gemm.clamp, &mut y[first..], stride);
        }
    }
}

/// The weights from `start` (a multiple of the dimension) on: `out [depth][16]`.
fn decode<T: Decode>(packed: &Packed, panel: usize, start: usize, out: &mut [f32]) {
    let dimension = packed.dimension;
    let mut group = usize::MAX;
    let (mut scales, mut zeros): (&[f32], &[f32]) = (&[], &[]);
    for (i, out) in out.chunks_exact_mut(dimension * COLUMNS).enumerate() {
        let k = start + i * dimension;
        if k / packed.group_size != group {
            group = k / packed.group_size;
            (scales, zeros) = packed.cell(panel, group);
        }
        let codes = packed.position(panel, k / dimension);
        if packed.centroids.is_empty() {
            T::weights(&codes, &packed.levels, zeros, scales, out);
            continue;
        }
        let centroids = packed.centroids.chunks_exact(packed.padded_centroids);
        for (out, centroids) in out.chunks_exact_mut(COLUMNS).zip(centroids) {
            for (column, (out, scale)) in out.iter_mut().zip(scales).enumerate() {
                *out = centroids[codes.code(column)] * scale;
            }
        }
    }
}
