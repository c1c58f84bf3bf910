//! Runs as units that are computed independently of each other: all of them by one call, or shared out by [`crate::parallel`].

use core::ops::Range;
use core::{ptr, slice};

use lowbit_kernels::buffer::{Arena, Element};
use lowbit_kernels::error::Result;
use lowbit_kernels::output::{OutputKind, OutputMut};

use crate::memory::with_scratch;

/// Rows or pixels that micro-kernels take at a time, in all families.
pub(crate) const GRAIN: usize = 4;

/// An object whose run falls into units that are computed independently of each other: rows of a product, pixels of a convolution.
pub(crate) trait Parallel: Sync {
    /// Checks the operands of a whole run, as the object's own `run` does.
    fn prepare(&self, x: usize, y: usize, count: usize) -> Result<Work>;

    /// Computes some units.
    ///
    /// # Safety
    /// `work` is from [`Self::prepare`] of this object, and its operands still live; `units` lie below `work.units`, and nobody else uses their y
    /// nor writes x meanwhile.
    unsafe fn run(&self, work: &Work, units: Range<usize>, scratch: Arena<'_>);
}

/// A run whose operands were checked.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "threads"),
    expect(dead_code, reason = "who runs all units needs not know how to cut them")
)]
pub(crate) struct Work {
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// Rows or images, as the object's `run` counts.
    pub(crate) count: usize,
    pub(crate) units: usize,
    /// Units that a kernel takes at a time, and the fewest that still use it well.
    pub(crate) block: usize,
    pub(crate) grain: usize,
    /// Of one call of [`Parallel::run`].
    pub(crate) scratch_lines: usize,
}

/// All of a run, on the calling thread.
pub(crate) fn run_whole(object: &dyn Parallel, x: usize, y: usize, count: usize) -> Result<()> {
    let work = object.prepare(x, y, count)?;
    // SAFETY: prepared for these operands, all units by this thread alone.
    with_scratch(|scratch| unsafe { object.run(&work, 0..work.units, scratch) });
    Ok(())
}

/// `len` elements from element `start` of the array at `address`.
///
/// # Safety
/// They lie in a live block, aligned, and nobody writes them while the slice lives.
pub(crate) unsafe fn input<'a, T: Element>(address: usize, start: usize, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as the caller says; blocks are initialised and any bits make an `Element`.
    unsafe { slice::from_raw_parts(ptr::with_exposed_provenance::<T>(address).add(start), len) }
}

/// `len` output elements (for bits: words) from element `start` of the array at `address`.
///
/// # Safety
/// They lie in a live block, aligned, and nobody else uses them while the slice lives.
pub(crate) unsafe fn output<'a>(kind: OutputKind, address: usize, start: usize, len: usize) -> OutputMut<'a> {
    /// # Safety
    /// As [`output`].
    unsafe fn at<'a, T: Element>(address: usize, start: usize, len: usize) -> &'a mut [T] {
        if len == 0 {
            return &mut [];
        }
        // SAFETY: as the caller says; blocks are initialised and any bits make an `Element`.
        unsafe { slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut::<T>(address).add(start), len) }
    }
    // SAFETY: as the caller says.
    unsafe {
        match kind {
            OutputKind::I32 => OutputMut::I32(at(address, start, len)),
            OutputKind::F32 => OutputMut::F32(at(address, start, len)),
            OutputKind::Int8 => OutputMut::Int8(at(address, start, len)),
            OutputKind::Bits => OutputMut::Bits(at(address, start, len)),
        }
    }
}
