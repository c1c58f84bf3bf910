//! Memory of the kernels: 64-byte aligned buffers, and the scratch arena that a run borrows.
//!
//! Every allocation is fallible and ends in a named [`Memory`](crate::error::ErrorCode::Memory) error, never in an abort.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::slice;

use crate::error::{KernelError, Op, Result};

/// One cache line; the unit of all storage here.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Line([u8; LINE_BYTES]);

/// Bytes of a [`Line`].
pub const LINE_BYTES: usize = 64;

mod sealed {
    pub trait Sealed {}
}

/// Plain numbers: any bit pattern is a value, no padding, alignment at most that of a [`Line`].
pub trait Element: Copy + Default + Send + Sync + 'static + sealed::Sealed {}

macro_rules! elements { ($($t:ty),*) => { $(impl sealed::Sealed for $t {} impl Element for $t {})* } }
elements!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, [u8; 16]);

/// Lines that hold `len` elements of type `T`.
pub const fn lines_for<T>(len: usize) -> usize {
    (len * size_of::<T>()).div_ceil(LINE_BYTES)
}

/// The lines as elements.
fn view<T: Element>(lines: &[Line], len: usize) -> &[T] {
    debug_assert!(lines_for::<T>(len) <= lines.len());
    let len = len.min(size_of_val(lines) / size_of::<T>());
    // SAFETY: the lines hold at least `len` elements, are aligned to 64 and initialised; any bits make an `Element`.
    unsafe { slice::from_raw_parts(lines.as_ptr().cast(), len) }
}

/// The lines as elements that may be written.
fn view_mut<T: Element>(lines: &mut [Line], len: usize) -> &mut [T] {
    debug_assert!(lines_for::<T>(len) <= lines.len());
    let len = len.min(size_of_val(lines) / size_of::<T>());
    // SAFETY: as in `view`, and the borrow is exclusive; every bit pattern that is written is valid in a `Line`.
    unsafe { slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), len) }
}

/// An owned slice of `T` whose start is aligned to 64 bytes.
pub struct Buffer<T: Element> {
    lines: Vec<Line>,
    len: usize,
    element: PhantomData<T>,
}

/// Lines for `bytes` bytes, all zero.
#[inline(never)]
fn zeroed_lines(op: Op, bytes: usize) -> Result<Vec<Line>> {
    let count = bytes.div_ceil(LINE_BYTES);
    let mut lines = Vec::new();
    lines.try_reserve_exact(count).map_err(|_| KernelError::memory(op, bytes))?;
    lines.resize(count, Line([0; LINE_BYTES]));
    Ok(lines)
}

impl<T: Element> Buffer<T> {
    /// `len` zeros.
    pub fn zeroed(op: Op, len: usize) -> Result<Self> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or(KernelError::memory(op, usize::MAX))?;
        Ok(Self { lines: zeroed_lines(op, bytes)?, len, element: PhantomData })
    }

    /// A copy of `values`.
    pub fn from_slice(op: Op, values: &[T]) -> Result<Self> {
        let mut buffer = Self::zeroed(op, values.len())?;
        buffer.copy_from_slice(values);
        Ok(buffer)
    }

    /// Bytes of storage.
    pub fn byte_len(&self) -> usize {
        self.lines.len() * LINE_BYTES
    }
}

impl<T: Element> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        view(&self.lines, self.len)
    }
}

impl<T: Element> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        view_mut(&mut self.lines, self.len)
    }
}

/// Working memory shared by all kernels of an instance. It grows when a kernel is made ([`Scratch::reserve`]), so that
/// a run allocates nothing.
#[derive(Default)]
pub struct Scratch {
    lines: Vec<Line>,
}

impl Scratch {
    /// Empty.
    pub const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// Makes room for at least `lines` lines.
    pub fn reserve(&mut self, op: Op, lines: usize) -> Result<()> {
        let missing = lines.saturating_sub(self.lines.len());
        if missing > 0 {
            let bytes = lines.saturating_mul(LINE_BYTES);
            self.lines.try_reserve_exact(missing).map_err(|_| KernelError::memory(op, bytes))?;
            self.lines.resize(lines, Line([0; LINE_BYTES]));
        }
        Ok(())
    }

    /// The whole of it, to take slices from.
    pub fn arena(&mut self) -> Arena<'_> {
        Arena { free: &mut self.lines }
    }
}

/// The part of a [`Scratch`] that is still free. A caller takes what it needs and lends the rest on.
pub struct Arena<'a> {
    free: &'a mut [Line],
}

impl<'a> Arena<'a> {
    /// The next `len` elements, on lines of their own; contents are unspecified.
    ///
    /// # Panics
    /// Where less was reserved, which is a bug in the kernel's `scratch_lines`.
    pub fn take<T: Element>(&mut self, len: usize) -> &'a mut [T] {
        view_mut(self.take_lines(lines_for::<T>(len)), len)
    }

    #[inline(never)]
    fn take_lines(&mut self, count: usize) -> &'a mut [Line] {
        let (taken, rest) = core::mem::take(&mut self.free).split_at_mut(count);
        self.free = rest;
        taken
    }

    /// The rest, lent for a call.
    pub fn rest(&mut self) -> Arena<'_> {
        Arena { free: self.free }
    }
}
