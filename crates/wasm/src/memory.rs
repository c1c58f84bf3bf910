//! Blocks for the host, and checked slices of them.

use core::cell::{Cell, RefCell};
use core::{ptr, slice};

use lowbit_kernels::buffer::{Arena, Buffer, Element, Scratch};
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::status;

thread_local! {
    /// In the order of where they start: an index holds thousands.
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch::new()) };
}

/// A block that the host holds.
struct Block {
    start: usize,
    bytes: usize,
    /// Owns the memory; reached only through its exposed address.
    _storage: Buffer<u8>,
}

/// How many blocks start at an address or before it.
#[inline(never)]
fn started(blocks: &[Block], pointer: usize) -> usize {
    blocks.partition_point(|block| block.start <= pointer)
}

/// A zeroed block of `bytes` bytes, aligned to 64; 0 where memory is exhausted.
#[wasm_bindgen]
pub fn memory_alloc(bytes: usize) -> usize {
    BLOCKS.with_borrow_mut(|blocks| {
        let Ok(mut storage) = Buffer::<u8>::zeroed(Op::Memory, bytes.max(1)) else { return 0 };
        if blocks.try_reserve(1).is_err() {
            return 0;
        }
        let start = storage.as_mut_ptr().expose_provenance();
        let at = started(blocks, start);
        blocks.insert(at, Block { start, bytes, _storage: storage });
        start
    })
}

/// Takes a block back. An address or size that is not of a live block is a `Handle` error.
#[wasm_bindgen]
pub fn memory_free(pointer: usize, bytes: usize) -> i32 {
    status(BLOCKS.with_borrow_mut(|blocks| {
        let after = started(blocks, pointer);
        match blocks.get(after.wrapping_sub(1)) {
            Some(block) if block.start == pointer && block.bytes == bytes => {
                blocks.remove(after - 1);
                Ok(())
            }
            _ => Err(KernelError::new(ErrorCode::Handle, Op::Memory, What::Pointer, 0, pointer as i64)),
        }
    }))
}

/// Makes sure that kernels find `lines` lines of scratch.
pub fn reserve_scratch(op: Op, lines: usize) -> Result<()> {
    SCRATCH.with_borrow_mut(|scratch| scratch.reserve(op, lines))
}

