//! Weights from codes to blocks, and how activations are read.

use super::{BLOCK, OP, QUAD};
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::layout::{MAX_K, code_at, code_row_bytes};

/// Weights as a packed file holds them.
#[derive(Clone, Copy, Debug)]
pub struct TernaryWeights<'a> {
    /// Columns N.
    pub columns: usize,
    /// K, at most 2^20.
    pub depth: usize,
    /// Bits per code, 1..=8.
    pub bits: usize,
    /// `[N, ceil(K * bits / 8)]` bytes, least significant bit first; each row starts on a byte.
    pub codes: &'a [u8],
    /// The weight is `code - zero_points[n]`; one value stands for all columns. **Empty: sign codes**, 1 bit, 0 for +1 and 1 for -1.
    pub zero_points: &'a [i32],
}

/// The activations: real = (x - zero point) * scale; the scale is part of the output transform.
#[derive(Clone, Copy, Debug)]
pub struct TernaryInput {
    /// Whether the bytes are uint8.
    pub unsigned: bool,
    /// A value of that type.
    pub zero_point: i32,
}

impl TernaryInput {
    pub(super) fn check(self) -> Result<()> {
        let low = if self.unsigned { 0 } else { -128 };
        check_range(OP, What::ZeroPoint, low, low + 255, i64::from(self.zero_point))
    }

    /// What turns a byte into a signed one: uint8 - 128 is a flip of the top bit.
    pub(super) const fn flip(self) -> u8 {
        if self.unsigned { 0x80 } else { 0 }
    }

    /// The zero point of the flipped bytes.
    pub(super) const fn signed_zero_point(self) -> i32 {
        self.zero_point - self.flip() as i32
    }
}

impl TernaryWeights<'_> {
    pub(super) fn check(&self) -> Result<()> {
        check_range(OP, What::Columns, 1, i64::from(i32::MAX), self.columns as i64)?;
        check_range(OP, What::Depth, 1, MAX_K as i64, self.depth as i64)?;
        let most = if self.zero_points.is_empty() { 1 } else { 8 };
        check_range(OP, What::Bits, 1, most, self.bits as i64)?;
        if self.zero_points.len() > 1 {
            check_shape(OP, What::ZeroPoint, self.columns, self.zero_points.len())?;
        }
        let bytes = checked_area(OP, self.columns, code_row_bytes(self.depth, self.bits))?;
        check_shape(OP, What::Codes, bytes, self.codes.len())
    }

    /// w + 1 of a code, in 0..=2, or why not.
    fn level(&self, n: usize, code: u8) -> Result<u8> {
        let weight = match self.zero_points {
            [] => 1 - 2 * i64::from(code),
            [all] => i64::from(code) - i64::from(*all),
            each => i64::from(code) - i64::from(each[n]),
        };
        match weight {
            -1..=1 => Ok((weight + 1) as u8),
            _ => Err(KernelError::new(ErrorCode::Range, OP, What::Code, weight.signum(), weight)),
        }
    }
}

/// `[N / 4][K / 64][4]`: four columns side by side, one stream through memory.
pub(super) struct Quads {
    pub(super) vectors: Buffer<[u8; 16]>,
}

impl Quads {
    pub(super) fn pack(weights: &TernaryWeights<'_>) -> Result<(Self, Buffer<i32>)> {
        weights.check()?;
        let blocks = weights.depth.div_ceil(BLOCK);
        let cells = checked_area(OP, weights.columns.next_multiple_of(QUAD), blocks)?;
        let mut vectors = Buffer::<[u8; 16]>::zeroed(OP, cells)?;
        let sums = weights.each_level(|n, k, level| {
            let block = (n / QUAD * blocks + k / BLOCK) * QUAD + n % QUAD;
            vectors[block][k % 16] |= level << (k % BLOCK / 16 * 2);
        })?;
        Ok((Self { vectors }, sums))
    }
}

impl TernaryWeights<'_> {
    /// Calls `put(n, k, w + 1)` for every weight; returns the sum of each column's.
    pub(super) fn each_level(&self, mut put: impl FnMut(usize, usize, u8)) -> Result<Buffer<i32>> {
        let bytes = code_row_bytes(self.depth, self.bits);
        let mut sums = Buffer::<i32>::zeroed(OP, self.columns)?;
        for (n, sum) in sums.iter_mut().enumerate() {
            let codes = &self.codes[n * bytes..][..bytes];
            for k in 0..self.depth {
                let level = self.level(n, code_at(codes, self.bits, k))?;
                *sum += i32::from(level) - 1;
                put(n, k, level);
            }
        }
        Ok(sums)
    }
}
