//! Functions of up to three tensors of any element types, element by element, with numpy broadcasting.
//!
//! One [`Function`] serves all types: blocks of 128 elements become f64 or int64 ([`crate::dtype`]), the function is called on them, and what it gives is rounded or cut once. What
//! networks spend time in has loops over f32 that the compiler turns into vectors, with the same results: those functions round once in f32 as well, or compute in f64
//! there, too. Every other one costs a conversion and an indirect call an element, about 5 ns, and up to 30 ns for what `libm` computes.
//!
//! exp, log, tanh, erf and the others come from `libm` in f64, so an f32 result is nearly always the nearest one, and the same in every tier and engine. A NaN's payload is not fixed.

mod functions;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod walk;

use core::array;

pub use functions::{FUNCTIONS, Function};

use crate::dtype::{
    BLOCK, DType, load_floats, load_integers, load_singles, store_floats, store_integers, store_singles,
};
use crate::error::{ErrorCode, KernelError, Op, Result, What, check_range, check_shape};
use functions::{Float, Integer, Single};
use walk::{OPERANDS, Walk};

const OP: Op = Op::Arithmetic;

/// A tensor: its type and shape.
pub type Operand<'a> = (DType, &'a [usize]);

/// `y = function(a, b, c)` for fixed types and shapes.
#[derive(Clone, Debug)]
pub struct Arithmetic {
    compute: Compute,
    /// Tensors among a, b, c; those behind them are constants.
    tensors: usize,
    dtypes: [DType; OPERANDS],
    constants: [f64; OPERANDS],
    y: DType,
    saturate: bool,
    walk: Walk,
}

#[derive(Clone, Copy, Debug)]
enum Compute {
    Single(Single),
    Float(Float),
    /// And whether operands are uint64.
    Integer(Integer, bool),
}

