//! The order in which long arrays are read: from four places in turn.
//!
//! One place after another, memory is read slower than it can be: hardware fetches ahead within a page, and begins anew in the next. In V8 13.6 on an x64 of Intel, distances of 1,024 bits
//! from codes of 128 MB, and sums of the same bytes:
//!
//! | read | distances, GB/s | sums, GB/s |
//! |---|---|---|
//! | from one place on | 6.8 | 10.6 |
//! | from two in turn | 9.9 | 12.6 |
//! | from four | 12.3 | 13.5 |
//! | from eight | 11.8 | 13.5 |
//!
//! Of four, 256, 512 and 1,024 bytes at a time are as good as 128: 0.98, 0.96 and 0.88 of it. Touching what comes 1 or 4 KiB later in one place: 6.8, no gain.
//!
//! Whole kernels, old and new in turn: flat scans of floats took 0.76 of their time, of bytes 0.90, `RaBitQ` of 4 bits 0.85, single rows by 16 MiB of int8 0.85 and by 8 MiB of int4 0.73.
//! Scans of 4-bit codes took 1.06 to 1.15, so they go on from one place. So do Hamming scans: of random codes those of 1,024 bits took 0.60 and of 384 0.65, but an index of
//! 384 bits, to whose memory one place gave more, took 1.3.
//!
//! On an x64 of AMD (Zen 3) it depends on where a process' memory lies: single rows by 16 MiB of int8 took 0.73 to 0.85 of their time in most processes and 1.1 to 1.5 in some, by 8 MiB of
//! int4 0.92 to 1.45, by ternary weights 0.85 to 1.2. Less often with 4 KiB to a turn, but then less is won as well (0.9). Four neighbouring panels in place of quarters: int8 0.94 to 1.17,
//! ternary weights up to 2.5, where four columns share a page.

use core::ops::Range;

use crate::top_k::Selection;

/// Places that are read in turn.
pub(crate) const PLACES: usize = 4;

/// Bytes of weights from which a product of few rows takes turns: about what a second-level cache holds. Less is read as fast from one place on, without sums that wait in memory.
pub(crate) const FROM_MEMORY: usize = 2 << 20;

/// Bytes that are read from one place before it is another's turn, about. As many as cost little of what turns give, so that a turn costs little of what it reads.
const BYTES: usize = 512;

/// The order of a scan over blocks of one size: step by step, from 0 on, each block once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    /// A turn reads 2 to the power of this many blocks.
    bits: u32,
    /// Turns that a place has.
    each: usize,
}

impl Turns {
    /// From the first block to the last: where they are to be met in their order, or a filter passes over many.
    const IN_ORDER: Self = Self { bits: 0, each: 0 };

    /// For `count` blocks of `size` bytes, `least` of them (a power of two) at a time or more. What does not fill four turns comes last.
    const fn of(count: usize, size: usize, least: usize) -> Self {
        let read = BYTES / size;
        let bits = if read > least { read.ilog2() } else { least.ilog2() };
        Self { bits, each: (count >> bits) / PLACES }
    }

    /// The same of what may be passed over: in order where there is a filter, which passes over neighbours together.
    pub(crate) const fn through(selection: &Selection<'_>, count: usize, size: usize, least: usize) -> Self {
        if selection.filter.is_none() { Self::of(count, size, least) } else { Self::IN_ORDER }
    }

    /// The blocks, side by side, that step `at` and those behind it read, as far as their turn goes and no further than `end`.
    #[inline(always)]
    pub(crate) fn blocks(self, at: usize, end: usize) -> Range<usize> {
        let turn = at >> self.bits;
        if turn >= PLACES * self.each {
            return at..end;
        }
        let (of_turn, within) = (1 << self.bits, at & ((1 << self.bits) - 1));
        let first = ((turn % PLACES * self.each + turn / PLACES) << self.bits) + within;
        first..first + (of_turn - within).min(end - at)
    }
}

/// How far the places of `count` panels are apart: a quarter of them, made odd. Matrices have sizes that are powers of two, and bytes as far apart share a set of a cache and a bank of memory.
pub(crate) const fn quarter(count: usize) -> usize {
    count.div_ceil(PLACES) | 1
}

/// Calls `visit` with each of `parts` parts of each of `count` panels, in their order, from up to four panels in turn: one from each quarter.
#[inline(always)]
pub(crate) fn by_quarters(count: usize, parts: usize, mut visit: impl FnMut(usize, usize)) {
    let quarter = quarter(count);
    for first in 0..quarter {
        for part in 0..parts {
            let mut panel = first;
            while panel < count {
                visit(panel, part);
                panel += quarter;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of every step, read at most `most` at a time.
    fn order(turns: Turns, count: usize, most: usize) -> Vec<usize> {
        let mut blocks = Vec::new();
        while blocks.len() < count {
            blocks.extend(turns.blocks(blocks.len(), count.min(blocks.len() + most)));
        }
        blocks
    }

    #[test]
    fn every_block_has_one_step() {
        for count in [0, 1, 3, 4, 15, 16, 17, 31, 1000] {
            for turns in [Turns::of(count, 48, 1), Turns::of(count, 4096, 1), Turns::of(count, 4096, 4)] {
                let mut blocks = order(turns, count, usize::MAX - count);
                assert_eq!(blocks, order(turns, count, 3));
                blocks.sort_unstable();
                assert!(blocks.into_iter().eq(0..count));
            }
            assert!(order(Turns::IN_ORDER, count, 32).into_iter().eq(0..count));
        }
    }

    #[test]
    fn places_take_turns() {
        let expected = [0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 16, 17, 18];
        assert_eq!(order(Turns::of(19, 256, 1), 19, 19), expected);
    }

    #[test]
    fn every_part_is_visited_after_those_before_it() {
        for count in [0, 1, 3, 4, 5, 17] {
            let mut next = vec![0; count];
            by_quarters(count, 3, |panel, part| {
                assert_eq!(next[panel], part);
                next[panel] += 1;
            });
            assert!(next.into_iter().all(|parts| parts == 3));
        }
    }
}
