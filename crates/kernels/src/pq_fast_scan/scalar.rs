//! Every score in f32: the specification.

use super::{BLOCK, PqBlocks, query::Query};

pub(super) fn scan(codes: &PqBlocks<'_>, queries: &mut [Query<'_>]) {
    for at in (0..codes.count()).filter(|at| codes.selection.any(at * BLOCK)) {
        for query in &mut *queries {
            query.score(codes, at, u32::MAX);
        }
    }
}
