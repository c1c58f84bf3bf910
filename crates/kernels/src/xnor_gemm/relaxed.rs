//! As `simd128`, with `relaxed_swizzle`: one instruction less per lookup. Indices are below 16, where it is fixed.

use super::simd128::{Ops, run as run_with};
use super::{Planes, XnorGemm};
use crate::buffer::Arena;
use crate::v128::{V128, i8x16_relaxed_swizzle};

struct Relaxed;

impl Ops for Relaxed {
    #[inline(always)]
    fn lookup(table: V128, index: V128) -> V128 {
        i8x16_relaxed_swizzle(table, index)
    }
}

/// As `simd128::run`, four panels at a time.
pub(super) fn run(gemm: &XnorGemm, planes: &Planes<'_>, acc: &mut [i32], scratch: Arena<'_>) {
    run_with::<Relaxed, 4>(gemm, planes, acc, scratch);
}
