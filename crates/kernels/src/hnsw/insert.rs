//! New nodes and their links.

use super::beam::{Beam, Keys, Step, descend, id_of, key, score_of};
use super::nodes::Nodes;
use super::{GraphMut, MAX_BREADTH, OP};
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};
use crate::flat_scan::{self, Row};
use crate::tier::Tier;
use crate::top_k::NO_ID;

/// What is added.
#[derive(Clone, Copy, Debug)]
pub struct Insertion<'a> {
    /// Nodes `first` .. n are new.
    pub first: usize,
    /// `[n - first, D]`, as they were before they were coded; empty: what their codes stand for.
    pub vectors: &'a [f32],
    /// Where searches begin; of no meaning where `first` is 0.
    pub entry: u32,
    /// Nodes that are kept on the way, efConstruction: 1 to [`MAX_BREADTH`].
    pub breadth: usize,
}

/// Links nodes whose codes are there and whose levels are drawn. Returns where searches begin from now on.
///
/// Refuses sizes out of range, lengths that do not fit, and vectors that are not finite. The graph up to `first` is one that this made or [`super::Graph::check`] passed.
pub fn insert(tier: Tier, graph: &mut GraphMut<'_>, nodes: &Nodes<'_>, new: &Insertion<'_>) -> Result<u32> {
    let Insertion { first, vectors, mut entry, breadth } = *new;
    graph.view().check_lengths()?;
    nodes.check()?;
    check_shape(OP, What::Rows, nodes.n, graph.view().nodes())?;
    check_range(OP, What::Rows, 0, nodes.n as i64, first as i64)?;
    check_range(OP, What::Breadth, 1, MAX_BREADTH as i64, breadth as i64)?;
    let d = nodes.dimension;
    if !vectors.is_empty() {
        check_shape(OP, What::Length, checked_area(OP, nodes.n - first, d)?, vectors.len())?;
    }
    if first > 0 && first < nodes.n {
        check_range(OP, What::Ids, 0, first as i64 - 1, i64::from(entry))?;
    }
    let mut beam = Beam::new(&graph.view(), breadth)?;
    let mut chooser = Chooser::new(tier, nodes, breadth.max(2 * graph.links + 1), 2 * graph.links)?;
    let (mut scratch, mut x) = (nodes.scratch()?, Buffer::<f32>::zeroed(OP, d)?);
    for node in first as u32..nodes.n as u32 {
        let level = graph.view().level(node);
        for level in 0..=level {
            graph.row_mut(node, level).fill(NO_ID);
        }
        if node == 0 {
            entry = 0;
            continue;
        }
        match vectors.chunks_exact(d).nth(node as usize - first) {
            Some(vector) => x.copy_from_slice(vector),
            None => nodes.decode(node, &mut chooser.levels, &mut x),
        }
        let query = nodes.query(&x, &mut scratch)?;
        let mut at = descend(&mut beam, tier, &graph.view(), nodes, &query, (entry, level));
        let top = graph.view().level(entry);
        for level in (0..=level.min(top)).rev() {
            beam.search(tier, &graph.view(), nodes, &query, Step { entry: at, level, breadth });
            at = beam.nearest();
            chooser.choose(&x, beam.found.keys(), graph.view().width(level));
            let count = chooser.count;
            graph.row_mut(node, level)[..count].copy_from_slice(&chooser.chosen[..count]);
            for i in 0..count {
                let other = graph.view().row(node, level)[i];
                link(graph, &mut chooser, (other, node, level));
            }
        }
        if level > top {
            entry = node;
        }
    }
    Ok(entry)
}

/// Makes `new` a neighbour of `node`, which chooses anew where its row is full.
fn link(graph: &mut GraphMut<'_>, chooser: &mut Chooser<'_>, (node, new, level): (u32, u32, usize)) {
    let row = graph.row_mut(node, level);
    if let Some(free) = row.iter_mut().find(|id| **id == NO_ID) {
        *free = new;
        return;
    }
    chooser.choose_for(node, &mut row.iter().copied().chain([new]), row.len());
    row.fill(NO_ID);
    row[..chooser.count].copy_from_slice(&chooser.chosen[..chooser.count]);
}

/// The choice of neighbours, by distances between decoded vectors.
struct Chooser<'a> {
    tier: Tier,
    nodes: &'a Nodes<'a>,
    candidates: Keys,
    levels: Buffer<u8>,
    base: Buffer<f32>,
    x: Buffer<f32>,
    /// Those that are chosen, `[most, D]`.
    kept: Buffer<f32>,
    chosen: Buffer<u32>,
    count: usize,
}

impl<'a> Chooser<'a> {
    /// Among `candidates`, for rows of `most`.
    fn new(tier: Tier, nodes: &'a Nodes<'a>, candidates: usize, most: usize) -> Result<Self> {
        let d = nodes.dimension;
        Ok(Self {
            tier,
            nodes,
            candidates: Keys::new(candidates)?,
            levels: Buffer::zeroed(OP, d)?,
            base: Buffer::zeroed(OP, d)?,
            x: Buffer::zeroed(OP, d)?,
            kept: Buffer::zeroed(OP, checked_area(OP, most, d)?)?,
            chosen: Buffer::zeroed(OP, most)?,
            count: 0,
        })
    }

    /// All that a search found where there is room for more, else as algorithm 4 chooses.
    fn choose(&mut self, x: &[f32], found: &[u64], most: usize) {
        if found.len() < most {
            self.count = found.len();
            for (chosen, key) in self.chosen.iter_mut().zip(found) {
                *chosen = id_of(*key);
            }
        } else {
            self.base.copy_from_slice(x);
            self.thin_out(&mut found.iter().map(|key| id_of(*key)), most);
        }
    }

    /// The same for a node that is there.
    fn choose_for(&mut self, node: u32, ids: &mut dyn Iterator<Item = u32>, most: usize) {
        self.nodes.decode(node, &mut self.levels, &mut self.base);
        self.thin_out(ids, most);
    }

    /// The nearest to the base first, each unless one that was kept is nearer to it than the base is.
    #[inline(never)]
    fn thin_out(&mut self, ids: &mut dyn Iterator<Item = u32>, most: usize) {
        let (tier, nodes) = (self.tier, self.nodes);
        let distance = |a: &[f32], b: &[f32]| distance(tier, nodes, a, b);
        self.candidates.clear(usize::MAX);
        for id in ids {
            nodes.decode(id, &mut self.levels, &mut self.x);
            self.candidates.offer(key(distance(&self.base, &self.x), id));
        }
        self.count = 0;
        let d = nodes.dimension;
        for candidate in self.candidates.keys() {
            if self.count == most {
                break;
            }
            nodes.decode(id_of(*candidate), &mut self.levels, &mut self.x);
            let to_base = score_of(*candidate);
            let mut kept = self.kept.chunks_exact(d).take(self.count);
            if kept.any(|kept| distance(&self.x, kept) < to_base) {
                continue;
            }
            self.kept[self.count * d..][..d].copy_from_slice(&self.x);
            self.chosen[self.count] = id_of(*candidate);
            self.count += 1;
        }
    }
}

/// Between decoded vectors.
#[inline(never)]
fn distance(tier: Tier, nodes: &Nodes<'_>, a: &[f32], b: &[f32]) -> f32 {
    flat_scan::score(tier, nodes.metric, a, Row::Floats(b))
}
