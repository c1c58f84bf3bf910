//! The k best candidates of a scan, and which candidates a scan considers.
//!
//! Every scan seeks the *smallest* score (tables of inner products are negated, see [`crate::pq_tables`]). A candidate is one 64-bit key, its score in the
//! order of unsigned integers above its id:
//!
//! ```text
//! bit 63          32 31           0
//!     [ score, ordered | id       ]      the smaller key is the better candidate; ties of scores go to the lowest id
//! ```
//!
//! so a heap of keys is exact and deterministic whatever the order in which candidates arrive: lists, segments and threads may be scanned into one or into
//! several. The keys are plain memory of the caller: [`clear`], then any number of scans, then [`finish`], which sorts them and takes them apart.
//!
//! A heap and not a reservoir that is cut by selection now and then: at k = 1000 of a million the pushes are a few percent of the scan, and selection would
//! bring kilobytes of code.

use crate::error::{KernelError, Op, Result, What, check_range, check_shape};
use crate::layout::WORD_BITS;

const OP: Op = Op::TopK;

/// What k may be at most.
pub const MAX_K: usize = 1 << 20;

/// The id of a place that no candidate took: -1 as an int32.
pub const NO_ID: u32 = u32::MAX;

/// A key above that of every candidate.
const EMPTY: u64 = u64::MAX;

/// What candidates are ranked by.
pub trait Score: Copy {
    /// The value as an unsigned number in the same order; below `u32::MAX`.
    fn ordered(self) -> u32;
    /// Back. `u32::MAX` becomes the score of an empty place, which is above every other.
    fn from_ordered(ordered: u32) -> Self;
}

/// Finite or infinite; -0 equals +0. An empty place holds +infinity.
impl Score for f32 {
    #[inline(always)]
    fn ordered(self) -> u32 {
        // Adding 0 makes +0 of -0.
        let bits = (self + 0.0).to_bits();
        bits ^ ((bits as i32 >> 31) as u32 | 1 << 31)
    }

    #[inline(always)]
    fn from_ordered(ordered: u32) -> Self {
        if ordered == u32::MAX {
            return Self::INFINITY;
        }
        let mask = if ordered >> 31 == 1 { 1 << 31 } else { u32::MAX };
        Self::from_bits(ordered ^ mask)
    }
}

/// 0 or more. An empty place holds `i32::MAX`.
impl Score for i32 {
    #[inline(always)]
    fn ordered(self) -> u32 {
        self as u32
    }

    #[inline(always)]
    fn from_ordered(ordered: u32) -> Self {
        ordered.min(Self::MAX as u32) as Self
    }
}

/// The heap while a scan fills it.
pub struct TopK<'a> {
    /// A max-heap: the first key is the worst.
    keys: &'a mut [u64],
}

impl<'a> TopK<'a> {
    /// Over keys that [`clear`] or an earlier scan left.
    ///
    /// Refuses k of 0 or above [`MAX_K`].
    pub fn new(keys: &'a mut [u64]) -> Result<Self> {
        check_range(OP, What::Best, 1, MAX_K as i64, keys.len() as i64)?;
        Ok(Self { keys })
    }

    /// The score that a candidate must not exceed; that of an empty place while there is one.
    #[inline(always)]
    pub fn worst<S: Score>(&self) -> S {
        S::from_ordered((self.keys[0] >> 32) as u32)
    }

    /// Whether every place is taken.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.keys[0] != EMPTY
    }

    /// Takes the candidate in where it is better than the worst.
    #[inline(never)]
    pub fn push<S: Score>(&mut self, score: S, id: u32) {
        let key = u64::from(score.ordered()) << 32 | u64::from(id);
        if key < self.keys[0] {
            sift(self.keys, key);
        }
    }
}

/// Puts `key` in the place of the first and restores the heap.
fn sift(keys: &mut [u64], key: u64) {
    let mut at = 0;
    loop {
        let mut child = 2 * at + 1;
        if child + 1 < keys.len() && keys[child + 1] > keys[child] {
            child += 1;
        }
        if child >= keys.len() || keys[child] <= key {
            break;
        }
        keys[at] = keys[child];
        at = child;
    }
    keys[at] = key;
}

/// Makes every place empty.
pub fn clear(keys: &mut [u64]) {
    keys.fill(EMPTY);
}

/// Takes the keys apart, best first: ids ([`NO_ID`] in places that stayed empty) and scores. The keys are a heap no longer: [`clear`] comes next.
///
/// Refuses lengths that differ.
pub fn finish<S: Score>(keys: &mut [u64], ids: &mut [u32], scores: &mut [S]) -> Result<()> {
    TopK::new(keys)?;
    check_shape(OP, What::Length, keys.len(), ids.len())?;
    check_shape(OP, What::Length, keys.len(), scores.len())?;
    for end in (1..keys.len()).rev() {
        let last = keys[end];
        keys[end] = keys[0];
        sift(&mut keys[..end], last);
    }
    for ((key, id), score) in keys.iter().zip(ids).zip(scores) {
        *id = *key as u32;
        *score = S::from_ordered((*key >> 32) as u32);
    }
    Ok(())
}

