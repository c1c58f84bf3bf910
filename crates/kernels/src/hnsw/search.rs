//! Down the levels, then a row of `breadth` in level 0.

use super::beam::{Beam, Step, descend, id_of, score_of};
use super::nodes::Nodes;
use super::{Graph, MAX_BREADTH, OP};
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::tier::Tier;
use crate::top_k::{Selection, TopK};

/// What is sought.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// `[count, D]`
    pub queries: &'a [f32],
    /// How many.
    pub count: usize,
    /// A node of the highest level.
    pub entry: u32,
    /// Nodes that are kept on the way, efSearch: 1 to [`MAX_BREADTH`]; k at least.
    pub breadth: usize,
    /// Bits of the nodes that may be found; others are passed through. Absent: all may.
    pub filter: Option<&'a [u32]>,
}

/// Takes the nearest of what is reached into `keys`: `[count, k]`, each a heap of [`crate::top_k`] (scores are f32).
///
/// Refuses sizes out of range, lengths that do not fit, and queries that are not finite. The graph is one that [`super::insert`] made or [`Graph::check`] passed.
pub fn search(
    tier: Tier,
    graph: &Graph<'_>,
    nodes: &Nodes<'_>,
    sought: &Sought<'_>,
    keys: &mut [u64],
) -> Result<()> {
    let Sought { queries, count, entry, breadth, filter } = *sought;
    graph.check_lengths()?;
    nodes.check()?;
    check_shape(OP, What::Rows, nodes.n, graph.nodes())?;
    check_range(OP, What::Queries, 1, 1 << 20, count as i64)?;
    check_shape(OP, What::Queries, checked_area(OP, count, nodes.dimension)?, queries.len())?;
    let k = keys.len() / count;
    check_shape(OP, What::Best, k * count, keys.len())?;
    TopK::new(&mut keys[..k])?;
    let breadth = breadth.max(k);
    check_range(OP, What::Breadth, 1, MAX_BREADTH as i64, breadth as i64)?;
    if nodes.n == 0 {
        return Ok(());
    }
    check_range(OP, What::Ids, 0, nodes.n as i64 - 1, i64::from(entry))?;
    let (mut beam, mut scratch) = (Beam::new(graph, breadth.min(nodes.n))?, nodes.scratch()?);
    let selection = Selection { filter, ..Selection::default() };
    for (query, keys) in queries.chunks_exact(nodes.dimension).zip(keys.chunks_exact_mut(k)) {
        let query = nodes.query(query, &mut scratch)?;
        let entry = descend(&mut beam, tier, graph, nodes, &query, (entry, 0));
        beam.search(tier, graph, nodes, &query, Step { entry, level: 0, breadth });
        let top = &mut TopK::new(keys)?;
        for key in beam.found.keys() {
            if let Some(id) = selection.find(id_of(*key) as usize) {
                top.push(score_of(*key), id);
            }
        }
    }
    Ok(())
}
