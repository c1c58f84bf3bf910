//! `columns_*`: a product cut into slices of its columns, so that threads can share out a run of one row.

use core::ops::Range;

use lowbit_kernels::buffer::Arena;
use lowbit_kernels::error::{Op, Result, What, check_range, check_shape, checked_area};
use lowbit_kernels::layout::WORD_BITS;
use lowbit_kernels::output::OutputKind;
use lowbit_kernels::rows::RowKernel;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, take, with};
use crate::memory::{Memory, reserve_scratch};
use crate::output::output_at;
use crate::params::Params;
use crate::products::{Products, not_a_product};
use crate::work::{GRAIN, Parallel, Work, input, output, run_whole};

const OP: Op = Op::Parallel;

/// What a handle names, whatever its elements.
pub(crate) struct Columns(pub(crate) Box<dyn Parallel>);

/// Products that read the same rows and write side by side. The units are the slices for one row, else rows.
struct Slices<K: RowKernel> {
    slices: Vec<K>,
    kind: OutputKind,
}

impl<K: RowKernel> Slices<K> {
    fn row_len(&self) -> usize {
        self.slices[0].row_len()
    }

    /// Elements of y before slice `at`.
    fn start(&self, at: usize) -> usize {
        self.slices[..at].iter().map(|slice| self.kind.row_len(slice.columns())).sum()
    }
}

impl<K: RowKernel> Parallel for Slices<K> {
    fn prepare(&self, x: usize, y: usize, rows: usize) -> Result<Work> {
        let memory = Memory::new(OP);
        memory.read::<K::Input>(x, checked_area(OP, rows, self.row_len())?)?;
        output_at(&memory, self.kind, y, checked_area(OP, rows, self.start(self.slices.len()))?)?;
        let (units, block) = match rows {
            1 => (self.slices.len(), 1),
            _ => (rows, self.slices[0].block_rows().max(1)),
        };
        let scratch_lines = self.slices.iter().map(|slice| slice.scratch_lines(rows)).max().unwrap_or(0);
        Ok(Work { x, y, count: rows, units, block, grain: GRAIN.min(block), scratch_lines })
    }

    unsafe fn run(&self, work: &Work, units: Range<usize>, mut scratch: Arena<'_>) {
        if work.count == 1 {
            for at in units {
                let slice = &self.slices[at];
                let (start, len) = (self.start(at), self.kind.row_len(slice.columns()));
                // SAFETY: `prepare` found a row at both addresses; these columns of y are the caller's alone.
                let (x, y) =
                    unsafe { (input(work.x, 0, self.row_len()), output(self.kind, work.y, start, len)) };
                slice.run_rows(x, 1, None, y, len, scratch.rest());
            }
            return;
        }
        let stride = self.start(self.slices.len());
        // SAFETY: `prepare` found `work.units` rows at both addresses; these rows of y are the caller's alone.
        let (x, mut y) = unsafe {
            (
                input(work.x, units.start * self.row_len(), units.len() * self.row_len()),
                output(self.kind, work.y, units.start * stride, units.len() * stride),
            )
        };
        if units.is_empty() {
            return;
        }
        for (at, slice) in self.slices.iter().enumerate() {
            slice.run_rows(x, units.len(), None, y.from(self.start(at)), stride, scratch.rest());
        }
    }
}

/// Parameters: handles (pointer, length) of products of one depth, in the order of their columns, which belong to the result from now on, whatever
/// this returns. Where they write bits, each but the last fills whole words. Returns a handle.
#[wasm_bindgen]
pub fn columns_new(params: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let products = Products::new(take(OP, params.array()?)?)?;
        params.end()?;
        let (kind, slices) = (products.kind()?, products.len());
        let joined = if products.floats.len() == slices {
            join(products.floats, kind)?
        } else if products.bytes.len() == slices {
            join(products.bytes, kind)?
        } else if products.bits.len() == slices {
            join(products.bits.into_iter().map(|gemm| *gemm).collect(), kind)?
        } else {
            return Err(not_a_product(OP));
        };
        insert(OP, joined)
    };
    status_or(make())
}

/// `x` `[rows, K]` to `y` `[rows, N]`, as each slice's own `run`, N being the columns of all.
#[wasm_bindgen]
pub fn columns_run(handle: i32, x: usize, y: usize, rows: usize) -> i32 {
    status(with(OP, handle, |columns: &Columns| run_whole(&*columns.0, x, y, rows)))
}

fn join<K: RowKernel + 'static>(slices: Vec<K>, kind: OutputKind) -> Result<Columns> {
    let depth = slices[0].row_len();
    for (at, slice) in slices.iter().enumerate() {
        check_shape(OP, What::Depth, depth, slice.row_len())?;
        if kind == OutputKind::Bits && at + 1 < slices.len() {
            check_range(OP, What::Columns, 0, 0, (slice.columns() % WORD_BITS) as i64)?;
        }
    }
    let lines = slices.iter().map(|slice| slice.scratch_lines(usize::MAX)).max().unwrap_or(0);
    reserve_scratch(OP, lines)?;
    Ok(Columns(Box::new(Slices { slices, kind })))
}
