//! Errors as numbers: a negative status, and five words.

use core::cell::UnsafeCell;

use lowbit_kernels::error::{KernelError, Result};
use wasm_bindgen::prelude::wasm_bindgen;

/// The five words, at an address that stays.
struct Block(UnsafeCell<[i32; 5]>);

thread_local! {
    static BLOCK: Block = const { Block(UnsafeCell::new([0; 5])) };
}

/// Where the last error is written: int32 `code, operator, what, expected, got` ([`KernelError`]; the last two saturate).
/// The words for operator and what are generated into `packages/core/src/generated/registry.ts`.
#[wasm_bindgen]
pub fn error_block() -> usize {
    BLOCK.with(|block| block.0.get() as usize)
}

/// 0, or the negative code after filling the block.
#[inline(never)]
pub fn status(result: Result<()>) -> i32 {
    status_or(result.map(|()| 0))
}

/// The value (not negative), or the negative code after filling the block.
#[inline(never)]
pub fn status_or(result: Result<i32>) -> i32 {
    result.unwrap_or_else(|error| {
        write(&error);
        -(error.code as i32)
    })
}

fn write(error: &KernelError) {
    let saturate = |v: i64| v.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    let words = [
        error.code as i32,
        error.op as i32,
        error.what as i32,
        saturate(error.expected),
        saturate(error.got),
    ];
    BLOCK.with(|block| {
        // SAFETY: the block belongs to this thread and nothing holds a reference into it.
        unsafe { *block.0.get() = words }
    });
}
