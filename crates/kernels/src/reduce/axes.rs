//! Reductions over any axes.

use super::{OP, slice, slice_mut};
use crate::dtype::{BLOCK, DType, load_floats, load_integers, store_floats, store_integers};
use crate::error::{KernelError, Result, What, check_range, check_shape};

/// Axes that a shape may have.
const MAX_AXES: usize = 8;

/// What is made of the n elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reduction {
    /// Their sum; 0 of none.
    Sum,
    /// Sum / n; NaN of none. Integers cut it.
    Mean,
    /// The product; 1 of none.
    Prod,
    /// The largest; NaN where one is. Of none -infinity, or the type's smallest.
    Max,
    /// The smallest; NaN where one is. Of none infinity, or the type's largest.
    Min,
    /// The sum of magnitudes.
    L1,
    /// The root of the sum of squares.
    L2,
    /// The sum of squares.
    SumSquare,
    /// The logarithm of the sum.
    LogSum,
    /// The logarithm of the sum of exp(x), whose largest x is taken out before.
    LogSumExp,
}

/// Every reduction, by its number across the border.
pub const REDUCTIONS: &[Reduction] = &[
    Reduction::Sum,
    Reduction::Mean,
    Reduction::Prod,
    Reduction::Max,
    Reduction::Min,
    Reduction::L1,
    Reduction::L2,
    Reduction::SumSquare,
    Reduction::LogSum,
    Reduction::LogSumExp,
];

/// Adds a block to the chains, one element to each.
type Fold<T> = fn(&mut [T], &[T]);

fn fold<T: Copy>(sums: &mut [T], x: &[T], of: impl Fn(T, T) -> T) {
    for (sum, &x) in sums.iter_mut().zip(x) {
        *sum = of(*sum, x);
    }
}

fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

fn smaller(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { a } else { b }
}

/// The chain's start, what an element does to it, and what chains do to each other.
struct Chain<T> {
    start: T,
    fold: Fold<T>,
    join: Fold<T>,
}

impl Reduction {
    fn floats(self) -> Chain<f64> {
        let add: Fold<f64> = |sums, x| fold(sums, x, |sum, x| sum + x);
        match self {
            Self::Sum | Self::Mean | Self::LogSum => Chain { start: 0.0, fold: add, join: add },
            Self::Prod => {
                let fold: Fold<f64> = |sums, x| fold(sums, x, |sum, x| sum * x);
                Chain { start: 1.0, fold, join: fold }
            }
            Self::Max => {
                let fold: Fold<f64> = |sums, x| fold(sums, x, larger);
                Chain { start: f64::NEG_INFINITY, fold, join: fold }
            }
            Self::Min => {
                let fold: Fold<f64> = |sums, x| fold(sums, x, smaller);
                Chain { start: f64::INFINITY, fold, join: fold }
            }
            Self::L1 => {
                Chain { start: 0.0, fold: |sums, x| fold(sums, x, |sum, x| sum + x.abs()), join: add }
            }
            Self::L2 | Self::SumSquare => {
                Chain { start: 0.0, fold: |sums, x| fold(sums, x, |sum, x| sum + x * x), join: add }
            }
            Self::LogSumExp => {
                Chain { start: 0.0, fold: |sums, x| fold(sums, x, |sum, x| sum + libm::exp(x)), join: add }
            }
        }
    }

    /// Of those that stay integers; those of uint64 are compared after their upper bit was turned.
    fn integers(self, dtype: DType) -> Option<Chain<i64>> {
        let add: Fold<i64> = |sums, x| fold(sums, x, i64::wrapping_add);
        let (low, high) = if dtype == DType::Uint64 { (i64::MIN, i64::MAX) } else { dtype.range() };
        Some(match self {
            Self::Sum => Chain { start: 0, fold: add, join: add },
            Self::Prod => {
                let fold: Fold<i64> = |sums, x| fold(sums, x, i64::wrapping_mul);
                Chain { start: 1, fold, join: fold }
            }
            Self::Max => {
                let fold: Fold<i64> = |sums, x| fold(sums, x, i64::max);
                Chain { start: low, fold, join: fold }
            }
            Self::Min => {
                let fold: Fold<i64> = |sums, x| fold(sums, x, i64::min);
                Chain { start: high, fold, join: fold }
            }
            Self::L1 if dtype == DType::Uint64 => Chain { start: 0, fold: add, join: add },
            Self::L1 => Chain {
                start: 0,
                fold: |sums, x| fold(sums, x, |sum, x| sum.wrapping_add(x.wrapping_abs())),
                join: add,
            },
            Self::SumSquare => Chain {
                start: 0,
                fold: |sums, x| fold(sums, x, |sum, x| sum.wrapping_add(x.wrapping_mul(x))),
                join: add,
            },
            _ => return None,
        })
    }
}

