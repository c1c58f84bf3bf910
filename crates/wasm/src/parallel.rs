//! Runs that several threads share out.
//!
//! A thread is an instance of this module of its own (globals, stack) over the *same* memory; see docs/decisions/2026-11-25-threads.md. The
//! module is compiled as for one thread, so nothing in it may be written by two. What makes that hold:
//!
//! 1. Only the first thread, the *host's*, calls the other exports: it alone allocates, grows the memory, and touches the tables of blocks and
//!    handles, whose borrow flags are plain words.
//! 2. [`parallel_begin`] looks up the object, checks every operand and reserves scratch for every thread, all on the host's thread. It leaves a
//!    `Job` that holds plain addresses.
//! 3. Between `parallel_begin` and [`parallel_end`] threads call [`parallel_run`] and nothing else. It reads the job, reads the object (`Sync`, so
//!    without interior mutability) and x, and writes only the y of its own chunk, its own scratch and its own stack. No two calls of a job get
//!    the same chunk or the same thread's number.
//! 4. The host orders these phases by atomics on a block of its own (`packages/core/src/threads`): the job is written before the first chunk is
//!    handed out, and every chunk is finished before the host goes on.
//!
//! Nothing can be refused inside `parallel_run`, so there is no error block to fight over: what goes wrong is a trap, which ends the instance.

use core::any::Any;
use core::cell::UnsafeCell;
use core::ops::Range;
use core::ptr::NonNull;

use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::{ErrorCode, KernelError, Op, What, check_range};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::columns::Columns;
use crate::conv::Conv;
use crate::error::status_or;
use crate::handles;
use crate::products::parallel_product;
use crate::work::{Parallel, Work};

const OP: Op = Op::Parallel;

/// Threads at most, the host's own among them.
const MAX_THREADS: usize = 64;

/// Chunks per thread: a thread that was held up leaves its last chunk late, and the others take the rest.
const CHUNKS_PER_THREAD: usize = 4;

/// What is in flight.
struct Job {
    object: NonNull<dyn Parallel>,
    work: Work,
    /// Chunks start at multiples of `step` units.
    step: usize,
    chunks: usize,
    /// One per thread.
    scratch: *mut Scratch,
    threads: usize,
}

struct State {
    job: Option<Job>,
    scratch: Vec<Scratch>,
}

/// What threads share beside the objects. A plain static: where memory is shared, so is it.
struct Shared(UnsafeCell<State>);

// SAFETY: written by the host's thread while no job is in flight, else only read (points 2 to 4 above); the elements of `scratch` are reached
// through the job, each by its own thread.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared(UnsafeCell::new(State { job: None, scratch: Vec::new() }));

/// Prepares `run(handle, x, y, count)` of a product or convolution for `threads` threads. Returns the number of chunks, at least 1: each is to be
/// computed by one call of [`parallel_run`], in any order, on any thread; then comes [`parallel_end`].
#[wasm_bindgen]
pub fn parallel_begin(handle: i32, x: usize, y: usize, count: usize, threads: usize) -> i32 {
    let begin = || {
        check_range(OP, What::Threads, 1, MAX_THREADS as i64, threads as i64)?;
        let (object, work) = handles::with_any(OP, handle, |object| {
            let object = parallel(object).ok_or(not_parallel(handle))?;
            Ok((NonNull::from(object), object.prepare(x, y, count)?))
        })?;
        // SAFETY: no job is in flight, so this thread, the host's, is the only one that looks.
        let state = unsafe { &mut *SHARED.0.get() };
        if state.scratch.len() < threads {
            let missing = threads - state.scratch.len();
            let bytes = missing * size_of::<Scratch>();
            state.scratch.try_reserve_exact(missing).map_err(|_| KernelError::memory(OP, bytes))?;
            state.scratch.resize_with(threads, Scratch::new);
        }
        for scratch in &mut state.scratch[..threads] {
            scratch.reserve(OP, work.scratch_lines)?;
        }
        let (step, chunks) = cut(&work, threads);
        state.job = Some(Job { object, work, step, chunks, scratch: state.scratch.as_mut_ptr(), threads });
        Ok(chunks as i32)
    };
    status_or(begin())
}

/// Computes chunk `chunk` of the job on thread `thread` (the host's is 0). Traps where there is no such chunk, thread or job.
#[wasm_bindgen]
pub fn parallel_run(thread: usize, chunk: usize) {
    // SAFETY: a job is in flight (point 3), and nobody writes it.
    let state = unsafe { &*SHARED.0.get() };
    let job = state.job.as_ref().expect("a job");
    assert!(thread < job.threads && chunk < job.chunks);
    // SAFETY: the table has `threads` elements, and only this call uses that of `thread`.
    let scratch = unsafe { &mut *job.scratch.add(thread) };
    let units = part(job.work.units, job.step, job.chunks, chunk);
    // SAFETY: the object and its operands live until the job ends, as the host drops and frees nothing before; parts do not overlap.
    unsafe { job.object.as_ref().run(&job.work, units, scratch.arena()) }
}

/// Ends the job: every chunk was computed.
#[wasm_bindgen]
pub fn parallel_end() {
    // SAFETY: no chunk is being computed any more, so this thread, the host's, is the only one that looks.
    unsafe { &mut *SHARED.0.get() }.job = None;
}

