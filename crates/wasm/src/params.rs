//! Blocks of int32 parameters, as `Parameters` in `packages/core/src/kernels/kernel-object.ts` writes them: integers as they are, floats as
//! their bits, an array as its pointer and its length in elements (both 0 where it is absent).

use lowbit_kernels::buffer::Element;
use lowbit_kernels::error::{ErrorCode, KernelError, Op, Result, What, check_shape};

use crate::memory::Memory;

/// Reads a block word by word.
pub struct Params<'a> {
    memory: &'a Memory,
    op: Op,
    words: &'a [i32],
    read: usize,
}

impl<'a> Params<'a> {
    /// The block of `words` words at `pointer`.
    pub fn new(memory: &'a Memory, op: Op, pointer: usize, words: usize) -> Result<Self> {
        Ok(Self { memory, op, words: memory.read::<i32>(pointer, words)?, read: 0 })
    }

    /// The next word; a block that ends before is refused.
    #[inline(never)]
    pub fn int(&mut self) -> Result<i32> {
        let word = self.words.get(self.read).copied();
        self.read += 1;
        word.ok_or(KernelError::shape(self.op, What::Parameters, self.read, self.words.len()))
    }

    /// The next word as the bits of a float.
    pub fn float(&mut self) -> Result<f32> {
        Ok(f32::from_bits(self.int()? as u32))
    }

    /// The next word as an address, which memory checks when it is used.
    pub fn pointer(&mut self) -> Result<usize> {
        Ok(self.int()? as u32 as usize)
    }

    /// The next word as a size; a negative one is refused as `what`.
    #[inline(never)]
    pub fn size(&mut self, what: What) -> Result<usize> {
        let value = self.int()?;
        usize::try_from(value)
            .map_err(|_| KernelError::new(ErrorCode::Range, self.op, what, 0, i64::from(value)))
    }

    /// The next two words as the bits of a clamp's bounds.
    #[inline(never)]
    pub fn clamp(&mut self) -> Result<(f32, f32)> {
        Ok((self.float()?, self.float()?))
    }

    /// The next word as 0 or 1.
    #[inline(never)]
    pub fn flag(&mut self, what: What) -> Result<bool> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(KernelError::new(ErrorCode::Range, self.op, what, 1, i64::from(other))),
        }
    }

    /// The next two words as an array.
    pub fn array<T: Element>(&mut self) -> Result<&'a [T]> {
        let pointer = self.pointer()?;
        let len = self.int()? as u32 as usize;
        self.memory.read(pointer, len)
    }

    /// Refuses a block that is longer than what was read.
    pub const fn end(&self) -> Result<()> {
        check_shape(self.op, What::Parameters, self.read, self.words.len())
    }
}
