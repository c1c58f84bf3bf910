//! Weights from rows of codes to quads and panels, and trit rows to planes.

use super::{OP, XnorShape};
use crate::buffer::Buffer;
use crate::error::{Result, checked_area};
use crate::layout::{WORD_BITS, code_row_bytes, words_per_row};

/// The codes of the weights, read as the words that activations have: every tap starts a new one.
pub(super) struct WeightRows<'a> {
    shape: XnorShape,
    codes: &'a [u8],
}

impl<'a> WeightRows<'a> {
    pub(super) const fn new(shape: XnorShape, codes: &'a [u8]) -> Self {
        Self { shape, codes }
    }

    /// The words of column `n`; 0 for a column that only pads.
    fn words(&self, n: usize) -> impl Iterator<Item = u32> {
        let XnorShape { columns, taps, channels, .. } = self.shape;
        let bytes = code_row_bytes(taps * channels, 1);
        let row = if n < columns { &self.codes[n * bytes..][..bytes] } else { &[] };
        (0..taps).flat_map(move |tap| {
            (0..words_per_row(channels)).map(move |word| {
                let from = word * WORD_BITS;
                bits_at(row, tap * channels + from, (channels - from).min(WORD_BITS))
            })
        })
    }

    /// `[N/4][K/64][4]`; see the module docs of the family.
    pub(super) fn quads(&self) -> Result<Buffer<u64>> {
        let depth = (self.shape.taps * words_per_row(self.shape.channels)).div_ceil(2);
        let columns = self.shape.columns.next_multiple_of(4);
        let mut quads = Buffer::<u64>::zeroed(OP, checked_area(OP, columns, depth)?)?;
        for n in 0..self.shape.columns {
            let quad = &mut quads[n / 4 * depth * 4..][..depth * 4];
            for (at, word) in self.words(n).enumerate() {
                quad[at / 2 * 4 + n % 4] |= u64::from(word) << (at % 2 * WORD_BITS);
            }
        }
        Ok(quads)
    }

    /// `[N/16][K/BITS][16]`, a byte for `BITS` (4 or 8) bits of k of a column, where the `group` panels that are counted together lie beside each other:
    /// `[group of panels][K/BITS][group][16]`. The last panels, which fill no group, stand alone. Columns j and 8 + j of a panel are neighbours, bytes
    /// 2 j and 2 j + 1, so that 16-bit sums of the even and of the odd bytes are those of columns in order.
    pub(super) fn panels<const BITS: usize>(&self, group: usize) -> Result<Buffer<[u8; 16]>> {
        let steps = WORD_BITS / BITS;
        let depth = self.shape.taps * words_per_row(self.shape.channels) * steps;
        let count = self.shape.columns.div_ceil(16);
        let mut panels = Buffer::<[u8; 16]>::zeroed(OP, checked_area(OP, count, depth)?)?;
        for n in 0..self.shape.columns {
            let first = n / 16 / group * group;
            let width = if first + group <= count { group } else { 1 };
            let start = if width == 1 { n / 16 * depth } else { first * depth + n / 16 % group };
            for (at, word) in self.words(n).enumerate() {
                for step in 0..steps {
                    let bits = (word >> (BITS * step)) as u8 & (u8::MAX >> (8 - BITS));
                    panels[start + (steps * at + step) * width][n % 8 * 2 + n % 16 / 8] = bits;
                }
            }
        }
        Ok(panels)
    }

    /// Per column, padded to whole panels, the sum of [`nibble_parities`].
    pub(super) fn parities(&self) -> Result<Buffer<i32>> {
        let mut parities = Buffer::zeroed(OP, self.shape.columns.next_multiple_of(16))?;
        for (n, parities) in parities.iter_mut().enumerate() {
            *parities = self.words(n).map(|word| nibble_parities(&[word])).sum();
        }
        Ok(parities)
    }

    /// `[taps + 1, N]`: what a tap of words of 0 contributes under bits, the sum of its weights, channels - 2 * (bits that are 1). The last row, of zeros, is what
    /// it contributes under trits.
    pub(super) fn tap_sums(&self) -> Result<Buffer<i32>> {
        let XnorShape { columns, taps, channels, .. } = self.shape;
        let words = words_per_row(channels);
        let mut sums = Buffer::<i32>::zeroed(OP, checked_area(OP, taps + 1, columns)?)?;
        sums[..taps * columns].fill(channels as i32);
        for n in 0..columns {
            for (at, word) in self.words(n).enumerate() {
                sums[at / words * columns + n] -= 2 * word.count_ones() as i32;
            }
        }
        Ok(sums)
    }
}

/// `count <= 32` bits of a row of codes, from bit `start` on; what lies behind the row is 0.
fn bits_at(row: &[u8], start: usize, count: usize) -> u32 {
    let mut bytes = [0; 8];
    let from = row.len().min(start / 8);
    let available = (row.len() - from).min(5);
    bytes[..available].copy_from_slice(&row[from..from + available]);
    let bits = u64::from_le_bytes(bytes) >> (start % 8);
    (bits & ((1 << count) - 1)) as u32
}

/// How many groups of 4 bits have an odd number of ones.
#[inline]
pub(super) fn nibble_parities(words: &[u32]) -> i32 {
    let odd = |word: u32| {
        let pairs = word ^ word >> 1;
        ((pairs ^ pairs >> 2) & 0x1111_1111).count_ones()
    };
    words.iter().map(|word| odd(*word)).sum::<u32>() as i32
}

/// Takes rows of trits apart: runs of `run` sign words and `run` non-zero words alternate in `x`.
pub(super) fn split_planes(x: &[u32], run: usize, signs: &mut [u32], masks: &mut [u32]) {
    let planes = signs.chunks_exact_mut(run).zip(masks.chunks_exact_mut(run));
    for (x, (signs, masks)) in x.chunks_exact(2 * run).zip(planes) {
        signs.copy_from_slice(&x[..run]);
        masks.copy_from_slice(&x[run..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_at_reads_across_bytes_and_stops_at_the_end() {
        let row = [0b1010_0110, 0xff, 0x00, 0x81, 0x7e, 0x3c];
        let all = u64::from_le_bytes([row[0], row[1], row[2], row[3], row[4], row[5], 0, 0]);
        for start in 0..60 {
            for count in 1..=32 {
                assert_eq!(u64::from(bits_at(&row, start, count)), (all >> start) & ((1 << count) - 1));
            }
        }
    }
}
