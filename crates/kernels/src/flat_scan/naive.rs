//! The oracle: sums in f64.

use super::Rows;
use crate::pq_tables::Metric;

/// The score of row `position`.
pub fn score(metric: Metric, query: &[f32], rows: Rows<'_>, position: usize) -> f64 {
    let d = query.len();
    let at = |j: usize| match rows {
        Rows::Floats(x) => f64::from(x[position * d + j]),
        Rows::Bytes(codes, scales) => f64::from(codes[position * d + j]) * f64::from(scales[position]),
    };
    let terms = query.iter().enumerate().map(|(j, q)| match metric {
        Metric::L2 => (f64::from(*q) - at(j)).powi(2),
        Metric::InnerProduct => -f64::from(*q) * at(j),
    });
    terms.sum()
}
