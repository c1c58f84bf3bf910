//! The output transform across the border: six words that end the parameters of every integer family.
//!
//! | word | I32 (0) | F32 (1) | Int8 (2) | Bits (3) |
//! |---|---|---|---|---|
//! | 0 | kind | kind | kind | kind |
//! | 1 | - | pointer to f32 `scale[N]` | pointer to f32 `multiplier[N]` | pointer to int32 `thresholds[N]` |
//! | 2 | - | pointer to f32 `bias[N]` | pointer to int32 `bias[N]` | - |
//! | 3 | - | - | zero point | - |
//! | 4, 5 | - | clamp, as float bits | clamp, integers | - |

use lowbit_kernels::buffer::Buffer;
use lowbit_kernels::error::{KernelError, Op, Result, What};
use lowbit_kernels::output::{OutputKind, OutputMut, OutputTransform};

use crate::memory::Memory;
use crate::params::Params;

/// Words that [`read_transform`] reads.
pub(crate) const OUTPUT_WORDS: usize = 6;

/// Copies a transform of `n` columns out of the memory.
pub(crate) fn read_transform(
    memory: &Memory,
    op: Op,
    params: &mut Params<'_>,
    n: usize,
) -> Result<OutputTransform> {
    let (kind, first, second) = (params.int(), params.pointer(), params.pointer());
    let zero_point = params.int();
    let clamp = [params.int(), params.int()];
    match kind {
        0 => Ok(OutputTransform::I32),
        1 => Ok(OutputTransform::F32 {
            scale: Buffer::from_slice(op, memory.read(first, n)?)?,
            bias: Buffer::from_slice(op, memory.read(second, n)?)?,
            clamp: clamp.map(|bits| f32::from_bits(bits as u32)),
        }),
        2 => Ok(OutputTransform::Int8 {
            multiplier: Buffer::from_slice(op, memory.read(first, n)?)?,
            bias: Buffer::from_slice(op, memory.read(second, n)?)?,
            zero_point,
            clamp,
        }),
        3 => Ok(OutputTransform::Bits { thresholds: Buffer::from_slice(op, memory.read(first, n)?)? }),
        other => Err(KernelError::range(op, What::OutputKind, 3, other as usize)),
    }
}

/// `len` output elements (for bits: words) of kind `kind` at `pointer`.
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
