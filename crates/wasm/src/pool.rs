//! `pool_*`.

use lowbit_kernels::error::{KernelError, Op, Result, What, checked_area};
use lowbit_kernels::pool::{Pool, PoolElement, Reduction};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::geometry::read_geometry;
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::Pool;

/// Parameters: the window, channels, reduction (0 max, 1 average, 2 average with padding), element (0 f32, 1 int8, 2 uint8, 3 int32), what
/// counted padding is.
#[wasm_bindgen]
pub fn pool_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let geometry = read_geometry(OP, &mut params)?;
        let channels = params.size(What::Channels)?;
        let (reduction, element, padding) = (params.int()?, params.int()?, params.int()?);
        params.end()?;
        let reduction = match reduction {
            0 => Reduction::Max,
            1 => Reduction::Average,
            2 => Reduction::AverageWithPadding { padding },
            other => return Err(KernelError::range(OP, What::Kind, 2, other as usize)),
        };
        insert(OP, (Pool::new(geometry, channels, reduction)?, element))
    };
    status_or(make())
}

/// `x` `[batch, h, w, channels]` to `y` `[batch, h', w', channels]`.
#[wasm_bindgen]
pub fn pool_run(handle: i32, x: usize, y: usize, batch: usize) -> i32 {
    status(with(OP, handle, |(pool, element): &(Pool, i32)| match element {
        0 => run::<f32>(pool, x, y, batch),
        1 => run::<i8>(pool, x, y, batch),
        2 => run::<u8>(pool, x, y, batch),
        3 => run::<i32>(pool, x, y, batch),
        &other => Err(KernelError::range(OP, What::Kind, 3, other as usize)),
    }))
}

fn run<T: PoolElement>(pool: &Pool, x: usize, y: usize, batch: usize) -> Result<()> {
    let memory = Memory::new(OP);
    let x = memory.read::<T>(x, checked_area(OP, batch, pool.input_len())?)?;
    pool.run(x, batch, memory.write(y, checked_area(OP, batch, pool.output_len())?)?)
}