/// An axis or several joined ones: elements, and how far apart they are in x.
type Axis = (usize, usize);

/// A reduction of a fixed shape and type.
#[derive(Clone, Debug)]
pub struct Reduce {
    kind: Reduction,
    dtype: DType,
    kept: Vec<Axis>,
    reduced: Vec<Axis>,
    /// Outputs that lie side by side in x, and elements of one output that do: one of the two is 1.
    width: usize,
    run: usize,
    lengths: [usize; 2],
}

impl Reduce {
    /// # Arguments
    /// - `shape`: of x, at most 8 axes.
    /// - `over`: per axis whether it is reduced. The output has the others in their order.
    ///
    /// # Errors
    /// `Range` for too many axes, and for logarithms of bools; `Shape` where the lists differ in length; `Memory` where x has too many elements.
    pub fn new(kind: Reduction, dtype: DType, shape: &[usize], over: &[bool]) -> Result<Self> {
        check_range(OP, What::Axis, 0, MAX_AXES as i64, shape.len() as i64)?;
        check_shape(OP, What::Axis, shape.len(), over.len())?;
        let mut lengths = [1_usize; 2];
        let (mut kept, mut reduced): (Vec<Axis>, Vec<Axis>) = (Vec::new(), Vec::new());
        let mut inside = None;
        for (&size, &is_reduced) in shape.iter().zip(over).rev() {
            let stride = lengths[0];
            let next = |length: usize| length.checked_mul(size).ok_or(KernelError::memory(OP, usize::MAX));
            lengths[0] = next(stride)?;
            if !is_reduced {
                lengths[1] = next(lengths[1])?;
            }
            if size == 1 {
                continue;
            }
            let axes = if is_reduced { &mut reduced } else { &mut kept };
            match axes.last_mut() {
                // Neighbours of one kind are one longer axis.
                Some(inner) if inside == Some(is_reduced) => inner.0 *= size,
                _ => axes.push((size, stride)),
            }
            inside = Some(is_reduced);
        }
        kept.reverse();
        reduced.reverse();
        let (mut width, mut run) = (1, 1);
        match (kept.last(), reduced.last()) {
            (Some(&(size, 1)), _) => {
                width = size;
                kept.pop();
            }
            (_, Some(&(size, 1))) => {
                run = size;
                reduced.pop();
            }
            _ => {}
        }
        Ok(Self { kind, dtype, kept, reduced, width, run, lengths })
    }

    /// Bytes of x and y.
    pub fn bytes(&self) -> [usize; 2] {
        self.lengths.map(|length| length * self.dtype.size())
    }