impl Arithmetic {
    /// # Arguments
    /// - `operands`: one to three tensors, of shapes of at most 8 axes that broadcast. They are computed in f64 where one of them is a float, else in int64; of uint64 all are or none.
    /// - `constants`: b and c where they are not tensors; integers take them saturating.
    /// - `y`: the type of the result, whose shape is the broadcast one.
    /// - `saturate`: whether floats of 8 bits saturate (ONNX `Cast`).
    ///
    /// # Errors
    /// `Range` where there are too many operands or axes, or the function has no form for the types; `Shape` where two axes do not fit; `Memory` where the result has too many elements.
    pub fn new(
        function: Function,
        operands: &[Operand<'_>],
        constants: [f64; 2],
        y: DType,
        saturate: bool,
    ) -> Result<Self> {
        let tensors = operands.len();
        check_range(OP, What::Operands, 1, OPERANDS as i64, tensors as i64)?;
        let at = |i: usize| operands.get(i).copied();
        let dtypes: [DType; OPERANDS] = array::from_fn(|i| at(i).map_or(operands[0].0, |(dtype, _)| dtype));
        let unsigned = dtypes.contains(&DType::Uint64) && function != Function::Where;
        let single = |dtype: DType| dtype == DType::F32;
        let singles = (single(dtypes[0]) || function == Function::Where && dtypes[0] == DType::Bool)
            && dtypes[1..tensors].iter().all(|dtype| single(*dtype))
            && matches!(y, DType::F32 | DType::Bool);
        let compute = if dtypes.iter().any(|dtype| dtype.is_float()) {
            match function.single() {
                Some(single) if singles => Some(Compute::Single(single)),
                _ => function.float().map(Compute::Float),
            }
        } else {
            let signed = function.integer();
            let form = if unsigned { function.unsigned().or(signed) } else { signed };
            form.map(|form| Compute::Integer(form, unsigned))
        };
        let refused = KernelError::range(OP, What::Kind, dtypes[0] as usize, function as usize);
        let walk = Walk::new(array::from_fn(|i| at(i).map_or(&[][..], |(_, shape)| shape)))?;
        let constants = [0.0, constants[0], constants[1]];
        Ok(Self { compute: compute.ok_or(refused)?, tensors, dtypes, constants, y, saturate, walk })
    }

    /// Bytes of a, b and c, 0 where they are no tensors, and of y.
    pub fn bytes(&self) -> [usize; OPERANDS + 1] {
        array::from_fn(|i| match self.dtypes.get(i) {
            None => self.walk.len * self.y.size(),
            Some(dtype) if i < self.tensors => self.walk.lengths[i] * dtype.size(),
            Some(_) => 0,
        })
    }

    /// Whether a may be what y is written over: each element is read before it is written.
    pub fn in_place(&self) -> bool {
        self.dtypes[0].size() == self.y.size() && self.walk.lengths[0] == self.walk.len
    }

    /// Computes y.
    ///
    /// # Arguments
    /// - `a`: absent where it is what y holds.
    /// - `b`, `c`: empty where they are no tensors.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, or a is absent and its elements are not y's.
    pub fn run(&self, a: Option<&[u8]>, b: &[u8], c: &[u8], y: &mut [u8]) -> Result<()> {
        if a.is_none() && !self.in_place() {
            return Err(KernelError::new(ErrorCode::Shape, OP, What::Overlap, 0, 1));
        }
        let bytes = self.bytes();
        let lengths = [a.map_or(bytes[0], <[u8]>::len), b.len(), c.len(), y.len()];
        for (expected, got) in bytes.into_iter().zip(lengths) {
            check_shape(OP, What::Bytes, expected, got)?;
        }
        let operands = [a, Some(b), Some(c)];
        match self.compute {
            Compute::Single(function) => {
                self.blocks(operands, y, load_singles, |v| v as f32, function, store_singles);
            }
            Compute::Float(function) => {
                let store =
                    |values: &[f64], dtype, y: &mut [u8]| store_floats(values, dtype, self.saturate, y);
                self.blocks(operands, y, load_floats, |v| v, |x, y| each(x, y, function), store);
            }
            Compute::Integer(function, unsigned) => {
                let constant = |v: f64| if unsigned { v as u64 as i64 } else { v as i64 };
                let store = |values: &[i64], dtype, y: &mut [u8]| store_integers(values, unsigned, dtype, y);
                self.blocks(operands, y, load_integers, constant, |x, y| each(x, y, function), store);
            }
        }
        Ok(())
    }

    fn blocks<T: Copy + Default>(
        &self,
        operands: [Option<&[u8]>; OPERANDS],
        y: &mut [u8],
        load: fn(&[u8], DType, &mut [T]),
        constant: impl Fn(f64) -> T,
        apply: impl Fn([&[T]; OPERANDS], &mut [T]),
        store: impl Fn(&[T], DType, &mut [u8]),
    ) {
        let mut x = self.constants.map(|value| [constant(value); BLOCK]);
        let mut results = [T::default(); BLOCK];
        self.walk.blocks(BLOCK, &mut |from, to| {
            let count = to.len();
            let to = to.start * self.y.size()..to.end * self.y.size();
            for i in 0..self.tensors {
                let (dtype, moves) = (self.dtypes[i], self.walk.moves(i));
                let start = from[i] * dtype.size();
                let read = if moves { count } else { 1 };
                let bytes = start..start + read * dtype.size();
                // In place, what a is read from is what y is written to.
                let bytes = operands[i].map_or_else(|| &y[to.clone()], |operand| &operand[bytes]);
                load(bytes, dtype, &mut x[i][..read]);
                if !moves {
                    let value = x[i][0];
                    x[i][..count].fill(value);
                }
            }
            apply(x.each_ref().map(|x| &x[..count]), &mut results[..count]);
            store(&results[..count], self.y, &mut y[to]);
        });
    }
}

fn each<T: Copy>(x: [&[T]; OPERANDS], y: &mut [T], function: fn(T, T, T) -> T) {
    let [a, b, c] = x.map(|x| &x[..y.len()]);
    for (i, y) in y.iter_mut().enumerate() {
        *y = function(a[i], b[i], c[i]);
    }
}
