//! Counting by `i8x16.popcnt`, 16 columns to a vector: one instruction where the machine has it (Arm's `cnt`), two table lookups and more elsewhere.
//!
//! Per 8 bits of k of 16 columns and a row (128 multiply-adds): an xor, a popcount, an addition, the load of the weights and a share of the row's byte. One row
//! at a time: tiles of more rows would save loads on machines with 32 registers, at a third of this file's bytes in the module.

use super::simd128::{Counts, subtract};
use super::{PANELS, Planes, XnorGemm};
use crate::buffer::Arena;
use crate::v128::{i8x16_add, i8x16_popcnt, i8x16_splat, u8x16_load, v128_and, v128_xor};

/// Steps of up to 8 differing bits whose counts fit a byte: 248.
const BYTE_STEPS: usize = 31;
/// Steps whose counts fit 16 bits: 65472.
const WORD_STEPS: usize = 264 * BYTE_STEPS;

/// Accumulators of a block of rows; `acc [rows, padded columns]` holds what is not 0 in each row.
pub(super) fn run(gemm: &XnorGemm, planes: &Planes<'_>, acc: &mut [i32], mut scratch: Arena<'_>) {
    let (plane, stride) = (gemm.plane_words(), gemm.padded_columns());
    let rows = acc.len() / stride;
    let depth = 4 * plane;
    let signs = scratch.take::<u8>(rows * depth);
    bytes(planes.signs, signs);
    let masks = scratch.take::<u8>(if planes.masks.is_empty() { 0 } else { rows * depth });
    bytes(planes.masks, masks);
    let mut panel = 0;
    while panel * 16 < stride {
        let wide = (panel + PANELS) * 16 <= stride;
        let width = if wide { PANELS } else { 1 };
        let panels = &gemm.weights.panels[panel * depth..][..width * depth];
        for r in 0..rows {
            let (x, acc) = (r * depth..(r + 1) * depth, &mut acc[r * stride + panel * 16..]);
            let (signs, masks) = (&signs[x.clone()], masks.get(x).unwrap_or(&[]));
            match (masks.is_empty(), wide) {
                (true, true) => tile::<PANELS, false>(signs, signs, panels, acc),
                (true, false) => tile::<1, false>(signs, signs, panels, acc),
                (false, true) => tile::<PANELS, true>(signs, masks, panels, acc),
                (false, false) => tile::<1, true>(signs, masks, panels, acc),
            }
        }
        panel += width;
    }
}

/// The words' bytes, least significant first.
fn bytes(words: &[u32], bytes: &mut [u8]) {
    for (word, bytes) in words.iter().zip(bytes.as_chunks_mut::<4>().0) {
        *bytes = word.to_le_bytes();
    }
}

/// `acc -= 2 * differences` of a row and `NV` panels; `masks` are as long as `signs` where they count.
fn tile<const NV: usize, const MASKED: bool>(
    signs: &[u8],
    masks: &[u8],
    panels: &[[u8; 16]],
    acc: &mut [i32],
) {
    let words = panels.as_chunks::<NV>().0.chunks(WORD_STEPS);
    let rows = signs.chunks(WORD_STEPS).zip(masks.chunks(WORD_STEPS));
    for ((signs, masks), groups) in rows.zip(words) {
        let mut counts = [Counts::zero(); NV];
        let rows = signs.chunks(BYTE_STEPS).zip(masks.chunks(BYTE_STEPS));
        for ((signs, masks), groups) in rows.zip(groups.chunks(BYTE_STEPS)) {
            let mut steps = [i8x16_splat(0); NV];
            for ((sign, mask), group) in signs.iter().zip(masks).zip(groups) {
                for (step, weights) in steps.iter_mut().zip(group) {
                    let mut differing = v128_xor(i8x16_splat(*sign as i8), u8x16_load(weights));
                    if MASKED {
                        differing = v128_and(differing, i8x16_splat(*mask as i8));
                    }
                    *step = i8x16_add(*step, i8x16_popcnt(differing));
                }
            }
            for (counts, step) in counts.iter_mut().zip(steps) {
                counts.add(step);
            }
        }
        for (v, counts) in counts.into_iter().enumerate() {
            subtract::<1>(&mut acc[16 * v..][..16], counts);
        }
    }
}
