//! Between numbers and packed signs, along the last axis; [`crate::layout`] draws the bits.
//!
//! | function | x | y |
//! |---|---|---|
//! | [`pack_signs`] | f32 `[rows, C]` | bits: `x < 0` (so -0 and NaN are +1) |
//! | [`pack_trits`] | f32 `[rows, C]` | trits: sign plane `x < 0`, non-zero plane `x < 0 or x > 0` (so ±0 and NaN are 0, as ONNX `Sign` has it) |
//! | [`pack_signs_int8`] | int8 or uint8 `[rows, C]` | bits: `x < zero_point` |
//! | [`pack_planes`] | uint8 codes `[rows, C]` of 1 to 8 bits | bits `[rows, bits, C]`: plane j is +1 where bit j of the code is set |
//! | [`unpack_signs`], [`unpack_trits`] | bits, trits | f32 -1, 0, +1 |
//! | [`max_pool::BitMaxPool`] | bits NHWC | bits: the AND over a window |
//!
//! int32 sums become bits in the output transform ([`crate::output`]).
//!
//! **Vectors.** Four comparisons, narrowed to bytes, give 16 bits by one `i8x16.bitmask`: per 32 values of f32 8 loads, 8 comparisons (trits: 16),
//! 6 narrowings, 2 bitmasks (trits: 4). Tried and dropped: `i32x4.bitmask` per four values, 1.6 times the operations.

use crate::error::{Op, Result, What, check_range, check_shape, checked_area};
use crate::layout::{WORD_BITS, words_per_row};
use crate::tier::Tier;

pub mod max_pool;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;

const OP: Op = Op::Bitpack;

/// The signs of up to 32 neighbours, one bit each.
trait Signs {
    /// Bits of `x < 0` and of `x < 0 or x > 0`.
    fn trits(x: &[f32]) -> (u32, u32);
    /// Bits of `x < 0`.
    fn signs(x: &[f32]) -> u32;
    /// Bits of `x < zero_point`, bytes taken as signed after `^ flip`.
    fn signs_int8(x: &[u8], flip: u8, zero_point: i8) -> u32;
    /// Bits of x whose bit `bit` (of 8) is not set.
    fn plane(x: &[u8], bit: u32) -> u32;
    /// -1 where the bit of `signs` is set, else +1; 0 where that of `nonzero` is not.
    fn unpack(signs: u32, nonzero: u32, y: &mut [f32]);
}

macro_rules! by_tier {
    ($tier:expr, $function:ident($($argument:expr),*)) => {
        match $tier.effective() {
            Tier::Scalar => $function::<scalar::Scalar>($($argument),*),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => $function::<simd128::Simd128>($($argument),*),
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier above the build's"),
        }
    };
}

/// Rows of `channels` values and of `planes` planes of words: both lengths, or why they do not fit.
fn check(rows: usize, channels: usize, planes: usize, values: usize, words: usize) -> Result<()> {
    check_range(OP, What::Channels, 1, i64::from(i32::MAX), channels as i64)?;
    check_shape(OP, What::Length, checked_area(OP, rows, channels)?, values)?;
    check_shape(OP, What::Length, checked_area(OP, rows, planes * words_per_row(channels))?, words)
}

/// f32 `[rows, channels]` to bits `[rows, words_per_row(channels)]`.
pub fn pack_signs(tier: Tier, x: &[f32], rows: usize, channels: usize, y: &mut [u32]) -> Result<()> {
    check(rows, channels, 1, x.len(), y.len())?;
    by_tier!(tier, signs(x, channels, y));
    Ok(())
}

fn signs<S: Signs>(x: &[f32], channels: usize, y: &mut [u32]) {
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(words_per_row(channels))) {
        for (x, y) in x.chunks(WORD_BITS).zip(y) {
            *y = S::signs(x);
        }
    }
}

/// f32 `[rows, channels]` to trits, and how many of them are 0.
///
/// `y` has room for trits, `[rows, 2 * words_per_row(channels)]`. Where no value is 0 its first half holds **bits** instead, `[rows, words_per_row(channels)]`,
/// for a reader that looks at the count takes the faster path; the second half is then unspecified.
pub fn pack_trits(tier: Tier, x: &[f32], rows: usize, channels: usize, y: &mut [u32]) -> Result<usize> {
    check(rows, channels, 2, x.len(), y.len())?;
    Ok(by_tier!(tier, bits_or_trits(x, channels, y)))
}