/// Lends the instance's scratch.
pub fn with_scratch<R>(run: impl FnOnce(Arena<'_>) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| run(scratch.arena()))
}

/// Regions that one call may take before it is [`Memory::seal`]ed.
const MAX_REGIONS: usize = 16;

/// The memory as one call of an export sees it: every slice it takes lies in one live block, is aligned, and no slice that is written
/// overlaps another. Blocks cannot be freed while it lives, for exports do not nest.
pub struct Memory {
    op: Op,
    taken: Cell<usize>,
    regions: [Cell<(usize, usize, bool)>; MAX_REGIONS],
    sealed: Cell<bool>,
}

impl Memory {
    /// For one call; `op` names it in errors.
    #[inline(never)]
    pub fn new(op: Op) -> Self {
        Self {
            op,
            taken: Cell::new(0),
            regions: [const { Cell::new((0, 0, false)) }; MAX_REGIONS],
            sealed: Cell::new(false),
        }
    }

    /// From now on any number of regions may be read, and none written: what is read is held against what is written, and need not be remembered.
    pub fn seal(&self) {
        self.sealed.set(true);
    }

    /// `len` elements to read.
    pub fn read<T: Element>(&self, pointer: usize, len: usize) -> Result<&[T]> {
        if len == 0 {
            return Ok(&[]);
        }
        self.take(pointer, len, size_of::<T>(), align_of::<T>(), false)?;
        // SAFETY: `take` found the region inside a live block, aligned, and disjoint from every region that is written; blocks are
        // initialised and any bits make an `Element`.
        Ok(unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(pointer), len) })
    }

    /// `len` elements to write.
    #[expect(
        clippy::mut_from_ref,
        reason = "regions that are written are disjoint from all others of the call"
    )]
    pub fn write<T: Element>(&self, pointer: usize, len: usize) -> Result<&mut [T]> {
        if len == 0 {
            return Ok(&mut []);
        }
        self.take(pointer, len, size_of::<T>(), align_of::<T>(), true)?;
        // SAFETY: as in `read`, and `take` found no other region of this call that overlaps.
        Ok(unsafe { slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut(pointer), len) })
    }

    /// One copy of the checks serves all element types.
    #[inline(never)]
    fn take(&self, pointer: usize, len: usize, size: usize, align: usize, writes: bool) -> Result<()> {
        let refuse = |what, expected: usize, got: usize| {
            Err(KernelError::new(ErrorCode::Pointer, self.op, what, expected as i64, got as i64))
        };
        if !pointer.is_multiple_of(align) {
            let got = pointer as i64;
            return Err(KernelError::new(ErrorCode::Alignment, self.op, What::Pointer, align as i64, got));
        }
        let Some(end) = len.checked_mul(size).and_then(|bytes| pointer.checked_add(bytes)) else {
            return refuse(What::Length, usize::MAX / size, len);
        };
        let block_end = BLOCKS.with_borrow(|blocks| {
            let before = started(blocks, pointer);
            let block = blocks.get(before.wrapping_sub(1))?;
            let end = block.start + block.bytes;
            (pointer < end).then_some(end)
        });
        match block_end {
            None => return refuse(What::Pointer, 0, pointer),
            Some(limit) if end > limit => {
                return refuse(What::Length, (limit - pointer) / size, len);
            }
            Some(_) => {}
        }
        let count = self.taken.get();
        for region in &self.regions[..count] {
            let (other_start, other_end, other_writes) = region.get();
            if (writes || other_writes) && pointer < other_end && other_start < end {
                return refuse(What::Overlap, other_end, pointer);
            }
        }
        if self.sealed.get() {
            return if writes { refuse(What::Overlap, 0, pointer) } else { Ok(()) };
        }
        let Some(free) = self.regions.get(count) else {
            return refuse(What::Pointer, MAX_REGIONS, count + 1);
        };
        free.set((pointer, end, writes));
        self.taken.set(count + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_lie_in_one_block() {
        let start = memory_alloc(100);
        assert!(start != 0 && start.is_multiple_of(64));
        let memory = Memory::new(Op::Memory);
        assert_eq!(memory.read::<u8>(start, 100).map(<[u8]>::len), Ok(100));
        let refused =
            |pointer, len| memory.read::<f32>(pointer, len).map_err(|error| (error.code, error.what)).err();
        assert_eq!(refused(start, 26), Some((ErrorCode::Pointer, What::Length)));
        assert_eq!(refused(start + 2, 1), Some((ErrorCode::Alignment, What::Pointer)));
        assert_eq!(refused(start, usize::MAX), Some((ErrorCode::Pointer, What::Length)));
        assert_eq!(refused(4, 1), Some((ErrorCode::Pointer, What::Pointer)));
        assert_eq!(refused(4, 0), None);
        assert_eq!(memory_free(start, 99), -(ErrorCode::Handle as i32));
        assert_eq!(memory_free(start, 100), 0);
        assert_eq!(memory_free(start, 100), -(ErrorCode::Handle as i32));
    }

    #[test]
    fn what_is_written_overlaps_nothing() {
        let start = memory_alloc(128);
        let memory = Memory::new(Op::Memory);
        assert!(memory.read::<u8>(start, 64).is_ok());
        assert!(memory.read::<u8>(start + 32, 32).is_ok());
        assert_eq!(memory.write::<u8>(start + 63, 1).map_err(|e| e.what), Err(What::Overlap));
        assert!(memory.write::<u8>(start + 64, 64).is_ok());
        assert_eq!(memory.read::<u8>(start + 127, 1).map_err(|e| e.what), Err(What::Overlap));
        assert_eq!(memory_free(start, 128), 0);
    }

    #[test]
    fn a_sealed_call_reads_any_number() {
        let starts: Vec<usize> = (0..50).map(|_| memory_alloc(64)).collect();
        let memory = Memory::new(Op::Memory);
        assert!(memory.write::<u8>(starts[0], 64).is_ok());
        memory.seal();
        assert!(starts[1..].iter().all(|start| memory.read::<u8>(*start, 64).is_ok()));
        assert_eq!(memory.read::<u8>(starts[0], 1).map_err(|e| e.what), Err(What::Overlap));
        assert_eq!(memory.write::<u8>(starts[1], 1).map_err(|e| e.what), Err(What::Overlap));
        assert!(starts.iter().all(|start| memory_free(*start, 64) == 0));
    }
}
