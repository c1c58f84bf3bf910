//! `fixed_point_*`: objects over bytes, int8 or (flag) uint8.

use lowbit_kernels::convert::Byte;
use lowbit_kernels::error::{Op, Result, What, check_shape, checked_area};
use lowbit_kernels::fixed_point::{self, Codes, Factor, Operand, Rounding};
use lowbit_kernels::geometry::Geometry;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::geometry::read_geometry;
use crate::handles::{insert, with};
use crate::memory::Memory;
use crate::params::Params;

const OP: Op = Op::FixedPoint;

/// Parameters end in these: uint8 (1) or int8 (0), zero point, and the smallest and largest code of y.
fn read_codes(params: &mut Params<'_>) -> Result<(bool, Codes)> {
    let is_unsigned = params.flag(What::Kind)?;
    let codes = Codes { zero_point: params.int()?, clamp: (params.int()?, params.int()?) };
    params.end()?;
    Ok((is_unsigned, codes))
}

struct Requantize {
    columns: usize,
    factors: Vec<Factor>,
    bias: Option<Vec<i32>>,
    rounding: Rounding,
    is_unsigned: bool,
    codes: Codes,
}

/// Parameters: columns, multipliers and exponents int32 (one, or one for each column), biases int32 (or none), rounded once (1) or twice (0), codes.
#[wasm_bindgen]
pub fn fixed_requantize_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let columns = params.size(What::Columns)?;
        let (multipliers, exponents) = (params.array::<i32>()?, params.array::<i32>()?);
        check_shape(OP, What::Exponent, multipliers.len(), exponents.len())?;
        let factors =
            multipliers.iter().zip(exponents).map(|(m, e)| Factor::new(*m, *e)).collect::<Result<_>>()?;
        let bias = params.array::<i32>()?;
        let bias = (!bias.is_empty()).then(|| bias.to_vec());
        let rounding = if params.flag(What::Kind)? { Rounding::Once } else { Rounding::Twice };
        let (is_unsigned, codes) = read_codes(&mut params)?;
        insert(OP, Requantize { columns, factors, bias, rounding, is_unsigned, codes })
    };
    status_or(make())
}

/// `x` int32 `[rows, columns]` to `y` bytes.
#[wasm_bindgen]
pub fn fixed_requantize_run(handle: i32, x: usize, rows: usize, y: usize) -> i32 {
    fn run<T: Byte>(of: &Requantize, x: usize, rows: usize, y: usize) -> Result<()> {
        let (memory, count) = (Memory::new(OP), checked_area(OP, rows, of.columns)?);
        let (x, y) = (memory.read(x, count)?, memory.write::<T>(y, count)?);
        fixed_point::requantize(x, of.columns, of.bias.as_deref(), &of.factors, of.rounding, of.codes, y)
    }
    status(with(OP, handle, |of: &Requantize| {
        (if of.is_unsigned { run::<u8> } else { run::<i8> })(of, x, rows, y)
    }))
}

struct Add {
    operands: [Operand; 2],
    factor: Factor,
    is_unsigned: bool,
    codes: Codes,
}

/// Parameters: multiplier, exponent and zero point of a, the same of b, multiplier and exponent of their sum, codes.
#[wasm_bindgen]
pub fn fixed_add_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let mut operand = || {
            let factor = Factor::new(params.int()?, params.int()?)?;
            Ok(Operand { factor, zero_point: params.int()? })
        };
        let operands = [operand()?, operand()?];
        let factor = Factor::new(params.int()?, params.int()?)?;
        let (is_unsigned, codes) = read_codes(&mut params)?;
        insert(OP, Add { operands, factor, is_unsigned, codes })
    };
    status_or(make())
}

/// `a` and `b`, bytes, to `y`.
#[wasm_bindgen]
pub fn fixed_add_run(handle: i32, a: usize, b: usize, count: usize, y: usize) -> i32 {
    fn run<T: Byte>(of: &Add, [a, b, y]: [usize; 3], count: usize) -> Result<()> {
        let memory = Memory::new(OP);
        let (a, b) = (memory.read::<T>(a, count)?, memory.read(b, count)?);
        fixed_point::add(a, b, of.operands, of.factor, of.codes, memory.write(y, count)?)
    }
    status(with(OP, handle, |of: &Add| {
        (if of.is_unsigned { run::<u8> } else { run::<i8> })(of, [a, b, y], count)
    }))
}

struct Average {
    geometry: Geometry,
    channels: usize,
    is_unsigned: bool,
    codes: Codes,
}

/// Parameters: the window, channels, codes.
#[wasm_bindgen]
pub fn fixed_average_new(pointer: usize, words: usize) -> i32 {
    let make = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, pointer, words)?;
        let geometry = read_geometry(OP, &mut params)?;
        let channels = params.size(What::Channels)?;
        let (is_unsigned, codes) = read_codes(&mut params)?;
        insert(OP, Average { geometry, channels, is_unsigned, codes })
    };
    status_or(make())
}

/// `x` `[batch, h, w, channels]`, bytes, to `y` `[batch, h', w', channels]`.
#[wasm_bindgen]
pub fn fixed_average_run(handle: i32, x: usize, batch: usize, y: usize) -> i32 {
    fn run<T: Byte>(of: &Average, x: usize, batch: usize, y: usize) -> Result<()> {
        let memory = Memory::new(OP);
        let len = |pixels| checked_area(OP, batch, checked_area(OP, pixels, of.channels)?);
        let x = memory.read::<T>(x, len(of.geometry.input_pixels())?)?;
        let y = memory.write(y, len(of.geometry.output_pixels())?)?;
        fixed_point::average(of.geometry, of.channels, x, batch, of.codes, y)
    }
    status(with(OP, handle, |of: &Average| {
        (if of.is_unsigned { run::<u8> } else { run::<i8> })(of, x, batch, y)
    }))
}
