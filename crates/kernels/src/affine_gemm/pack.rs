//! Codes into panels.

use super::OP;
use crate::buffer::Buffer;
use crate::error::{KernelError, Result, What, check_range, check_shape, checked_area};
use crate::layout::{MAX_K, code_at, code_row_bytes};
use crate::tier::Tier;

/// Columns of a panel.
pub(super) const COLUMNS: usize = 16;
/// Groups are padded to a multiple of this many codes.
pub(super) const DEPTH: usize = 16;

/// Weights as they come: `code[n, k]` stands for the integer `code - zero_point`.
#[derive(Clone, Copy, Debug)]
pub struct AffineCodes<'a> {
    /// Output columns N, at least 1.
    pub columns: usize,
    /// K, 1..=2^20.
    pub depth: usize,
    /// Weights of a row that share a zero point and a scale, 1..=K; K where the whole row does.
    pub group_size: usize,
    /// Per code, 1..=8; kept at 2, 4 or 8.
    pub bits: usize,
    /// `[N, ceil(K * bits / 8)]`, least significant bit first.
    pub codes: &'a [u8],
    /// One for the tensor, or `[N, groups]`.
    pub zero_points: &'a [i32],
}

/// The activations: bytes of which each stands for `x - zero_point`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AffineInput {
    /// uint8, not int8.
    pub unsigned: bool,
    /// Inside the type's range.
    pub zero_point: i32,
}

impl AffineInput {
    /// The largest magnitude of `x - zero_point`.
    fn reach(self) -> i64 {
        let (low, high) = self.range();
        i64::from((high - self.zero_point).max(self.zero_point - low))
    }

    fn range(self) -> (i32, i32) {
        if self.unsigned { (0, 255) } else { (-128, 127) }
    }

    /// The element that stands for 0.
    #[must_use]
    pub fn zero(self) -> i8 {
        self.zero_point as i8
    }
}

/// Packed weights.
pub(super) struct Packed {
    pub(super) columns: usize,
    pub(super) depth: usize,
    pub(super) group_size: usize,
    /// Bits that a code is kept in: 8, 4 or 2.
    pub(super) width: usize,
    pub(super) input: AffineInput,
    pub(super) tier: Tier,
    /// `[panel][group][word][16]`
    pub(super) words: Buffer<u32>,
    /// `[panel][group][16]`: what the sum of the prepared activations is multiplied with and taken out; 0 at width 8.
    pub(super) zeros: Buffer<i32>,
    /// `[panel][group][16]`: what is taken out of every sum.
    pub(super) fixed: Buffer<i32>,
    /// The largest magnitude that a sum of one group can have.
    pub(super) largest: i64,
}

impl Packed {
    /// Checks and packs.
    pub(super) fn new(tier: Tier, weights: &AffineCodes<'_>, input: AffineInput) -> Result<Self> {
        let AffineCodes { columns, depth, group_size, bits, codes, zero_points } = *weights;
        check_range(OP, What::Columns, 1, i64::from(i32::MAX), columns as i64)?;
        check_range(OP, What::Depth, 1, MAX_K as i64, depth as i64)?;
        check_range(OP, What::GroupSize, 1, depth as i64, group_size as i64)?;
        check_range(OP, What::Bits, 1, 8, bits as i64)?;
        let row = code_row_bytes(depth, bits);
        check_shape(OP, What::Codes, checked_area(OP, columns, row)?, codes.len())?;
        let groups = depth.div_ceil(group_size);
        if zero_points.len() != 1 {
            check_shape(OP, What::ZeroPoint, checked_area(OP, columns, groups)?, zero_points.len())?;
        }
        let (low, high) = input.range();
        check_range(OP, What::ZeroPoint, i64::from(low), i64::from(high), i64::from(input.zero_point))?;

        let width = match bits {
            1 | 2 => 2,
            3 | 4 => 4,
            _ => 8,
        };
        let words = group_size.next_multiple_of(DEPTH) * width / 32;
        let panels = columns.div_ceil(COLUMNS);
        let cells = checked_area(OP, panels * COLUMNS, groups)?;
        let mut packed = Self {
            columns,
            depth,
            group_size,
            width,
            input,
            tier,
            words: Buffer::zeroed(OP, checked_area(OP, cells, words)?)?,
            zeros: Buffer::zeroed(OP, cells)?,
            fixed: Buffer::zeroed(OP, cells)?,
            largest: 0,
        };
        for (n, codes) in codes.chunks_exact(row).enumerate() {
            for group in 0..groups {
                let zero = zero_points.get(n * groups + group).unwrap_or(&zero_points[0]);
                packed.pack_group(n, group, words, *zero, |k| i32::from(code_at(codes, bits, k)))?;
            }
        }
        Ok(packed)
    }