/// The unit that chunks start at multiples of, and the number of chunks.
fn cut(work: &Work, threads: usize) -> (usize, usize) {
    let most = threads * CHUNKS_PER_THREAD;
    let blocks = work.units.div_ceil(work.block);
    if blocks >= most || work.block == work.grain {
        return (work.block, blocks.clamp(1, most));
    }
    // Whole blocks would leave a thread idle: even shares instead.
    (work.grain, work.units.div_ceil(work.grain).clamp(1, threads))
}

/// The units of a chunk, whole steps but for the last; no chunk has more than one step more than another.
fn part(units: usize, step: usize, chunks: usize, chunk: usize) -> Range<usize> {
    let steps = units.div_ceil(step);
    let start = |chunk: usize| (steps * chunk / chunks * step).min(units);
    start(chunk)..start(chunk + 1)
}

/// The object as one that can be shared out.
fn parallel(object: &dyn Any) -> Option<&(dyn Parallel + 'static)> {
    if let Some(conv) = object.downcast_ref::<Conv>() {
        return Some(&*conv.0);
    }
    if let Some(columns) = object.downcast_ref::<Columns>() {
        return Some(&*columns.0);
    }
    parallel_product(object)
}

fn not_parallel(handle: i32) -> KernelError {
    KernelError::new(ErrorCode::Handle, OP, What::Kind, 0, i64::from(handle))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::{ptr, slice, thread};

    use lowbit_kernels::gemm_f32::GemmF32;
    use lowbit_kernels::rows::RowKernel;
    use lowbit_kernels::tier::Tier;

    use super::*;
    use crate::gemm_f32::gemm_f32_run;
    use crate::handles::object_drop;
    use crate::memory::{memory_alloc, reserve_scratch};
    use crate::work::GRAIN;

    #[test]
    fn parts_cover_all_units_once() {
        for (units, block, threads) in
            [(0, 16, 2), (1, 16, 2), (17, 16, 2), (49, 16, 2), (3136, 12, 3), (8, 1, 2)]
        {
            let work = Work { x: 0, y: 0, count: 1, units, block, grain: GRAIN.min(block), scratch_lines: 0 };
            let (step, chunks) = cut(&work, threads);
            assert!(chunks >= 1 && chunks <= threads * CHUNKS_PER_THREAD);
            let parts: Vec<_> = (0..chunks).map(|chunk| part(units, step, chunks, chunk)).collect();
            assert_eq!(
                parts.iter().flat_map(Clone::clone).collect::<Vec<_>>(),
                (0..units).collect::<Vec<_>>()
            );
            assert!(parts.iter().all(|part| part.start % step == 0));
        }
    }

    fn upload(words: &[f32]) -> usize {
        let pointer = memory_alloc(words.len() * 4);
        // SAFETY: a fresh block of that size, aligned to 64.
        unsafe { ptr::with_exposed_provenance_mut::<f32>(pointer).copy_from(words.as_ptr(), words.len()) };
        pointer
    }

    fn download(pointer: usize, len: usize) -> Vec<f32> {
        // SAFETY: the tests pass live blocks of at least that size.
        unsafe { slice::from_raw_parts(ptr::with_exposed_provenance::<f32>(pointer), len) }.to_vec()
    }

    /// As the host does it, but with threads of the operating system, so that sanitizers see what two threads touch.
    #[test]
    fn threads_share_out_a_product() {
        let (n, k, rows) = (37, 29, 203);
        let floats = |len| (0..len).map(|i: usize| (i * 7919 % 101) as f32 - 50.0).collect::<Vec<_>>();
        let (weights, x) = (floats(n * k), upload(&floats(rows * k)));
        let free = (f32::NEG_INFINITY, f32::INFINITY);
        let gemm = GemmF32::new(Tier::BUILD, n, k, &weights, &[], free);
        let gemm = gemm.expect("valid");
        reserve_scratch(OP, gemm.scratch_lines(usize::MAX)).expect("memory");
        let gemm = handles::insert(OP, gemm).expect("memory");
        let (whole, shared) = (memory_alloc(rows * n * 4), memory_alloc(rows * n * 4));
        assert_eq!(gemm_f32_run(gemm, x, whole, rows), 0);
        for threads in [1, 2, 3] {
            let chunks = parallel_begin(gemm, x, shared, rows, threads);
            assert!(chunks as usize >= threads);
            let next = AtomicUsize::new(0);
            thread::scope(|scope| {
                for thread in 0..threads {
                    let next = &next;
                    scope.spawn(move || {
                        loop {
                            let chunk = next.fetch_add(1, Ordering::Relaxed);
                            if chunk >= chunks as usize {
                                break;
                            }
                            parallel_run(thread, chunk);
                        }
                    });
                }
            });
            parallel_end();
            assert_eq!(download(shared, rows * n), download(whole, rows * n));
        }
        assert_eq!(parallel_begin(gemm, x, shared + 4, rows, 2), -(ErrorCode::Pointer as i32));
        assert_eq!(parallel_begin(gemm, x, shared, rows, 0), -(ErrorCode::Range as i32));
        assert_eq!(object_drop(gemm), 0);
        assert_eq!(parallel_begin(gemm, x, shared, rows, 2), -(ErrorCode::Handle as i32));
    }
}
