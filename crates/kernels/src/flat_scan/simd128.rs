//! Four chains to a vector, four vectors.

use super::{CHAINS, Row, finished};
use crate::pq_tables::Metric;
use crate::v128::{
    V128, f32x4_add, f32x4_convert_i32x4, f32x4_extract_lane, f32x4_load, f32x4_mul, f32x4_splat, f32x4_sub,
    i8x16_load, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_extend_high_i16x8,
    i32x4_extend_low_i16x8, i32x4_shuffle,
};

pub(super) fn score(metric: Metric, query: &[f32], row: Row<'_>) -> f32 {
    let sum = match (metric, row) {
        (Metric::L2, Row::Floats(x)) => sum(query, x, floats, |q, x| square(f32x4_sub(q, x))),
        (Metric::InnerProduct, Row::Floats(x)) => sum(query, x, floats, product),
        (Metric::L2, Row::Bytes(codes, scale)) => {
            let scale = f32x4_splat(scale);
            sum(query, codes, bytes, |q, x| square(f32x4_sub(q, f32x4_mul(scale, x))))
        }
        (Metric::InnerProduct, Row::Bytes(codes, _)) => sum(query, codes, bytes, product),
    };
    finished(metric, row, sum)
}

/// Instructions of WASM are no `Fn`.
#[inline(always)]
fn product(q: V128, x: V128) -> V128 {
    f32x4_mul(q, x)
}

#[inline(always)]
fn square(x: V128) -> V128 {
    f32x4_mul(x, x)
}

#[inline(always)]
fn floats(x: &[f32; CHAINS]) -> [V128; 4] {
    [f32x4_load(&x[0..4]), f32x4_load(&x[4..8]), f32x4_load(&x[8..12]), f32x4_load(&x[12..16])]
}

#[inline(always)]
fn bytes(codes: &[i8; CHAINS]) -> [V128; 4] {
    let codes = i8x16_load(codes);
    let (low, high) = (i16x8_extend_low_i8x16(codes), i16x8_extend_high_i8x16(codes));
    [
        f32x4_convert_i32x4(i32x4_extend_low_i16x8(low)),
        f32x4_convert_i32x4(i32x4_extend_high_i16x8(low)),
        f32x4_convert_i32x4(i32x4_extend_low_i16x8(high)),
        f32x4_convert_i32x4(i32x4_extend_high_i16x8(high)),
    ]
}

/// What is left over goes by a padded block: its terms are 0, and adding 0 changes no chain.
#[inline(always)]
fn sum<T: Copy + Default>(
    query: &[f32],
    row: &[T],
    widened: impl Fn(&[T; CHAINS]) -> [V128; 4],
    term: impl Fn(V128, V128) -> V128,
) -> f32 {
    let mut chains = [f32x4_splat(0.0); 4];
    let mut block = |query: &[f32; CHAINS], row: &[T; CHAINS]| {
        for ((chain, q), x) in chains.iter_mut().zip(floats(query)).zip(widened(row)) {
            *chain = f32x4_add(*chain, term(q, x));
        }
    };
    let ((queries, query_rest), (rows, row_rest)) = (query.as_chunks(), row.as_chunks());
    for (query, row) in queries.iter().zip(rows) {
        block(query, row);
    }
    if !query_rest.is_empty() {
        let (mut query, mut row) = ([0.0; CHAINS], [T::default(); CHAINS]);
        query[..query_rest.len()].copy_from_slice(query_rest);
        row[..row_rest.len()].copy_from_slice(row_rest);
        block(&query, &row);
    }
    let four = f32x4_add(f32x4_add(chains[0], chains[2]), f32x4_add(chains[1], chains[3]));
    let two = f32x4_add(four, i32x4_shuffle::<2, 3, 0, 1>(four, four));
    f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
}
