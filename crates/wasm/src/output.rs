//! The output transform across the border, as `writeOutput` in `packages/core/src/kernels/output.ts` writes it:
//!
//! | kind | words behind it |
//! |---|---|
//! | 0 int32 | - |
//! | 1 f32 | scale (f32 array), bias (f32 array or absent: zeros), clamp low, clamp high (floats) |
//! | 2 int8, uint8 | multiplier (f32 array), bias (int32 array or absent: zeros), zero point, clamp low, clamp high (integers) |
//! | 3 bits | thresholds (int32 array) |

use lowbit_kernels::buffer::{Buffer, Element};
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What};
use lowbit_kernels::output::{OutputKind, OutputMut, OutputTransform};

use crate::memory::Memory;
use crate::params::Params;

/// Copies a transform of `n` columns out of the memory; its lengths are checked where it is bound to weights.
#[cfg_attr(
    not(any(feature = "bits", feature = "bytes")),
    expect(dead_code, reason = "products of floats end as floats")
)]
#[inline(never)]
pub(crate) fn read_transform(op: Op, params: &mut Params<'_>, n: usize) -> Result<OutputTransform> {
    match params.int()? {
        0 => Ok(OutputTransform::I32),
        1 => Ok(OutputTransform::F32 {
            scale: Buffer::from_slice(op, params.array()?)?,
            bias: or_zeros(op, params.array()?, n)?,
            clamp: [params.float()?, params.float()?],
        }),
        2 => Ok(OutputTransform::Int8 {
            multiplier: Buffer::from_slice(op, params.array()?)?,
            bias: or_zeros(op, params.array()?, n)?,
            zero_point: params.int()?,
            clamp: [params.int()?, params.int()?],
        }),
        3 => Ok(OutputTransform::Bits { thresholds: Buffer::from_slice(op, params.array()?)? }),
        other => Err(KernelError::new(ErrorCode::Range, op, What::OutputKind, 3, i64::from(other))),
    }
}

/// A copy of `values`, or `n` zeros where there are none.
pub(crate) fn or_zeros<T: Element>(op: Op, values: &[T], n: usize) -> Result<Buffer<T>> {
    if values.is_empty() { Buffer::zeroed(op, n) } else { Buffer::from_slice(op, values) }
}

/// `len` output elements (for bits: words) of kind `kind` at `pointer`.
#[inline(never)]
pub(crate) fn output_at(
    memory: &Memory,
    kind: OutputKind,
    pointer: usize,
    len: usize,
) -> Result<OutputMut<'_>> {
    Ok(match kind {
        OutputKind::I32 => OutputMut::I32(memory.write(pointer, len)?),
        OutputKind::F32 => OutputMut::F32(memory.write(pointer, len)?),
        OutputKind::Int8 => OutputMut::Int8(memory.write(pointer, len)?),
        OutputKind::Bits => OutputMut::Bits(memory.write(pointer, len)?),
    })
}
