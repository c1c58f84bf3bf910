//! A graph of the nearest, by which a search looks at a few hundred vectors instead of all: hierarchical navigable small worlds
//! (Malkov, Yashunin 2018, arXiv 1603.09320), over vectors as other families store them.
//!
//! ```text
//! places  u32 [n + 1]      how many rows of upper levels nodes before this one have: node i is in levels 0 .. places[i + 1] - places[i]
//! base    u32 [n][2 M]     neighbours in level 0, then u32::MAX
//! upper   u32 [rows][M]    neighbours in levels 1, 2 ... of node 0, then of node 1 ...
//! ```
//!
//! A node's level is drawn by an integer hash of seed and number: level l or more with probability M^-l. A node is linked to what a search of breadth `ef` finds in each of its levels, 2 M of
//! them in level 0 and M above, chosen by the paper's algorithm 4 where there are as many; a neighbour whose row is full chooses anew. So far it is Faiss' `IndexHNSW`, with which it shares what
//! parameters mean; the nearest found in one level is where the next begins, as in hnswlib.
//!
//! A new node's distances are between its floats and codes; those by which a row is thinned out are between vectors as they are decoded, so that all of them are of one kind.
//! Everything is ordered by (score, number), and scores are those of the families' scans: every tier builds the same graph and finds the same.
//!
//! **Cost.** Per expanded node a look-up of up to 2 M bits, and one call for the scores of all its neighbours that are new. At D = 384 floats, M = 32 and ef = 64 of 12,000 vectors some 900 scores a query.
//!
//! **Dropped.** Two heaps, as papers have it: one sorted row of ef keys, where what is expanded is marked, holds both; at ef = 64 an insertion moves 256 bytes on average.

use core::ops::Range;

use crate::error::{ErrorCode, KernelError, Op, Result, What, check_range, check_shape, checked_area};
use crate::top_k::NO_ID;

mod beam;
mod insert;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod nodes;
mod search;

pub use crate::pq_tables::Metric;
pub use insert::{Insertion, insert};
pub use nodes::{Nodes, Stored};
pub use search::{Sought, search};

const OP: Op = Op::Hnsw;

/// Levels above 0 at most.
pub const MAX_LEVEL: usize = 24;

/// Neighbours in upper levels, M, at most.
pub const MAX_LINKS: usize = 256;

/// Breadth of a search at most.
pub const MAX_BREADTH: usize = 1 << 16;

/// Nodes at most: their numbers share a word with a mark.
pub const MAX_NODES: usize = 1 << 30;

/// A graph to search.
#[derive(Clone, Copy, Debug)]
pub struct Graph<'a> {
    /// M: 2 to [`MAX_LINKS`].
    pub links: usize,
    /// `[n + 1]`
    pub places: &'a [u32],
    /// `[n, 2 M]`
    pub base: &'a [u32],
    /// `[places[n], M]`
    pub upper: &'a [u32],
}

/// A graph that grows.
#[derive(Debug)]
pub struct GraphMut<'a> {
    /// As in [`Graph`].
    pub links: usize,
    /// As in [`Graph`].
    pub places: &'a [u32],
    /// As in [`Graph`].
    pub base: &'a mut [u32],
    /// As in [`Graph`].
    pub upper: &'a mut [u32],
}

impl GraphMut<'_> {
    fn view(&self) -> Graph<'_> {
        Graph { links: self.links, places: self.places, base: self.base, upper: self.upper }
    }

    /// The row of a node in a level.
    fn row_mut(&mut self, node: u32, level: usize) -> &mut [u32] {
        let range = self.view().range(node, level);
        if level == 0 { &mut self.base[range] } else { &mut self.upper[range] }
    }
}

