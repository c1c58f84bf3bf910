//! The specification: one code at a time.

use super::{Kernel, QUAD};

pub(super) struct Scalar;

/// Vectors of activations for a block of 64 codes, in their order.
const VECTORS: usize = 4;

impl Kernel for Scalar {
    fn row_vectors(blocks: usize) -> usize {
        blocks * VECTORS
    }

    fn prepare(x: &[i8], flip: u8, row: &mut [[u8; 16]]) -> i32 {
        let row = row.as_flattened_mut();
        let (values, behind) = row.split_at_mut(x.len());
        behind.fill(0);
        let mut sum = 0;
        for (value, x) in values.iter_mut().zip(x) {
            *value = *x as u8 ^ flip;
            sum += i32::from(*value as i8);
        }
        sum
    }

    fn products(rows: &[[u8; 16]], weights: &[[u8; 16]], blocks: usize, acc: &mut [i32], pitch: usize) {
        for (row, acc) in rows.chunks_exact(blocks * VECTORS).zip(acc.chunks_exact_mut(pitch)) {
            for (quad, acc) in weights.chunks_exact(blocks * QUAD).zip(acc.chunks_exact_mut(QUAD)) {
                acc.fill(0);
                for (columns, x) in quad.chunks_exact(QUAD).zip(row.as_chunks::<VECTORS>().0) {
                    for (acc, codes) in acc.iter_mut().zip(columns) {
                        *acc += block(codes, x);
                    }
                }
            }
        }
    }
}

fn block(codes: &[u8; 16], x: &[[u8; 16]; VECTORS]) -> i32 {
    let mut sum = 0;
    for (field, x) in x.iter().enumerate() {
        for (byte, x) in codes.iter().zip(x) {
            sum += i32::from(byte >> (2 * field) & 3) * i32::from(*x as i8);
        }
    }
    sum
}
