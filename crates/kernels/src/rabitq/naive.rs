//! The oracle: codes one at a time, sums in f64.

use super::{part_bytes, parts};

/// The code of coordinate `j`.
pub fn code(row: &[u8], dimension: usize, bits: usize, j: usize) -> u32 {
    let mut at = 0;
    let mut code = 0;
    for &(width, shift) in parts(bits) {
        let held = 128 / width;
        let (block, inside) = (j / held, j % held);
        let byte = row[at + 16 * block + inside % 16];
        let piece = u32::from(byte) >> (width * (inside / 16)) & ((1 << width) - 1);
        code |= piece << shift;
        at += part_bytes(dimension, width);
    }
    code
}

/// What the row stands for but for its length: t.
pub fn direction(row: &[u8], dimension: usize, bits: usize) -> Vec<f64> {
    let middle = f64::from((1_u32 << bits) - 1) / 2.0;
    (0..dimension).map(|j| f64::from(code(row, dimension, bits, j)) - middle).collect()
}
