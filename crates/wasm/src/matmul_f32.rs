//! `matmul_f32_*`.

use lowbit_kernels::error::{Op, What, check_range, check_shape, checked_area};
use lowbit_kernels::gemm_f32::MatmulF32;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::{Memory, reserve_scratch, with_scratch};

/// A product of two activations, `[m, k]` by `[k, n]`.
#[wasm_bindgen]
pub fn matmul_f32_new(m: usize, n: usize, k: usize) -> i32 {
    let make = || {
        let matmul = MatmulF32::new(m, n, k)?;
        reserve_scratch(Op::MatmulF32, matmul.scratch_lines())?;
        insert(Op::MatmulF32, (matmul, [m, n, k]))
    };
    status_or(make())
}

/// `a` f32 `[batch, m, k]` or `[m, k]` where `a_stride` is 0, `b` f32 `[batch, k, n]` or `[k, n]` where `b_stride` is 0, `y` f32 `[batch, m, n]`.
#[wasm_bindgen]
pub fn matmul_f32_run(
    handle: i32,
    a: usize,
    b: usize,
    y: usize,
    batch: usize,
    a_stride: usize,
    b_stride: usize,
) -> i32 {
    status(with(Op::MatmulF32, handle, |(matmul, [m, n, k]): &(MatmulF32, [usize; 3])| {
        let op = Op::MatmulF32;
        let memory = Memory::new(op);
        let (a_len, b_len, y_len) = (m * k, k * n, m * n);
        for (stride, len) in [(a_stride, a_len), (b_stride, b_len)] {
            if stride != 0 {
                check_shape(op, What::Stride, len, stride)?;
            }
        }
        check_range(op, What::Rows, 0, i64::from(i32::MAX), batch as i64)?;
        let count = |stride: usize| if stride == 0 { batch.min(1) } else { batch };
        let a = memory.read::<f32>(a, checked_area(op, count(a_stride), a_len)?)?;
        let b = memory.read::<f32>(b, checked_area(op, count(b_stride), b_len)?)?;
        let y = memory.write::<f32>(y, checked_area(op, batch, y_len)?)?;
        for (i, y) in y.chunks_exact_mut(y_len).enumerate() {
            let (a, b) = (&a[i * a_stride..][..a_len], &b[i * b_stride..][..b_len]);
            with_scratch(|mut scratch| matmul.run(Tier::BUILD, a, b, y, &mut scratch))?;
        }
        Ok(())
    }))
}
