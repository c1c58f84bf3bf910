//! The oracle: the paper's algorithms on lists and sets, with distances from outside.

use alloc::collections::{BTreeMap, BTreeSet};

/// A distance and a number, in the order of the search.
type Near = (f32, u32);

fn order(a: Near, b: Near) -> core::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Neighbours by (node, level).
#[derive(Debug, Default)]
pub struct Naive {
    /// M
    pub links: usize,
    /// The highest level of each node.
    pub levels: Vec<usize>,
    /// Where searches begin.
    pub entry: u32,
    /// By node and level.
    pub neighbours: BTreeMap<(u32, usize), Vec<u32>>,
}

impl Naive {
    const fn width(&self, level: usize) -> usize {
        if level == 0 { 2 * self.links } else { self.links }
    }

    /// Algorithm 2: C is what is left to look at, W what was found.
    fn search_level(
        &self,
        distance: &dyn Fn(u32) -> f32,
        entry: u32,
        level: usize,
        breadth: usize,
    ) -> Vec<Near> {
        let mut visited = BTreeSet::from([entry]);
        let mut left = vec![(distance(entry), entry)];
        let mut found = left.clone();
        while !left.is_empty() {
            left.sort_by(|a, b| order(*a, *b));
            let nearest = left.remove(0);
            if found.len() == breadth && order(nearest, found[breadth - 1]).is_gt() {
                break;
            }
            for &id in &self.neighbours[&(nearest.1, level)] {
                if visited.insert(id) {
                    let near = (distance(id), id);
                    if found.len() < breadth || order(near, found[breadth - 1]).is_lt() {
                        left.push(near);
                        found.push(near);
                        found.sort_by(|a, b| order(*a, *b));
                        found.truncate(breadth);
                    }
                }
            }
        }
        found
    }

    /// Algorithm 5, without a filter: the `breadth` nearest that are reached.
    pub fn search(&self, distance: &dyn Fn(u32) -> f32, breadth: usize) -> Vec<Near> {
        let mut at = self.entry;
        for level in (1..=self.levels[at as usize]).rev() {
            at = self.search_level(distance, at, level, 1)[0].1;
        }
        self.search_level(distance, at, 0, breadth)
    }

    /// Algorithm 4, of candidates in order of distance.
    fn thin_out(mut candidates: Vec<Near>, most: usize, between: &dyn Fn(u32, u32) -> f32) -> Vec<u32> {
        candidates.sort_by(|a, b| order(*a, *b));
        let mut kept: Vec<u32> = Vec::new();
        for (distance, id) in candidates {
            if kept.len() < most && kept.iter().all(|other| between(id, *other) >= distance) {
                kept.push(id);
            }
        }
        kept
    }

    /// Algorithm 1: a node of that level behind those that are there.
    pub fn insert(&mut self, level: usize, breadth: usize, between: &dyn Fn(u32, u32) -> f32) {
        let node = self.levels.len() as u32;
        self.levels.push(level);
        for level in 0..=level {
            self.neighbours.insert((node, level), Vec::new());
        }
        if node == 0 {
            return;
        }
        let top = self.levels[self.entry as usize];
        let distance = |id| between(node, id);
        let mut at = self.entry;
        for level in (level + 1..=top).rev() {
            at = self.search_level(&distance, at, level, 1)[0].1;
        }
        for level in (0..=level.min(top)).rev() {
            let found = self.search_level(&distance, at, level, breadth);
            at = found[0].1;
            let most = self.width(level);
            let chosen = if found.len() < most {
                found.iter().map(|near| near.1).collect()
            } else {
                Self::thin_out(found, most, between)
            };
            for &other in &chosen {
                let row = self.neighbours.get_mut(&(other, level)).expect("a node of the level");
                row.push(node);
                if row.len() > most {
                    let candidates = row.iter().map(|&id| (between(other, id), id)).collect();
                    *row = Self::thin_out(candidates, most, between);
                }
            }
            self.neighbours.insert((node, level), chosen);
        }
        if level > top {
            self.entry = node;
        }
    }
}
