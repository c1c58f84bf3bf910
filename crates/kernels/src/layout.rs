//! Constants and conventions of every packed layout.
//!
//! **Bits.** Bit 1 stands for -1, bit 0 for +1. Bits are packed along the last axis (channels, or the row of a dense
//! layer) into little-endian 32-bit words, least significant bit first; every row starts a new word and the spare bits
//! of its last word are 0:
//!
//! ```text
//! channel   0  1  2 ...              31   32 33 34 (35 channels)
//! word 0  [b0 b1 b2 ...             b31]
//! word 1  [b32 b33 b34 0 0 0 ...      0]
//! ```
//!
//! A padding bit is 0 in activations and in weights, so `a ^ w` is 0 there and `dot = n - 2 * popcount(a ^ w)` holds
//! for the true number `n` of elements.
//!
//! **Trits.** A row is its sign plane (as above; 0 where the value is 0), followed by its non-zero plane of the same number of words:
//! `[s0 s1 .. | m0 m1 ..]`. So rows, pixels and images stay contiguous.
//!
//! **Activations** are NHWC, convolution weights OHWI, dense weights [N, K].

/// Bits in a word of packed activations.
pub const WORD_BITS: usize = 32;

/// The longest row (K) that the integer families accept. Sums of signs and of trits stay far inside 32 bits, and inside what f32 holds exactly; of 2^20 products of bytes
/// they need not, so what a sum can reach is checked where weights are packed.
pub const MAX_K: usize = 1 << 20;

/// Words of one row of `bits` bits.
pub const fn words_per_row(bits: usize) -> usize {
    bits.div_ceil(WORD_BITS)
}

/// Ones in the valid positions of the last word of a row of `bits` bits (`bits > 0`).
pub const fn last_word_mask(bits: usize) -> u32 {
    u32::MAX >> ((WORD_BITS - bits % WORD_BITS) % WORD_BITS)
}

/// Bytes of one row of `k` codes of `bits` bits: least significant bit first, each row starts on a byte.
pub const fn code_row_bytes(k: usize, bits: usize) -> usize {
    (k * bits).div_ceil(8)
}

/// Code `k` of a row of `bits`-bit codes (`1 <= bits <= 8`).
pub fn code_at(row: &[u8], bits: usize, k: usize) -> u8 {
    let start = k * bits;
    let (byte, shift) = (start / 8, start % 8);
    let next = row.get(byte + 1).copied().unwrap_or(0);
    let pair = u16::from_le_bytes([row[byte], next]);
    ((pair >> shift) & ((1 << bits) - 1)) as u8
}
