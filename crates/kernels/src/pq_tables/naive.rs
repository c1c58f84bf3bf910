//! The oracle: one distance at a time.

use super::Metric;

/// Between a part of a query and a centroid, in f32 over ascending coordinates.
pub fn distance(metric: Metric, query: &[f32], centroid: &[f32]) -> f32 {
    let pairs = query.iter().zip(centroid);
    match metric {
        Metric::L2 => pairs.fold(0.0, |sum, (q, c)| sum + (q - c) * (q - c)),
        Metric::InnerProduct => pairs.fold(0.0, |sum, (q, c)| sum - q * c),
    }
}

/// The score of a code in tables `[M][width]`: four entries at a time from left to right, each four added to the sum of those before.
pub fn score(tables: &[f32], width: usize, code: &[usize]) -> f32 {
    let entries: Vec<f32> = code.iter().enumerate().map(|(m, c)| tables[m * width + c]).collect();
    let fours = entries.chunks(4).map(|four| four.iter().copied().reduce(|sum, t| sum + t).unwrap_or(0.0));
    fours.reduce(|sum, four| sum + four).unwrap_or(0.0)
}

/// All candidates in order, best first: smallest score, then lowest id.
pub fn ranked<S: PartialOrd + Copy>(mut candidates: Vec<(S, u32)>) -> Vec<(S, u32)> {
    candidates.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    candidates
}
