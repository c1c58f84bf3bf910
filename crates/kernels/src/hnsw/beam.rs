//! The search of one level, and the sorted rows of keys that it and the choice of neighbours are made of.

use super::nodes::{Nodes, Query};
use super::{Graph, OP};
use crate::buffer::Buffer;
use crate::error::Result;
use crate::layout::WORD_BITS;
use crate::tier::Tier;
use crate::top_k::{NO_ID, Score};

/// Whether a node's neighbours were looked at.
const EXPANDED: u64 = 1;

/// A node and its score, in the order of (score, number).
pub(super) fn key(score: f32, id: u32) -> u64 {
    u64::from(score.ordered()) << 32 | u64::from(id) << 1
}

pub(super) const fn id_of(key: u64) -> u32 {
    key as u32 >> 1
}

pub(super) fn score_of(key: u64) -> f32 {
    f32::from_ordered((key >> 32) as u32)
}

/// The smallest of some keys, in order.
pub(super) struct Keys {
    row: Buffer<u64>,
    len: usize,
    most: usize,
}

impl Keys {
    /// Room for `most`, which [`Self::clear`] may cut.
    pub(super) fn new(most: usize) -> Result<Self> {
        Ok(Self { row: Buffer::zeroed(OP, most)?, len: 0, most })
    }

    /// Empty, of at most `most`.
    pub(super) fn clear(&mut self, most: usize) {
        (self.len, self.most) = (0, most.min(self.row.len()));
    }

    pub(super) fn keys(&self) -> &[u64] {
        &self.row[..self.len]
    }

    /// Where the key was put, if it is among the smallest.
    #[inline(never)]
    pub(super) fn offer(&mut self, key: u64) -> Option<usize> {
        let full = self.len == self.most;
        if full && self.keys().last().is_none_or(|last| key >= *last) {
            return None;
        }
        let at = self.keys().partition_point(|other| *other < key);
        self.len += usize::from(!full);
        let end = self.len - 1;
        self.row.copy_within(at..end, at + 1);
        self.row[at] = key;
        Some(at)
    }
}

/// Nodes that were met, as bits; so many as `met` holds are taken back one by one.
struct Visited {
    words: Buffer<u32>,
    met: Buffer<u32>,
    count: usize,
}

impl Visited {
    /// Whether it is met for the first time.
    #[inline(always)]
    fn meet(&mut self, id: u32) -> bool {
        let (word, bit) = (&mut self.words[id as usize / WORD_BITS], 1 << (id as usize % WORD_BITS));
        let first = *word & bit == 0;
        if first {
            *word |= bit;
            if let Some(met) = self.met.get_mut(self.count) {
                *met = id;
            }
            self.count += 1;
        }
        first
    }

    fn clear(&mut self) {
        if self.count > self.met.len() {
            self.words.fill(0);
        } else {
            for id in &self.met[..self.count] {
                self.words[*id as usize / WORD_BITS] = 0;
            }
        }
        self.count = 0;
    }
}

/// Nodes met that are remembered one by one.
const REMEMBERED: usize = 4096;

/// Memory for searches of a graph.
pub(super) struct Beam {
    pub(super) found: Keys,
    visited: Visited,
    /// `[2 M]` each.
    batch: Buffer<u32>,
    scores: Buffer<f32>,
}

impl Beam {
    #[inline(never)]
    pub(super) fn new(graph: &Graph<'_>, breadth: usize) -> Result<Self> {
        let words = Buffer::zeroed(OP, graph.nodes().div_ceil(WORD_BITS))?;
        Ok(Self {
            found: Keys::new(breadth)?,
            visited: Visited { words, met: Buffer::zeroed(OP, REMEMBERED)?, count: 0 },
            batch: Buffer::zeroed(OP, 2 * graph.links)?,
            scores: Buffer::zeroed(OP, 2 * graph.links)?,
        })
    }

    /// Leaves in `found` the nearest that are reached from `entry` with a row of `breadth` (algorithm 2 of the paper).
    #[inline(never)]
    pub(super) fn search(
        &mut self,
        tier: Tier,
        graph: &Graph<'_>,
        nodes: &Nodes<'_>,
        query: &Query<'_>,
        from: Step,
    ) {
        let Step { entry, level, breadth } = from;
        self.visited.clear();
        self.found.clear(breadth);
        self.visited.meet(entry);
        let first = &mut self.scores[..1];
        nodes.score(tier, query, &[entry], first);
        self.found.offer(key(first[0], entry));
        let mut next = 0;
        while let Some(nearest) = self.found.keys().get(next).copied() {
            if nearest & EXPANDED != 0 {
                next += 1;
                continue;
            }
            self.found.row[next] |= EXPANDED;
            let mut new = 0;
            for id in graph.row(id_of(nearest), level) {
                if *id == NO_ID {
                    break;
                }
                if self.visited.meet(*id) {
                    self.batch[new] = *id;
                    new += 1;
                }
            }
            let (batch, scores) = (&self.batch[..new], &mut self.scores[..new]);
            nodes.score(tier, query, batch, scores);
            for (id, score) in batch.iter().zip(&*scores) {
                if let Some(at) = self.found.offer(key(*score, *id)) {
                    next = next.min(at);
                }
            }
        }
    }

    /// The nearest of the last search.
    pub(super) fn nearest(&self) -> u32 {
        self.found.keys().first().map_or(NO_ID, |key| id_of(*key))
    }
}

/// What a search of one level begins with.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) entry: u32,
    pub(super) level: usize,
    pub(super) breadth: usize,
}

/// From `entry` down to `level`, always to the nearest neighbour.
#[inline(never)]
pub(super) fn descend(
    beam: &mut Beam,
    tier: Tier,
    graph: &Graph<'_>,
    nodes: &Nodes<'_>,
    query: &Query<'_>,
    (entry, level): (u32, usize),
) -> u32 {
    let mut at = entry;
    for level in (level + 1..=graph.level(entry)).rev() {
        beam.search(tier, graph, nodes, query, Step { entry: at, level, breadth: 1 });
        at = beam.nearest();
    }
    at
}
