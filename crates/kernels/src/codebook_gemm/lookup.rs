//! Partial dots of a row with every centroid, shared by all columns.

use super::Decode;
use super::dense::CodebookGemm;
use super::pack::{COLUMNS, Packed};
use crate::buffer::{Arena, lines_for};
use crate::gemm_f32::finish;

/// Floats of the table at a time: 32 KiB.
const TABLE: usize = 8192;
/// Columns whose sums stay in registers.
const LANES: usize = 8;

/// Positions whose partial dots are held at a time.
fn positions(packed: &Packed) -> usize {
    (TABLE / packed.padded_centroids).clamp(1, packed.positions())
}

/// Lines that [`run`] takes.
pub(super) fn scratch_lines(packed: &Packed) -> usize {
    let sums = lines_for::<f32>(packed.panels() * COLUMNS);
    lines_for::<f32>(positions(packed) * packed.padded_centroids) + 2 * sums
}

/// `x [rows, K]` to `y`, rows `stride` apart.
pub(super) fn run<T: Decode>(
    gemm: &CodebookGemm,
    x: &[f32],
    y: &mut [f32],
    stride: usize,
    mut scratch: Arena<'_>,
) {
    let (packed, block) = (&gemm.packed, positions(&gemm.packed));
    let (dimension, entries) = (packed.dimension, packed.padded_centroids);
    let padded = packed.panels() * COLUMNS;
    let table = scratch.take::<f32>(block * entries);
    let (group_sums, sums) = (scratch.take::<f32>(padded), scratch.take::<f32>(padded));
    for (x, y) in x.chunks_exact(packed.depth).zip(y.chunks_mut(stride)) {
        sums.fill(0.0);
        for (group, x) in x.chunks(packed.group_size).enumerate() {
            group_sums.fill(0.0);
            let first = group * packed.group_size / dimension;
            for (i, x) in x.chunks(block * dimension).enumerate() {
                let table = &mut table[..x.len() / dimension * entries];
                for (x, table) in x.chunks_exact(dimension).zip(table.chunks_exact_mut(entries)) {
                    T::partial_dots(x, &packed.centroids, table);
                }
                for (panel, sums) in group_sums.chunks_exact_mut(COLUMNS).enumerate() {
                    add(packed, panel, first + i * block, table, sums);
                }
            }
            for panel in 0..packed.panels() {
                let (scales, _) = packed.cell(panel, group);
                let range = panel * COLUMNS..(panel + 1) * COLUMNS;
                for ((sum, part), scale) in sums[range.clone()].iter_mut().zip(&group_sums[range]).zip(scales)
                {
                    *sum += part * scale;
                }
            }
        }
        let n = packed.columns;
        finish::<T>(&sums[..n], n, &gemm.bias[..n], gemm.clamp, y, stride);
    }
}

/// `sums[column] += table[s][code]` over ascending s; `table` begins at position `first`.
fn add(packed: &Packed, panel: usize, first: usize, table: &[f32], sums: &mut [f32]) {
    for (half, sums) in sums.chunks_exact_mut(LANES).enumerate() {
        let mut kept = [0.0; LANES];
        kept.copy_from_slice(sums);
        for (s, entries) in table.chunks_exact(packed.padded_centroids).enumerate() {
            let codes = packed.position(panel, first + s);
            for (lane, sum) in kept.iter_mut().enumerate() {
                *sum += entries[codes.code(half * LANES + lane)];
            }
        }
        sums.copy_from_slice(&kept);
    }
}
