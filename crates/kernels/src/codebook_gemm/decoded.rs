//! Panels decoded as they are used.

use core::marker::PhantomData;

use super::Decode;
use super::dense::CodebookGemm;
use super::pack::{COLUMNS, Packed};
use crate::buffer::Arena;
use crate::gemm_f32::blocked::{self, DEPTH, Panels, Part, Product};

/// Lines that [`run`] takes.
pub(super) fn scratch_lines(packed: &Packed, rows: usize) -> usize {
    blocked::scratch_lines(rows, depth_block(packed), false)
}

/// Weights of a column decoded at a time: whole sub-vectors.
fn depth_block(packed: &Packed) -> usize {
    let vectors = (DEPTH / packed.dimension).max(1);
    vectors.min(packed.vectors()) * packed.dimension
}

/// Panels that are decoded when they are asked for.
struct Decoded<'a, T>(&'a Packed, PhantomData<T>);

impl<T: Decode> Panels for Decoded<'_, T> {
    const READY: bool = false;
    const NARROW: bool = false;

    fn part<'a>(&'a self, part: Part, room: &'a mut [f32]) -> &'a [f32] {
        let room = &mut room[..part.depth * COLUMNS];
        decode::<T>(self.0, part.first / COLUMNS, part.start, room);
        room
    }
}

/// `x [rows, K]` to `y`, rows `stride` apart.
pub(super) fn run<T: Decode>(
    gemm: &CodebookGemm,
    x: &[f32],
    y: &mut [f32],
    stride: usize,
    scratch: Arena<'_>,
) {
    let product = Product {
        n: gemm.packed.columns,
        k: gemm.packed.depth,
        depth: depth_block(&gemm.packed),
        bias: &gemm.bias,
        clamp: gemm.clamp,
        stride,
    };
    product.run::<T, _>(&Decoded::<T>(&gemm.packed, PhantomData), x, y, scratch);
}

/// The weights from `start` (a multiple of the dimension) on: `out [depth][16]`.
fn decode<T: Decode>(packed: &Packed, panel: usize, start: usize, out: &mut [f32]) {
    if packed.composed.is_none() && packed.centroids.is_empty() {
        levels::<T>(packed, panel, start, out);
    } else {
        sub_vectors(packed, panel, start, out);
    }
}

/// Where a position is a weight, and that a level by a scale: group by group.
fn levels<T: Decode>(packed: &Packed, panel: usize, start: usize, mut out: &mut [f32]) {
    let mut k = start;
    while !out.is_empty() {
        let group = k / packed.group_size;
        let rest = (group + 1) * packed.group_size - k;
        let (own, others) = out.split_at_mut(out.len().min(rest * COLUMNS));
        let (scales, zeros) = packed.cell(panel, group);
        T::weights(&packed.run(panel, k), &packed.levels, zeros, scales, own);
        (k, out) = (k + rest, others);
    }
}

fn sub_vectors(packed: &Packed, panel: usize, start: usize, out: &mut [f32]) {
    let dimension = packed.dimension;
    let mut group = usize::MAX;
    let mut scales: &[f32] = &[];
    for (i, out) in out.chunks_exact_mut(dimension * COLUMNS).enumerate() {
        let k = start + i * dimension;
        if let Some(composed) = &packed.composed {
            composed.weights(packed, panel, k, out);
            continue;
        }
        if k / packed.group_size != group {
            group = k / packed.group_size;
            (scales, _) = packed.cell(panel, group);
        }
        let codes = packed.position(panel, k / dimension);
        let centroids = packed.centroids.chunks_exact(packed.padded_centroids);
        for (out, centroids) in out.chunks_exact_mut(COLUMNS).zip(centroids) {
            for (column, (out, scale)) in out.iter_mut().zip(scales).enumerate() {
                *out = centroids[codes.code(column)] * scale;
            }
        }
    }
}
