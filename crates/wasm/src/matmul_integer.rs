//! `matmul_integer_*`, `requantize`.

use lowbit_kernels::convert::Byte;
use lowbit_kernels::error::{Op, Result, checked_area};
use lowbit_kernels::matmul_integer::{self, MatmulInteger};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::handles::{insert, with};
use crate::memory::Memory;

const OP: Op = Op::MatmulInteger;

struct Object {
    product: MatmulInteger,
    zero_points: [usize; 2],
    flags: i32,
}

/// A product `[m, k]` by `[k, n]` of bytes, with `a_zeros` zero points of a (1 or m) and `b_zeros` of b (1 or n). Bits of `flags`: 0 a is uint8, 1 b is uint8, 2 one a
/// serves the whole batch, 3 one b does, 4 there are as many lists of a's zero points as matrices.
#[wasm_bindgen]
pub fn matmul_integer_new(m: usize, n: usize, k: usize, a_zeros: usize, b_zeros: usize, flags: i32) -> i32 {
    let make = || {
        let product = MatmulInteger::new(m, n, k)?;
        insert(OP, Object { product, zero_points: [a_zeros, b_zeros], flags })
    };
    status_or(make())
}

/// `a` `[batch, m, k]` by `b` `[batch, k, n]` to `y` int32 `[batch, m, n]`.
#[wasm_bindgen]
pub fn matmul_integer_run(
    handle: i32,
    a: usize,
    a_zero: usize,
    b: usize,
    b_zero: usize,
    y: usize,
    batch: usize,
) -> i32 {
    fn run<A: Byte, B: Byte>(object: &Object, [a, za, b, zb, y]: [usize; 5], batch: usize) -> Result<()> {
        let memory = Memory::new(OP);
        let [a_len, b_len, y_len] = object.product.lengths();
        let [za_len, zb_len] = object.zero_points;
        let is = |bit: i32| object.flags >> bit & 1 == 1;
        let count = |single: bool, len: usize| checked_area(OP, if single { 1 } else { batch }, len);
        let a: &[A] = memory.read(a, count(is(2), a_len)?)?;
        let b: &[B] = memory.read(b, count(is(3), b_len)?)?;
        let za: &[A] = memory.read(za, count(!is(4), za_len)?)?;
        let zb: &[B] = memory.read(zb, zb_len)?;
        let y = memory.write(y, checked_area(OP, batch, y_len)?)?;
        for (i, y) in y.chunks_exact_mut(y_len).enumerate() {
            let at = |single: bool, len: usize| if single { 0 } else { i * len };
            let (a, b) = (&a[at(is(2), a_len)..][..a_len], &b[at(is(3), b_len)..][..b_len]);
            object.product.run(a, &za[at(!is(4), za_len)..][..za_len], b, zb, y)?;
        }
        Ok(())
    }
    status(with(OP, handle, |object: &Object| {
        let pointers = [a, a_zero, b, b_zero, y];
        match object.flags & 3 {
            0 => run::<i8, i8>(object, pointers, batch),
            1 => run::<u8, i8>(object, pointers, batch),
            2 => run::<i8, u8>(object, pointers, batch),
            _ => run::<u8, u8>(object, pointers, batch),
        }
    }))
}

/// `x` int32 `[rows, columns]` to `y` bytes, uint8 where bit 0 of `flags` is set; `bias` int32 `[columns]`, or 0; `multiplier` f32 `[columns]`, or one where bit 1 is set; `zero_point` one of
/// y's type.
#[wasm_bindgen]
pub fn requantize(
    x: usize,
    y: usize,
    rows: usize,
    columns: usize,
    bias: usize,
    multiplier: usize,
    zero_point: usize,
    flags: i32,
) -> i32 {
    fn run<T: Byte>(
        [x, y, bias, multiplier, zero_point]: [usize; 5],
        rows: usize,
        columns: usize,
        flags: i32,
    ) -> Result<()> {
        let (memory, count) = (Memory::new(OP), checked_area(OP, rows, columns)?);
        let bias = if bias == 0 { None } else { Some(memory.read(bias, columns)?) };
        let multiplier = memory.read(multiplier, if flags & 2 == 0 { columns } else { 1 })?;
        let zero_point: i32 = memory.read::<T>(zero_point, 1)?[0].into();
        let (x, y) = (memory.read(x, count)?, memory.write::<T>(y, count)?);
        matmul_integer::requantize(x, columns, bias, multiplier, zero_point, y)
    }
    let run = if flags & 1 == 0 { run::<i8> } else { run::<u8> };
    status(run([x, y, bias, multiplier, zero_point], rows, columns, flags))
}
