//! Which form the products take, and how many rows at a time.
//!
//! | tier | weights | the engine's relaxed dot | form | multiply-adds per ns on the machine of the record |
//! |---|---|---|---|---|
//! | scalar | any | | pairs | |
//! | simd128 | any | | pairs | 32 |
//! | relaxed | 4, 2 bits | 7 bits | sums of bytes | 45, 56 |
//! | relaxed | 4, 2 bits | unsigned, signed | bytes | 80 on the x64 with VNNI below, where pairs do 34 |
//! | relaxed | 8 bits | unsigned | bytes, activations unsigned | 83 there, where pairs do 33 |
//! | relaxed | 8 bits | signed | bytes as they are | not measured: the same instructions |
//! | relaxed | 8 bits | 7 bits | pairs | 32 |
//!
//! Figures are of 64 x 1024 x 1024 to int8, as `lowbit bench --filter gemm/64x1024x1024` runs it. Those of an x64 with VNNI are of an Intel of 2.8 GHz, in one process with the forms before.
//!
//! | rows | tile | why |
//! |---|---|---|
//! | 1..=3, and what fours leave over | 1 x 16, weights unpacked in registers | waits for weights, which are read once |
//! | 1..=3 by 2 MiB of weights or more, one group | the same by 1 KiB of weights, from four panels in turn | from memory 0.73 to 0.85 of the time (`turns.rs`) |
//! | 4 and more | 4 x 8 over opened weights | opening costs what 1 row costs |
//! | 4 and more, one instruction per dot | as far as they go 6 x 8, weights of 8 bits as they lie | such a dot takes five cycles and two begin in each, so that eight sums wait for each other: 71 in the bare tile, twelve sums 86 |
//!
//! Convolutions of 3 x 3 in pairs, of 32 channels and 16 columns or more, go by `winograd.rs` where it saves a third of the products or more (tiles beyond the image's edge count). Multiply-adds per ns in simd128, both forms
//! in turn in one process on Node 24 (`lowbit bench --filter int8_conv/` times the form that runs):
//!
//! | image, columns | gathered rows | Winograd's products |
//! |---|---|---|
//! | 56 x 56 x 64, 64 | 29 | 53 |
//! | 56 x 56 x 128, 128 | 26 | 62 |
//! | 28 x 28 x 128, 128 | 30 | 62 |
//! | 14 x 14 x 256, 256 | 30 | 64 |
//! | 7 x 7 x 512, 512 | 28 | 44 |
//!
//! With weights from memory 7 x 7 x 512 is 1.9 times as fast, 4 x 4 x 512 1.5, 2 x 2 x 512 0.5 (one tile of a strip of four); 28 x 28 x 32 by 32 1.4.

use super::sums::STRIP;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
use super::sums::TALL;
use crate::tier::Tier;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
use crate::v128::RelaxedDot;

/// How codes are multiplied with activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Both as i16, two products to a lane: fixed everywhere.
    Pairs,
    /// Both as bytes, four products to a lane, by one relaxed dot with this second operand.
    #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
    Bytes(RelaxedDot),
    /// Codes of at most 4 bits and bytes, two products to a lane of 16 bits, several of which are added before they are widened.
    #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
    ByteSums,
}

impl Form {
    /// The table above.
    #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
    pub(super) fn choose(tier: Tier, width: usize) -> Self {
        match (tier.effective(), width, RelaxedDot::of_engine()) {
            (Tier::Relaxed, 2 | 4, RelaxedDot::Seven) => Self::ByteSums,
            (Tier::Relaxed, 2 | 4, _) => Self::Bytes(RelaxedDot::Seven),
            (Tier::Relaxed, _, RelaxedDot::Seven) => Self::Pairs,
            (Tier::Relaxed, _, dot) => Self::Bytes(dot),
            _ => Self::Pairs,
        }
    }

    /// The table above, in a build without relaxed dots.
    #[cfg(not(any(target_feature = "relaxed-simd", not(target_arch = "wasm32"))))]
    pub(super) fn choose(_: Tier, _: usize) -> Self {
        Self::Pairs
    }

    /// Whether activations are kept as bytes.
    pub(super) fn by_bytes(self) -> bool {
        self != Self::Pairs
    }

    /// Whether activations are the second operand of a dot, which reads it as unsigned: then they are kept so.
    #[cfg_attr(
        not(any(target_feature = "relaxed-simd", not(target_arch = "wasm32"))),
        expect(clippy::unused_self, reason = "a build without relaxed dots has one answer")
    )]
    pub(super) fn unsigned_activations(self) -> bool {
        #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
        return self == Self::Bytes(RelaxedDot::Unsigned);
        #[cfg(not(any(target_feature = "relaxed-simd", not(target_arch = "wasm32"))))]
        false
    }

    /// Of `rows`, 4 or more: those that go in tall strips, and those in strips of either height. Tall ones are for dots of one instruction, of which eight chains are
    /// fewer than are under way at a time; without `tall` there are none.
    #[cfg_attr(
        not(any(target_feature = "relaxed-simd", not(target_arch = "wasm32"))),
        expect(clippy::unused_self, reason = "a build without relaxed dots has one answer")
    )]
    pub(super) fn rows_in_strips(self, rows: usize, tall: bool) -> [usize; 2] {
        #[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
        if tall && matches!(self, Self::Bytes(_)) {
            let fours = match rows % TALL {
                2 | 3 => 2,
                4 | 5 => 1,
                _ => 0,
            };
            let in_strips = rows / 2 * 2;
            return [in_strips - fours * STRIP, in_strips];
        }
        let _ = tall;
        [0, rows / STRIP * STRIP]
    }
}

/// Bytes of prepared rows and of their sums that a block may take: a part of the second-level cache, beside the weights that stream through it.
const BLOCK_BYTES: usize = 192 * 1024;

/// Rows that are prepared together: whole fours. More of them share the opening of the weights; too many leave the cache. `columns` are those of sums that wait in memory.
pub(super) fn block_rows(depth: usize, columns: usize) -> usize {
    block_rows_of_bytes(2 * depth + 4 * columns)
}

/// The same by the bytes that a row takes.
pub(super) fn block_rows_of_bytes(row: usize) -> usize {
    (BLOCK_BYTES / row).clamp(16, 128) & !3
}

/// Whether a convolution of 3 × 3 that Winograd's products compute is faster so: with too few channels the transforms cost what they save, and of few outputs too many are
/// of no use, for tiles are 2 × 2 and go by fours.
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub(super) fn winograd_pays([height, width]: [usize; 2], channels: usize, columns: usize) -> bool {
    let tiles = (height.div_ceil(2) * width.div_ceil(2)).next_multiple_of(4);
    channels >= 32 && columns >= 16 && 3 * 16 * tiles <= 2 * 9 * height * width
}

/// Strips of four tiles, of `bytes` of transformed activations and sums each, that are computed together: those of many channels leave the second-level cache rather than
/// have the weights read again for each.
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub(super) fn winograd_strips(bytes: usize) -> usize {
    (BLOCK_BYTES / bytes).clamp(4, 16)
}