/// Which positions of a scan count, and their ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// The id of position 0 where there is no `ids`.
    pub first: u32,
    /// `[n]`: the id of every position; empty: `first + position`.
    pub ids: &'a [u32],
    /// Bit `id % 32` of word `id / 32` is 1 where the id may be found; ids beyond its words may not. Absent: all may.
    pub filter: Option<&'a [u32]>,
}

impl Selection<'_> {
    /// Refuses ids of another number than `n`, and ids that would reach [`NO_ID`].
    pub fn check(&self, op: Op, n: usize) -> Result<()> {
        if !self.ids.is_empty() {
            return check_shape(op, What::Ids, n, self.ids.len());
        }
        check_range(op, What::Ids, 0, i64::from(NO_ID), i64::from(self.first) + n as i64)
            .map_err(|error| KernelError { expected: i64::from(NO_ID), ..error })
    }

    /// The id of a position.
    #[inline(always)]
    fn id(&self, position: usize) -> u32 {
        self.ids.get(position).copied().unwrap_or_else(|| self.first.wrapping_add(position as u32))
    }

    /// The id of a position that counts.
    #[inline(always)]
    pub fn find(&self, position: usize) -> Option<u32> {
        let id = self.id(position);
        match self.filter {
            None => Some(id),
            Some(words) => {
                let word = words.get(id as usize / WORD_BITS).copied().unwrap_or(0);
                (word >> (id as usize % WORD_BITS) & 1 == 1).then_some(id)
            }
        }
    }

    /// Whether one of the 32 positions from `position` on may count. Cheap, so that scans can pass over what a filter leaves out; with ids of their own
    /// positions are asked one by one, by [`Selection::find`].
    #[inline(always)]
    pub fn any(&self, position: usize) -> bool {
        let Some(words) = self.filter else { return true };
        if !self.ids.is_empty() {
            return true;
        }
        let id = self.first as usize + position;
        let word = |at: usize| words.get(at).copied().unwrap_or(0);
        let pair = u64::from(word(id / WORD_BITS)) | u64::from(word(id / WORD_BITS + 1)) << WORD_BITS;
        (pair >> (id % WORD_BITS)) as u32 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_scores() {
        let scores = [f32::NEG_INFINITY, f32::MIN, -1.5, -1e-45, 0.0, 1e-45, 1.0, f32::MAX, f32::INFINITY];
        for pair in scores.windows(2) {
            assert!(pair[0].ordered() < pair[1].ordered(), "{pair:?}");
        }
        for score in scores {
            assert_eq!(f32::from_ordered(score.ordered()).to_bits(), score.to_bits());
            assert!(score.ordered() < u32::MAX);
        }
        assert_eq!((-0.0_f32).ordered(), 0.0_f32.ordered());
        assert_eq!((f32::from_ordered(u32::MAX), i32::from_ordered(u32::MAX)), (f32::INFINITY, i32::MAX));
        assert_eq!(i32::from_ordered((1 << 20).ordered()), 1 << 20);
    }

    #[test]
    fn any_order_of_arrival_gives_the_same() {
        let mut random = crate::testing::Random::new(9);
        let mut candidates: Vec<(i32, u32)> = (0..500).map(|id| (random.int(0, 20), id)).collect();
        for k in [1, 2, 7, 499, 500, 501] {
            for _ in 0..3 {
                for i in (1..candidates.len()).rev() {
                    candidates.swap(i, random.int(0, i as i32) as usize);
                }
                let mut keys = vec![0; k];
                clear(&mut keys);
                let mut top = TopK::new(&mut keys).unwrap();
                for (score, id) in &candidates {
                    top.push(*score, *id);
                }
                assert_eq!(top.is_full(), k <= 500);
                let (mut ids, mut scores) = (vec![0; k], vec![0; k]);
                finish(&mut keys, &mut ids, &mut scores).unwrap();
                let mut expected = candidates.clone();
                expected.sort_unstable();
                expected.resize(expected.len().max(k), (i32::MAX, NO_ID));
                assert_eq!(scores.into_iter().zip(ids).collect::<Vec<_>>(), expected[..k]);
            }
        }
    }

    #[test]
    fn lengths_and_k_are_checked() {
        let text = |result: Result<()>| result.map_err(|error| error.to_string());
        let finish = |keys: &mut [u64], ids: &mut [u32]| text(finish(keys, ids, &mut [0_i32]));
        assert_eq!(
            finish(&mut [], &mut [0]),
            Err("Range: top_k: best to keep (k), expected 1, got 0".into())
        );
        assert_eq!(
            finish(&mut [0], &mut [0; 2]),
            Err("Shape: top_k: length in elements, expected 1, got 2".into())
        );
    }
}
