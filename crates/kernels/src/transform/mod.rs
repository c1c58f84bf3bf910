//! Operators that move elements without computing, and casts.
//!
//! Transposition and padding see elements as 1, 2, 4 or 8 bytes and nothing more, so one implementation serves every type.

mod cast;
mod copy;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod transpose;

pub use cast::{DType, cast};
pub(crate) use cast::{f16_to_f32, f32_to_f16};
pub use copy::{Pad, copy_rows};
pub use transpose::Transpose;

use crate::error::{KernelError, Op, Result, What, check_range};

const OP: Op = Op::Transform;
const MAX_AXES: usize = 8;

/// Elements of a shape of at most 8 axes.
fn elements(shape: &[usize]) -> Result<usize> {
    check_range(OP, What::Axis, 0, MAX_AXES as i64, shape.len() as i64)?;
    let product = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    product.filter(|&n| n <= isize::MAX as usize / 8).ok_or(KernelError::memory(OP, usize::MAX))
}
