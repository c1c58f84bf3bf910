//! The specification: 16 chains and a tree.

use super::{CHAINS, Row, finished};
use crate::pq_tables::Metric;

pub(super) fn score(metric: Metric, query: &[f32], row: Row<'_>) -> f32 {
    let sum = match (metric, row) {
        (Metric::L2, Row::Floats(x)) => sum(query, |j, q| square(q - x[j])),
        (Metric::L2, Row::Bytes(codes, scale)) => sum(query, |j, q| square(q - scale * f32::from(codes[j]))),
        (Metric::InnerProduct, Row::Floats(x)) => sum(query, |j, q| q * x[j]),
        (Metric::InnerProduct, Row::Bytes(codes, _)) => sum(query, |j, q| q * f32::from(codes[j])),
    };
    finished(metric, row, sum)
}

fn square(x: f32) -> f32 {
    x * x
}

fn sum(query: &[f32], term: impl Fn(usize, f32) -> f32) -> f32 {
    let mut chains = [0.0_f32; CHAINS];
    for (j, q) in query.iter().enumerate() {
        chains[j % CHAINS] += term(j, *q);
    }
    let mut width = CHAINS / 2;
    while width > 0 {
        for l in 0..width {
            chains[l] += chains[l + width];
        }
        width /= 2;
    }
    chains[0]
}
