//! Functions of any types on any bits equal their formula on one element after the other, and conversions never leave their buffers.

use arbitrary::Arbitrary;
use lowbit_kernels::arithmetic::naive::{Number, apply, offsets, read, write};
use lowbit_kernels::arithmetic::{Arithmetic, FUNCTIONS, Function, Operand};
use lowbit_kernels::dtype::{DTYPES, DType};

use crate::cycle;

/// Shapes, types and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    axes: [u8; 4],
    function: u8,
    types: [u8; 2],
    values: &'a [u8],
}

/// Elements of any bits that the type has.
fn elements(bytes: &[u8], dtype: DType, count: usize, start: usize) -> Vec<u8> {
    let any = cycle(bytes, count * dtype.size(), start);
    match dtype {
        DType::Bool => any.map(|byte| byte & 1).collect(),
        DType::Uint4 => any.map(|byte| byte & 15).collect(),
        DType::Int4 => any.map(|byte| ((byte << 4) as i8 >> 4) as u8).collect(),
        _ => any.collect(),
    }
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let axis = |axis: u8| usize::from(axis % 7) + 1;
        let side = |stretched: u8| self.axes.map(|a| if a & stretched == 0 { axis(a) } else { 1 });
        let shapes = [side(32), side(64), side(128)];
        let pick = |i: usize| DTYPES[usize::from(self.types[i]) % DTYPES.len()];
        let function = FUNCTIONS[usize::from(self.function) % FUNCTIONS.len()];
        let (dtypes, y) = match function {
            Function::Identity => ([pick(0); 3], pick(1)),
            Function::Where => ([DType::Bool, pick(0), pick(0)], pick(0)),
            _ => ([pick(0); 3], pick(0)),
        };
        let data: Vec<Vec<u8>> = (0..3)
            .map(|i| elements(self.values, dtypes[i], shapes[i].iter().product(), 5 * i))
            .collect();
        let operands: Vec<Operand<'_>> = dtypes.iter().zip(&shapes).map(|(d, s)| (*d, &s[..])).collect();
        let Ok(made) = Arithmetic::new(function, &operands, [0.0; 2], y, true) else { return };
        let mut out = vec![0; made.bytes()[3]];
        made.run(Some(&data[0]), &data[1], &data[2], &mut out).expect("valid");
        // The oracle of powers counts; what comes from a library differs in the last place.
        if function as u8 >= Function::Elu as u8 || function == Function::Pow {
            return;
        }
        let at = offsets([&shapes[0], &shapes[1], &shapes[2]]);
        for (got, at) in out.chunks_exact(y.size()).zip(at) {
            let numbers = [0, 1, 2].map(|i| read(dtypes[i], &data[i][at[i] * dtypes[i].size()..]));
            let Some(number) = apply(function, numbers) else { continue };
            let (g, e) = (read(y, got), read(y, &write(y, number)));
            let like = |n: Number| matches!(n, Number::Float(v) if v.is_nan());
            assert!(g == e || like(g) && like(e), "{function:?} {dtypes:?} {numbers:?}: {g:?}, {e:?} expected; {self:?}");
        }
    }
}
