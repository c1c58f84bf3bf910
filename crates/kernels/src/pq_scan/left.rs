//! Codes of a stretch that are left.

use core::cell::RefCell;

/// Codes that are looked through at a time; the worst candidate is then looked at anew.
pub(super) const STRETCH: usize = 2048;

/// So many codes are seen through at once.
pub(super) const FEW: usize = 16;

/// Positions, with a sum for each.
pub(super) struct Left {
    pub(super) count: usize,
    pub(super) positions: [u32; STRETCH],
    pub(super) sums: [f32; STRETCH],
}

thread_local! {
    static LEFT: RefCell<Left> =
        const { RefCell::new(Left { count: 0, positions: [0; STRETCH], sums: [0.0; STRETCH] }) };
}

impl Left {
    /// Calls `scan` with the list of this thread.
    pub(super) fn with(scan: impl FnOnce(&mut Self)) {
        LEFT.with_borrow_mut(scan);
    }

    /// Writes it down in any case, and counts it where it stays: a branch would be mispredicted for most that do.
    #[inline(always)]
    pub(super) fn keep(&mut self, position: usize, sum: f32, stays: bool) {
        let at = self.count % STRETCH;
        self.positions[at] = position as u32;
        self.sums[at] = sum;
        self.count += usize::from(stays);
    }

    #[inline(always)]
    pub(super) fn push(&mut self, position: usize, sum: f32) {
        self.keep(position, sum, true);
    }
}
