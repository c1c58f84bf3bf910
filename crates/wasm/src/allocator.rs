//! The module's allocator: free blocks in a list by address, of which the first that is large enough serves.
//!
//! What lives here are packed weights, blocks of the host and objects, hundreds at most, made when a model is loaded; a run allocates nothing. So a list does, and takes 0.7 kB
//! of a module (gzipped) where that of the standard library (dlmalloc) takes 3. Neighbours that are free become one block, and `dealloc` is told the size, so that blocks have no headers.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr;

/// Sizes and addresses are multiples of it; a free block describes itself in so much.
const UNIT: usize = 16;

/// What stands at the start of a free block.
#[derive(Clone, Copy)]
struct Free {
    bytes: usize,
    /// Address of the next one, behind this one; 0 where it is the last.
    next: usize,
}

/// Gives the address and the size of a new region of at least so many bytes, both multiples of [`UNIT`].
type Grow = fn(usize) -> Option<(usize, usize)>;

/// Memory that `grow` provides.
struct FirstFit {
    first: Cell<usize>,
    grow: Grow,
}

// SAFETY: only the thread that loads models allocates: the others of a module with threads run what was made (docs/decisions/2026-11-25-threads.md).
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for FirstFit {}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: FirstFit = FirstFit { first: Cell::new(0), grow: pages };

/// New pages of the memory.
#[cfg(target_arch = "wasm32")]
fn pages(bytes: usize) -> Option<(usize, usize)> {
    const PAGE: usize = 1 << 16;
    let count = bytes.div_ceil(PAGE);
    let before = core::arch::wasm32::memory_grow(0, count);
    // The last page of 4 GiB would end at address 0.
    (before != usize::MAX && before + count < 1 << 16).then(|| (before * PAGE, count * PAGE))
}

fn read(at: usize) -> Free {
    // SAFETY: only addresses of free blocks are read, and every one of them was written.
    unsafe { ptr::with_exposed_provenance::<Free>(at).read() }
}

fn write(at: usize, free: Free) {
    // SAFETY: `at` begins a free block, which is the allocator's, aligned and large enough.
    unsafe { ptr::with_exposed_provenance_mut::<Free>(at).write(free) }
}

impl FirstFit {
    /// Makes `at` follow the free block `before`, or the first one where that is 0.
    fn link(&self, before: usize, at: usize) {
        if before == 0 {
            self.first.set(at);
        } else {
            write(before, Free { next: at, ..read(before) });
        }
    }

    fn take(&self, bytes: usize, align: usize) -> Option<usize> {
        let (mut before, mut at) = (0, self.first.get());
        while at != 0 {
            let Free { bytes: all, mut next } = read(at);
            let start = at.next_multiple_of(align);
            let front = start - at;
            if let Some(back) = all.checked_sub(front).and_then(|rest| rest.checked_sub(bytes)) {
                if back > 0 {
                    write(start + bytes, Free { bytes: back, next });
                    next = start + bytes;
                }
                if front > 0 {
                    write(at, Free { bytes: front, next });
                } else {
                    self.link(before, next);
                }
                return Some(start);
            }
            (before, at) = (at, next);
        }
        None
    }

    /// Adds a block that is in no list.
    fn give(&self, at: usize, mut bytes: usize) {
        let (mut before, mut next) = (0, self.first.get());
        while next != 0 && next < at {
            (before, next) = (next, read(next).next);
        }
        if next == at + bytes {
            let behind = read(next);
            (bytes, next) = (bytes + behind.bytes, behind.next);
        }
        if before != 0 && before + read(before).bytes == at {
            write(before, Free { bytes: read(before).bytes + bytes, next });
        } else {
            write(at, Free { bytes, next });
            self.link(before, at);
        }
    }
}

/// The size that a block of this layout has.
fn size_of_block(layout: Layout) -> usize {
    layout.size().max(1).next_multiple_of(UNIT)
}

// SAFETY: blocks are cut out of regions that nobody else has, do not overlap and are aligned; memory that cannot be had is null.
unsafe impl GlobalAlloc for FirstFit {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (bytes, align) = (size_of_block(layout), layout.align().max(UNIT));
        let start = self.take(bytes, align).or_else(|| {
            let (at, new) = (self.grow)(bytes + align)?;
            self.give(at, new);
            self.take(bytes, align)
        });
        start.map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.give(pointer.expose_provenance(), size_of_block(layout));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A region that is never given back, as pages are not.
    fn region(bytes: usize) -> Option<(usize, usize)> {
        if bytes > 1 << 24 {
            return None;
        }
        let bytes = bytes.next_multiple_of(4096);
        let words: &'static mut [u128] = vec![0; bytes / UNIT].leak();
        Some((words.as_mut_ptr().expose_provenance(), bytes))
    }

    /// Sizes of the free blocks; fails where they are not in order, or where neighbours were not joined.
    fn free_blocks(memory: &FirstFit) -> Vec<usize> {
        let (mut sizes, mut at, mut end) = (Vec::new(), memory.first.get(), 0);
        while at != 0 {
            assert!(at > end, "in order, and apart");
            let free = read(at);
            sizes.push(free.bytes);
            (at, end) = (free.next, at + free.bytes);
        }
        sizes
    }

    #[test]
    fn blocks_are_apart_and_come_back() {
        let memory = FirstFit { first: Cell::new(0), grow: region };
        let (mut live, mut seed): (Vec<(*mut u8, Layout, u8)>, u32) = (Vec::new(), 1);
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % below
        };
        let release = |(pointer, layout, mark): (*mut u8, Layout, u8)| {
            // SAFETY: a live block of this layout, all of it written.
            unsafe {
                let bytes = core::slice::from_raw_parts(pointer, layout.size());
                assert!(bytes.iter().all(|byte| *byte == mark), "nobody else wrote here");
                memory.dealloc(pointer, layout);
            }
        };
        for step in 0..20_000 {
            if live.len() < 60 && random(5) < 3 {
                let size = if random(10) == 0 { random(20_000) } else { random(200) };
                let Ok(layout) = Layout::from_size_align(size.max(1), 1 << random(8)) else { unreachable!() };
                // SAFETY: the layout is not empty.
                let pointer = unsafe { memory.alloc(layout) };
                assert!(!pointer.is_null() && pointer.addr().is_multiple_of(layout.align()));
                // SAFETY: a new block of this layout.
                unsafe { pointer.write_bytes(step as u8, layout.size()) };
                live.push((pointer, layout, step as u8));
            } else if !live.is_empty() {
                release(live.swap_remove(random(live.len())));
            }
            if step % 100 == 0 {
                free_blocks(&memory);
            }
        }
        let held: usize = live.iter().map(|(_, layout, _)| size_of_block(*layout)).sum();
        let free: usize = free_blocks(&memory).iter().sum();
        live.drain(..).for_each(release);
        assert_eq!(free_blocks(&memory).iter().sum::<usize>(), held + free, "nothing is lost");
    }

    #[test]
    fn memory_that_cannot_be_had_is_null() {
        let memory = FirstFit { first: Cell::new(0), grow: region };
        let Ok(layout) = Layout::from_size_align(1 << 25, 64) else { unreachable!() };
        // SAFETY: the layout is not empty.
        assert!(unsafe { memory.alloc(layout) }.is_null());
        assert!(free_blocks(&memory).is_empty());
    }
}