impl Graph<'_> {
    /// Nodes, n.
    pub const fn nodes(&self) -> usize {
        self.places.len().saturating_sub(1)
    }

    /// The highest level that a node is in.
    fn level(&self, node: u32) -> usize {
        (self.places[node as usize + 1] - self.places[node as usize]) as usize
    }

    /// Neighbours of a node in a level at most.
    const fn width(&self, level: usize) -> usize {
        if level == 0 { 2 * self.links } else { self.links }
    }

    #[inline(always)]
    fn range(&self, node: u32, level: usize) -> Range<usize> {
        let width = self.width(level);
        let row = if level == 0 { node as usize } else { self.places[node as usize] as usize + level - 1 };
        row * width..(row + 1) * width
    }

    /// The neighbours of a node in a level, and what is free behind them.
    #[inline(always)]
    fn row(&self, node: u32, level: usize) -> &[u32] {
        let range = self.range(node, level);
        if level == 0 { &self.base[range] } else { &self.upper[range] }
    }

    /// Refuses lengths that do not fit each other, which is cheap.
    fn check_lengths(&self) -> Result<()> {
        check_range(OP, What::Links, 2, MAX_LINKS as i64, self.links as i64)?;
        check_range(OP, What::Rows, 0, MAX_NODES as i64, self.places.len() as i64 - 1)?;
        check_shape(OP, What::Ids, checked_area(OP, self.nodes(), 2 * self.links)?, self.base.len())?;
        let rows = self.places.last().map_or(0, |rows| *rows as usize);
        check_shape(OP, What::Ids, checked_area(OP, rows, self.links)?, self.upper.len())
    }

    /// Refuses a graph that a search could leave: for one that comes from outside.
    ///
    /// `entry`: where searches begin, a node of the highest level; of no meaning where there are no nodes.
    pub fn check(&self, entry: u32) -> Result<()> {
        self.check_lengths()?;
        check_shape(OP, What::Positions, 0, self.places[0] as usize)?;
        for pair in self.places.windows(2) {
            check_range(OP, What::Level, 0, MAX_LEVEL as i64, i64::from(pair[1]) - i64::from(pair[0]))?;
        }
        let n = self.nodes();
        if n == 0 {
            return Ok(());
        }
        check_range(OP, What::Ids, 0, n as i64 - 1, i64::from(entry))?;
        let top = self.level(entry);
        for node in 0..n as u32 {
            check_range(OP, What::Level, 0, top as i64, self.level(node) as i64)?;
            for level in 0..=self.level(node) {
                let row = self.row(node, level);
                let end = row.iter().position(|id| *id == NO_ID).unwrap_or(row.len());
                let reached = |id: &u32| (*id as usize) < n && self.level(*id) >= level;
                let wrong =
                    row[..end].iter().find(|id| !reached(id)).or(row[end..].iter().find(|id| **id != NO_ID));
                if let Some(id) = wrong {
                    return Err(KernelError::new(
                        ErrorCode::Range,
                        OP,
                        What::Ids,
                        n as i64 - 1,
                        i64::from(*id),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Draws the levels of nodes `first` .. n.
///
/// - `places`: `[n + 1]`, of which those up to `first` are there
///
/// Refuses M out of range and `first` beyond n.
pub fn draw_levels(seed: u32, links: usize, first: usize, places: &mut [u32]) -> Result<()> {
    check_range(OP, What::Links, 2, MAX_LINKS as i64, links as i64)?;
    check_range(OP, What::Rows, 0, MAX_NODES as i64, places.len() as i64 - 1)?;
    check_range(OP, What::Rows, 0, places.len() as i64 - 1, first as i64)?;
    for node in first..places.len() - 1 {
        places[node + 1] = places[node] + level_of(seed, node as u64, links) as u32;
    }
    Ok(())
}

/// By `SplitMix64` of the position in the seed's sequence.
fn level_of(seed: u32, node: u64, links: usize) -> usize {
    let mut z = u64::from(seed) << 32;
    z = z.wrapping_add((node + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    let mut limit = u64::MAX / links as u64;
    let mut level = 0;
    while z < limit && level < MAX_LEVEL {
        limit /= links as u64;
        level += 1;
    }
    level
}
