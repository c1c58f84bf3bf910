//! Codes into panels.

use super::OP;
use super::dispatch::Form;
use crate::buffer::Buffer;
use crate::error::{Result, What, check_range, check_shape, checked_area};
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
    pub(crate) fn reach(self) -> i64 {
        let (low, high) = self.range();
        i64::from((high - self.zero_point).max(self.zero_point - low))
    }

    pub(crate) fn range(self) -> (i32, i32) {
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
    pub(super) form: Form,
    /// `[panel][group][word][16]`
    pub(super) words: Buffer<u32>,
    /// `[panel][group][16]`: what the sum of the prepared activations is multiplied with and taken out.
    pub(super) zeros: Buffer<i32>,
    /// Whether any of `zeros` is not 0, so that the activations have to be summed.
    pub(super) has_zeros: bool,
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
        // So that no product below can leave 64 bits; codes are below 256, so no zero point beyond this is of use.
        for &zero in zero_points {
            check_range(OP, What::ZeroPoint, -(1 << 20), 1 << 20, i64::from(zero))?;
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
            form: Form::choose(tier, width),
            words: Buffer::zeroed(OP, checked_area(OP, cells, words)?)?,
            zeros: Buffer::zeroed(OP, cells)?,
            has_zeros: false,
            fixed: Buffer::zeroed(OP, cells)?,
            largest: 0,
        };
        for n in 0..columns {
            for group in 0..groups {
                packed.pack_group(weights, n, group, words);
            }
        }
        Ok(packed)
    }

    /// Packs the codes of one column in one group.
    fn pack_group(&mut self, weights: &AffineCodes<'_>, n: usize, group: usize, words: usize) {
        let fields = 8 / self.width;
        let cell = (n / COLUMNS * self.groups() + group) * COLUMNS + n % COLUMNS;
        let column = (n / COLUMNS * self.groups() + group) * words * COLUMNS + n % COLUMNS;
        let (zero, codes) = weights.group(n, group);
        // What is kept is the code plus this, and the zero point with it.
        let offset = if self.width < 8 {
            0
        } else {
            let (least, most) = weights.range(n, group);
            // Weights that fit int8 are kept with their zero point taken out, which leaves nothing to correct.
            let fits = least - zero >= -128 && most - zero <= 127;
            if fits { -zero } else { -128 }
        };
        let (mut sum, mut magnitude) = (0_i64, 0_i64);
        for (i, code) in codes.enumerate() {
            sum += i64::from(code - zero);
            magnitude += i64::from((code - zero).abs());
            let (block, within) = (i / (4 * fields), i % (4 * fields));
            let (field, byte) = (within / 4, within % 4);
            let kept = (code + offset) as u8;
            self.words[column + block * COLUMNS] |= u32::from(kept) << (8 * byte + self.width * field);
        }
        self.largest = self.largest.max(magnitude * self.input.reach());
        self.zeros[cell] = zero + offset;
        self.has_zeros |= zero + offset != 0;
        if self.form.by_bytes() {
            // Wrapping, as the sums it is taken out of: the end result fits, which `largest` makes sure of.
            self.fixed[cell] = (sum * i64::from(self.byte_zero_point())) as i32;
        }
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

    /// What is flipped in activations that are kept as bytes of the other sign: their highest bit, which adds or takes off 128.
    #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
    pub(super) fn byte_flip(&self) -> u8 {
        if self.input.unsigned == self.form.unsigned_activations() { 0 } else { 0x80 }
    }

    /// The zero point of activations that are kept as bytes.
    fn byte_zero_point(&self) -> i32 {
        match (self.input.unsigned, self.form.unsigned_activations()) {
            (true, false) => self.input.zero_point - 128,
            (false, true) => self.input.zero_point + 128,
            _ => self.input.zero_point,
        }
    }

    pub(super) fn byte_len(&self) -> usize {
        self.words.byte_len() + self.zeros.byte_len() + self.fixed.byte_len()
    }
}

impl AffineCodes<'_> {
    fn groups(&self) -> usize {
        self.depth.div_ceil(self.group_size)
    }

    /// Zero point and codes of one column in one group. Lengths were checked.
    fn group(&self, n: usize, group: usize) -> (i32, impl Iterator<Item = i32>) {
        let zero = *self.zero_points.get(n * self.groups() + group).unwrap_or(&self.zero_points[0]);
        let row = code_row_bytes(self.depth, self.bits);
        let codes = &self.codes[n * row..][..row];
        let ks = group * self.group_size..self.depth.min((group + 1) * self.group_size);
        (zero, ks.map(|k| i32::from(code_at(codes, self.bits, k))))
    }

    /// The least and the largest of those codes.
    fn range(&self, n: usize, group: usize) -> (i32, i32) {
        self.group(n, group)
            .1
            .fold((i32::MAX, i32::MIN), |(least, most), code| (code.min(least), code.max(most)))
    }
}