    /// Packs the codes of one column in one group.
    fn pack_group(
        &mut self,
        n: usize,
        group: usize,
        words: usize,
        zero: i32,
        code: impl Fn(usize) -> i32,
    ) -> Result<()> {
        let (first, end) = (group * self.group_size, self.depth.min((group + 1) * self.group_size));
        let fields = 8 / self.width;
        let cell = (n / COLUMNS * self.groups() + group) * COLUMNS + n % COLUMNS;
        let column = (n / COLUMNS * self.groups() + group) * words * COLUMNS + n % COLUMNS;
        // So that no product below can leave 64 bits; codes are below 256, so no zero point beyond this is of use.
        check_range(OP, What::ZeroPoint, -(1 << 20), 1 << 20, i64::from(zero))?;
        let (mut sum, mut magnitude) = (0_i64, 0_i64);
        for k in first..end {
            let weight = code(k) - zero;
            if self.width == 8 && i8::try_from(weight).is_err() {
                let bound = if weight < 0 { -128 } else { 127 };
                return Err(KernelError::new(
                    crate::error::ErrorCode::Range,
                    OP,
                    What::Code,
                    bound,
                    i64::from(weight),
                ));
            }
            sum += i64::from(weight);
            magnitude += i64::from(weight).abs();
            let (block, within) = ((k - first) / (4 * fields), (k - first) % (4 * fields));
            let (field, byte) = (within / 4, within % 4);
            let kept = if self.width == 8 { weight as u8 } else { code(k) as u8 };
            self.words[column + block * COLUMNS] |= u32::from(kept) << (8 * byte + self.width * field);
        }
        self.largest = self.largest.max(magnitude * self.input.reach());
        if self.width < 8 {
            self.zeros[cell] = zero;
        }
        if self.by_bytes() {
            // Wrapping, as the sums it is taken out of: the end result fits, which `largest` makes sure of.
            self.fixed[cell] = (sum * i64::from(self.byte_zero_point())) as i32;
        }
        Ok(())
    }

    pub(super) fn groups(&self) -> usize {
        self.depth.div_ceil(self.group_size)
    }

    pub(super) fn panels(&self) -> usize {
        self.columns.div_ceil(COLUMNS)
    }

    /// Codes of a group with their padding.
    pub(super) fn padded_group(&self) -> usize {
        self.group_size.next_multiple_of(DEPTH)
    }

    /// Words of one column in one group.
    pub(super) fn group_words(&self) -> usize {
        self.padded_group() * self.width / 32
    }

    /// Whether activations are kept as bytes, for the relaxed dot.
    pub(super) fn by_bytes(&self) -> bool {
        self.tier.effective() == Tier::Relaxed && self.width < 8
    }

    /// The zero point after uint8 was recentred to int8.
    pub(super) fn byte_zero_point(&self) -> i32 {
        self.input.zero_point - if self.input.unsigned { 128 } else { 0 }
    }

    pub(super) fn byte_len(&self) -> usize {
        self.words.byte_len() + self.zeros.byte_len() + self.fixed.byte_len()
    }
}
