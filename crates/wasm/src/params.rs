//! Blocks of int32 parameters.

use lowbit_kernels::error::{KernelError, Op, Result, What, check_shape};

use crate::memory::Memory;

/// Reads a block word by word.
pub(crate) struct Params<'a> {
    op: Op,
    words: core::slice::Iter<'a, i32>,
}

impl<'a> Params<'a> {
    /// The block at `pointer`, which must be exactly `expected` words long.
    pub(crate) fn new(
        memory: &'a Memory,
        op: Op,
        pointer: usize,
        words: usize,
        expected: usize,
    ) -> Result<Self> {
        check_shape(op, What::Parameters, expected, words)?;
        Ok(Self { op, words: memory.read::<i32>(pointer, words)?.iter() })
    }

    /// The next word as it is.
    pub(crate) fn int(&mut self) -> i32 {
        *self.words.next().expect("a family reads as many words as it says")
    }

    /// The next word as the bits of a float.
    pub(crate) fn float(&mut self) -> f32 {
        f32::from_bits(self.int() as u32)
    }

    /// The next word as a pointer.
    pub(crate) fn pointer(&mut self) -> usize {
        self.int() as u32 as usize
    }

    /// The next word as a size; a negative one is refused as `what`.
    pub(crate) fn size(&mut self, what: What) -> Result<usize> {
        let value = self.int();
        usize::try_from(value).map_err(|_| KernelError::range(self.op, what, 0, value as usize))
    }

    /// The next word as 0 or 1.
    pub(crate) fn flag(&mut self, what: What) -> Result<bool> {
        match self.int() {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(KernelError::range(self.op, what, 1, other as usize)),
        }
    }
}
