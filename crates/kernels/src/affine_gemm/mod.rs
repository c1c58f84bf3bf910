//! Weights of 8, 4 or 2 bits by int8 or uint8 activations, summed in int32.
//!
//! `sum[m, n] = Σ_k (x[m, k] - zx) * (code[n, k] - zw[n, g])`, exact. [`AffineGemm`] ends in an output transform; [`GroupedAffineGemm`] has a scale per
//! group of a row and adds the groups' scaled sums in f32; [`DynamicAffineGemm`] takes floats and quantizes each row of them by itself.
//!
//! **Layout.** Every group of a row is padded to a multiple of 16 codes, which are kept in 32-bit words of `4 F` codes, `F = 8 / width` to a byte; a panel holds
//! 16 columns: `[panel][group][word][column]`. Field f of byte b of a word is code `4 f + b` of its block:
//!
//! ```text
//! width 4:  byte 0 = k4:k0   byte 1 = k5:k1   byte 2 = k6:k2   byte 3 = k7:k3     (high:low nibble)
//! ```
//!
//! so one mask gives four neighbouring bytes (four codes of one *step*), and one mask of 16-bit lanes gives a pair `(4 f + b, 4 f + b + 2)` (an i16 step of
//! two). Codes of 2 and 4 bits are kept unsigned and `zw * Σ x` is taken out of the sum; of 8 bits `code - zw` is kept where the column's weights
//! fit int8, else the code itself, recentred.
//!
//! **Activations** are prepared once per block of rows, four rows interleaved, or six: `x - zx` as i16 in the order of the pairs; for byte dots x as it
//! lies (recentred by 128 to the sign that the dot takes), with `zx * Σ (code - zw)` taken out of the sum instead.
//!
//! **Forms** (`dispatch.rs` holds the table). A relaxed dot is the same in every engine only where its second operand stays below 128: so it is for codes of 2 and 4
//! bits, and for 8-bit tensors that span no more. For the rest the engine is asked once, when weights are packed, how it reads that operand
//! ([`RelaxedDot`](crate::v128::RelaxedDot)), and gets the form that is exact under the answer, or i16 dots: x64 with VNNI takes activations, made unsigned, as the second operand.
//!
//! **Speed.** A step of a tile of 4 rows by 8 columns is 6 loads, four of which repeat what they read, and 8 dots: with i16 dots 22 instructions for 64 multiply-adds, and 4 that go
//! along. What binds depends on the processor: an x64 of Intel has three units for vectors and needs 5.3 cycles for 8 dots and 8 additions, which is 33.6 multiply-adds per ns at the 2.8 GHz
//! of one that was measured, and 256 rows of 1024 by 1024 run at 33.3 (with one load and four shuffles in place of the four that repeat, in the same run, at 27.7). On the machine of the record
//! dots alone run at 4.7 G/s (its `dot16`), which limits plain products to 37.6; 14 × 14 × 512 by 512 ran at 34 there, 0.91 of it, with the shuffles. Around a tile whose sums
//! become bytes are 90 instructions, 66 of them for 32 outputs, as many as 115 multiply-adds: 112 × 112 × 32 by 64 runs at 24, × 16 by 96 at 19. Of 150 instructions, where every
//! strip asked again what holds for all of them, they were 22 and 16; with the sums in memory in between 12.
//!
//! Dropped: unrolling by two (30: the engine hoists loads and spills), one load and four shuffles instead of four loads that repeat (0.83 of the speed where shuffles take
//! units from dots; before `scripts/wasm-offsets.mjs` put constants into such loads it was the other way round), weights broadcast as they are opened, so that nothing is shuffled (8 rows by 4 columns, 26 instructions: equal for long rows, a quarter slower for short ones, whose
//! bytes are transposed), 3 x 3 vectors (33, and columns by twelves), 2 x 4 (31), 5 x 2 and 6 x 2 (spill), weights unpacked in every tile (27), rows not interleaved (30), the
//! sums in pairs of Winograd's inner product, (x0 + w1) (x1 + w0), which halves the multiplications (33 of 3 x 2 vectors beside 34: it is instructions that bind), an image prepared once
//! for all taps of a convolution (its rows cannot be interleaved, which costs what it saves).
//!
//! Strassen's recursion (Winograd's form, exact: sums of quarters fit i16, all else wraps) was dropped too. Two levels are 49 products of tiles instead of 64; of K = N = 1024 by blocks of
//! 128 rows they take 0.80 of the time of plain ones, sums of weights, made as these are opened, 0.11, sums of activations 0.03, partial sums 0.13: 1.07 together, and more for fewer rows or
//! columns. Sums of weights that are kept take 6.1 bytes a weight instead of 1. One level is 0.875 and can save 0.06 at the best.
//!
//! Windows of 3 × 3 take fewer products: see `winograd.rs`.

mod dense;
mod dispatch;
mod dynamic;
mod float_rows;
mod grouped;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod pack;
#[cfg(any(target_feature = "relaxed-simd", not(target_arch = "wasm32")))]
mod relaxed;
mod scalar;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod simd128;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod strips;
mod sums;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
mod winograd;

pub use dense::AffineGemm;
pub use dynamic::DynamicAffineGemm;
pub use grouped::{GroupedAffineGemm, GroupedOutput};
pub use pack::{AffineCodes, AffineInput};
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
pub use winograd::WinogradConvolution;

use crate::error::Op;

const OP: Op = Op::AffineGemm;