    /// Computes y.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length.
    pub fn run(&self, x: &[u8], y: &mut [u8]) -> Result<()> {
        for (expected, got) in self.bytes().into_iter().zip([x.len(), y.len()]) {
            check_shape(OP, What::Bytes, expected, got)?;
        }
        let Self { kind, dtype, .. } = *self;
        let integers = if dtype.is_float() { None } else { kind.integers(dtype) };
        // Of uint64 the order is that of the bits with the upper one turned.
        let turn = if dtype == DType::Uint64 && matches!(kind, Reduction::Max | Reduction::Min) {
            i64::MIN
        } else {
            0
        };
        if let Some(chain) = integers {
            let load = |bytes: &[u8], values: &mut [i64]| {
                load_integers(bytes, dtype, values);
                for value in values {
                    *value ^= turn;
                }
            };
            self.outputs(y, &mut |at, y| {
                let mut sums = [0; BLOCK];
                let count = y.len() / dtype.size();
                self.sum(x, at, &mut sums, count, &chain, &load);
                for sum in &mut sums[..count] {
                    *sum ^= turn;
                }
                store_integers(&sums[..count], dtype == DType::Uint64, dtype, y);
            });
            return Ok(());
        }
        let n = self.run as f64 * self.reduced.iter().map(|(size, _)| *size as f64).product::<f64>();
        let (chain, largest) = (kind.floats(), Reduction::Max.floats());
        let load = |bytes: &[u8], values: &mut [f64]| load_floats(bytes, dtype, values);
        self.outputs(y, &mut |at, y| {
            let (mut sums, mut most) = ([0.0; BLOCK], [0.0; BLOCK]);
            let count = y.len() / dtype.size();
            if kind == Reduction::LogSumExp {
                self.sum(x, at, &mut most, count, &largest, &load);
                // Infinities stay where they are.
                for most in &mut most {
                    *most = if most.is_finite() { *most } else { 0.0 };
                }
            }
            let shift = |bytes: &[u8], values: &mut [f64]| {
                load(bytes, values);
                let one = self.run > 1;
                for (i, value) in values.iter_mut().enumerate() {
                    *value -= most[if one { 0 } else { i }];
                }
            };
            if kind == Reduction::LogSumExp {
                self.sum(x, at, &mut sums, count, &chain, &shift);
            } else {
                self.sum(x, at, &mut sums, count, &chain, &load);
            }
            for (sum, most) in sums.iter_mut().zip(most) {
                match kind {
                    Reduction::Mean => *sum /= n,
                    Reduction::L2 => *sum = sum.sqrt(),
                    Reduction::LogSum | Reduction::LogSumExp => *sum = libm::log(*sum) + most,
                    _ => {}
                }
            }
            store_floats(&sums[..count], dtype, true, y);
        });
        Ok(())
    }

    /// Calls `each` with where in x the first elements of up to [`BLOCK`] outputs side by side are, and those outputs.
    fn outputs(&self, y: &mut [u8], each: &mut dyn FnMut(usize, &mut [u8])) {
        let size = self.dtype.size();
        let mut done = 0;
        odometer(&self.kept, &mut |base| {
            for at in (0..self.width).step_by(BLOCK) {
                let count = BLOCK.min(self.width - at);
                each(base + at, slice_mut(y, done, count, size));
                done += count;
            }
        });
    }

    /// The chains of `count` outputs side by side, whose first elements are at `at`, or of the one there.
    fn sum<T: Copy + Default>(
        &self,
        x: &[u8],
        at: usize,
        sums: &mut [T; BLOCK],
        count: usize,
        chain: &Chain<T>,
        load: &dyn Fn(&[u8], &mut [T]),
    ) {
        let size = self.dtype.size();
        let mut values = [T::default(); BLOCK];
        sums.fill(chain.start);
        odometer(&self.reduced, &mut |offset| {
            for start in (0..self.run).step_by(BLOCK) {
                let count = if self.run > 1 { BLOCK.min(self.run - start) } else { count };
                let values = &mut values[..count];
                load(slice(x, at + offset + start, count, size), values);
                (chain.fold)(sums, values);
            }
        });
        if self.run > 1 {
            let (first, others) = sums.split_at_mut(1);
            for other in &others[..BLOCK.min(self.run) - 1] {
                (chain.join)(first, core::slice::from_ref(other));
            }
        }
    }
}

/// Calls `visit` with the offset of every combination of the axes, the last of which moves fastest.
fn odometer(axes: &[Axis], visit: &mut dyn FnMut(usize)) {
    let mut index = [0; MAX_AXES];
    let mut offset = 0;
    for _ in 0..axes.iter().map(|(size, _)| size).product() {
        visit(offset);
        for ((size, stride), i) in axes.iter().zip(&mut index).rev() {
            *i += 1;
            offset += stride;
            if *i < *size {
                break;
            }
            offset -= stride * size;
            *i = 0;
        }
    }
}
