//! Any M, tables where they are: the specification.

use super::{PqCodes, WIDTH};
use crate::pq_tables::sum_entries;
use crate::top_k::TopK;

pub(super) fn scan(codes: &PqCodes<'_>, tables: &[f32], top: &mut TopK<'_>) {
    let tables = tables.as_chunks::<WIDTH>().0;
    let mut worst = top.worst::<f32>();
    codes.runs(|first, run| {
        for (i, code) in run.chunks_exact(codes.subspaces).enumerate() {
            let score = sum_entries(code.len(), |m| tables[m][usize::from(code[m])]);
            if score <= worst {
                worst = codes.take(first + i, score, top);
            }
        }
    });
}