fn bits_or_trits<S: Signs>(x: &[f32], channels: usize, y: &mut [u32]) -> usize {
    let words = words_per_row(channels);
    let mut nonzero = 0;
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(words)) {
        for (x, y) in x.chunks(WORD_BITS).zip(y) {
            let (sign, mask) = S::trits(x);
            *y = sign;
            nonzero += mask.count_ones() as usize;
        }
    }
    let zeros = x.len() - nonzero;
    if zeros > 0 {
        for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(2 * words)) {
            let (signs, masks) = y.split_at_mut(words);
            for ((x, sign), mask) in x.chunks(WORD_BITS).zip(signs).zip(masks) {
                (*sign, *mask) = S::trits(x);
            }
        }
    }
    zeros
}

/// int8, or uint8 where `unsigned`, `[rows, channels]` to bits of `x < zero_point`.
///
/// Refuses a zero point outside the element's range.
pub fn pack_signs_int8(
    tier: Tier,
    x: &[u8],
    unsigned: bool,
    zero_point: i32,
    rows: usize,
    channels: usize,
    y: &mut [u32],
) -> Result<()> {
    check(rows, channels, 1, x.len(), y.len())?;
    let low = if unsigned { 0 } else { -128 };
    check_range(OP, What::ZeroPoint, low, low + 255, i64::from(zero_point))?;
    // An unsigned byte and its zero point, both moved down by 128, are signed ones in the same order.
    let flip = if unsigned { 0x80 } else { 0 };
    let zero_point = (zero_point - if unsigned { 128 } else { 0 }) as i8;
    by_tier!(tier, signs_int8(x, flip, zero_point, channels, y));
    Ok(())
}

fn signs_int8<S: Signs>(x: &[u8], flip: u8, zero_point: i8, channels: usize, y: &mut [u32]) {
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(words_per_row(channels))) {
        for (x, y) in x.chunks(WORD_BITS).zip(y) {
            *y = S::signs_int8(x, flip, zero_point);
        }
    }
}

/// Codes of `bits` bits, one a byte, `[rows, channels]` to bits `[rows, bits, words_per_row(channels)]`: the planes of a row one after the other, as
/// [`crate::multibit_gemm`] multiplies them. The value `a_j` of plane j is +1 where bit j of the code is set, so `code = (2^bits - 1) / 2 + Σ 2^(j - 1) a_j`.
/// Higher bits of a byte are ignored.
///
/// Refuses bits outside 1..=8.
pub fn pack_planes(
    tier: Tier,
    x: &[u8],
    bits: usize,
    rows: usize,
    channels: usize,
    y: &mut [u32],
) -> Result<()> {
    check_range(OP, What::Bits, 1, 8, bits as i64)?;
    check(rows, channels, bits, x.len(), y.len())?;
    by_tier!(tier, planes(x, bits, channels, y));
    Ok(())
}

fn planes<S: Signs>(x: &[u8], bits: usize, channels: usize, y: &mut [u32]) {
    let words = words_per_row(channels);
    for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(bits * words)) {
        for (bit, y) in (0..).zip(y.chunks_exact_mut(words)) {
            for (x, y) in x.chunks(WORD_BITS).zip(y) {
                *y = S::plane(x, bit);
            }
        }
    }
}

/// Bits `[rows, words_per_row(channels)]` to f32 `[rows, channels]`: -1 or +1.
pub fn unpack_signs(tier: Tier, x: &[u32], rows: usize, channels: usize, y: &mut [f32]) -> Result<()> {
    check(rows, channels, 1, y.len(), x.len())?;
    by_tier!(tier, unpack(x, 1, channels, y));
    Ok(())
}

/// Trits `[rows, 2 * words_per_row(channels)]` to f32 `[rows, channels]`: -1, 0 or +1.
pub fn unpack_trits(tier: Tier, x: &[u32], rows: usize, channels: usize, y: &mut [f32]) -> Result<()> {
    check(rows, channels, 2, y.len(), x.len())?;
    by_tier!(tier, unpack(x, 2, channels, y));
    Ok(())
}

fn unpack<S: Signs>(x: &[u32], planes: usize, channels: usize, y: &mut [f32]) {
    let words = words_per_row(channels);
    for (x, y) in x.chunks_exact(planes * words).zip(y.chunks_exact_mut(channels)) {
        for (at, y) in y.chunks_mut(WORD_BITS).enumerate() {
            let nonzero = if planes == 2 { x[words + at] } else { u32::MAX };
            S::unpack(x[at], nonzero, y);
        }
    }
}
