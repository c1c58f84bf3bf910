//! What follows an axis and has a result at each of its positions: running sums and softmax.

use super::{Lines, OP, slice, slice_mut};
use crate::dtype::{BLOCK, DType, load_floats, load_integers, store_floats, store_integers};
use crate::error::{KernelError, Result, What, check_shape, checked_area};

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlongKind {
    /// The sum of the elements up to this one.
    CumSum {
        /// Without this one.
        exclusive: bool,
        /// From the last one on.
        reverse: bool,
    },
    /// exp(x - largest) / sum of them
    Softmax,
    /// x - largest - log(sum of exp(x - largest))
    LogSoftmax,
}

/// A computation along the middle axis of an array of one type.
#[derive(Clone, Copy, Debug)]
pub struct Along {
    kind: AlongKind,
    dtype: DType,
    lines: Lines,
}

impl Along {
    /// # Errors
    /// `Range` for the softmax of integers.
    pub fn new(kind: AlongKind, dtype: DType, lines: Lines) -> Result<Self> {
        if !dtype.is_float() && !matches!(kind, AlongKind::CumSum { .. }) {
            return Err(KernelError::range(OP, What::Kind, DType::F32 as usize, dtype as usize));
        }
        Ok(Self { kind, dtype, lines })
    }

    /// Computes y, of x's type and shape.
    ///
    /// # Errors
    /// `Shape` where a slice does not have its length, `Memory` where it has too many elements.
    pub fn run(&self, x: &[u8], y: &mut [u8]) -> Result<()> {
        let bytes = checked_area(OP, self.lines.elements()?, self.dtype.size())?;
        check_shape(OP, What::Bytes, bytes, x.len())?;
        check_shape(OP, What::Bytes, bytes, y.len())?;
        let Self { dtype, lines, .. } = *self;
        let unsigned = dtype == DType::Uint64;
        match self.kind {
            AlongKind::CumSum { exclusive, reverse } if dtype.is_float() => {
                let scan = Scan { size: dtype.size(), lines, exclusive, reverse };
                scan.run(
                    x,
                    y,
                    |a, b| a + b,
                    |x, to| load_floats(x, dtype, to),
                    |values, y| {
                        store_floats(values, dtype, true, y);
                    },
                );
            }
            AlongKind::CumSum { exclusive, reverse } => {
                let scan = Scan { size: dtype.size(), lines, exclusive, reverse };
                scan.run(
                    x,
                    y,
                    i64::wrapping_add,
                    |x, to| load_integers(x, dtype, to),
                    |values, y| {
                        store_integers(values, unsigned, dtype, y);
                    },
                );
            }
            kind => self.softmax(x, y, kind == AlongKind::LogSoftmax),
        }
        Ok(())
    }

    fn softmax(&self, x: &[u8], y: &mut [u8], log: bool) {
        let Self { dtype, lines, .. } = *self;
        let size = dtype.size();
        let mut values = [0.0; BLOCK];
        for group in lines.groups(BLOCK) {
            let (mut most, mut sums) = ([f64::NEG_INFINITY; BLOCK], [0.0; BLOCK]);
            lines.follow(group, BLOCK, false, &mut |block| {
                load_floats(slice(x, block.at, block.count, size), dtype, &mut values);
                for (i, value) in values[..block.count].iter().enumerate() {
                    let most = &mut most[i * block.lane];
                    *most = if *value > *most { *value } else { *most };
                }
            });
            lines.follow(group, BLOCK, false, &mut |block| {
                load_floats(slice(x, block.at, block.count, size), dtype, &mut values);
                for (i, value) in values[..block.count].iter().enumerate() {
                    sums[i * block.lane] += libm::exp(value - most[i * block.lane]);
                }
            });
            let logs = sums.map(|sum| if log { libm::log(sum) } else { 0.0 });
            lines.follow(group, BLOCK, false, &mut |block| {
                load_floats(slice(x, block.at, block.count, size), dtype, &mut values);
                let values = &mut values[..block.count];
                for (i, value) in values.iter_mut().enumerate() {
                    let lane = i * block.lane;
                    let above = *value - most[lane];
                    *value = if log { above - logs[lane] } else { libm::exp(above) / sums[lane] };
                }
                store_floats(values, dtype, true, slice_mut(y, block.at, block.count, size));
            });
        }
    }
}

struct Scan {
    /// Bytes of an element.
    size: usize,
    lines: Lines,
    exclusive: bool,
    reverse: bool,
}

impl Scan {
    fn run<T: Copy + Default>(
        &self,
        x: &[u8],
        y: &mut [u8],
        add: impl Fn(T, T) -> T,
        load: impl Fn(&[u8], &mut [T]),
        store: impl Fn(&[T], &mut [u8]),
    ) {
        let mut values = [T::default(); BLOCK];
        for group in self.lines.groups(BLOCK) {
            let mut sums = [T::default(); BLOCK];
            self.lines.follow(group, BLOCK, self.reverse, &mut |block| {
                let values = &mut values[..block.count];
                load(slice(x, block.at, block.count, self.size), values);
                for i in 0..block.count {
                    let i = if self.reverse { block.count - 1 - i } else { i };
                    let sum = &mut sums[i * block.lane];
                    let after = add(*sum, values[i]);
                    values[i] = if self.exclusive { *sum } else { after };
                    *sum = after;
                }
                store(values, slice_mut(y, block.at, block.count, self.size));
            });
        }
    }
}
