//! Relaxed byte dots: four codes of four columns at a time, 16 products per instruction.
//!
//! Since `x - zero point` may need 9 bits, x itself is multiplied and the zero point's share, a constant per column, is taken out. The second operand of a dot is below
//! 128, where the instruction's result is the same in every engine: codes of 4 bits or less; or it has all 8 bits and the engine was found to read them as the form says: where as
//! signed bytes, weights of 8 bits, where as unsigned ones, activations, recentred if they are not so already, which leaves nothing to take out for the rows' sums.
//!
//! Where an engine has no instruction of its own for the dot (x64 without VNNI), it is made of three and two constants; there sums of two products are added up in 16 bits
//! as long as they fit, which leaves one and a quarter.
//!
//! **Speed** on an x64 with VNNI of 2.8 GHz, 90 multiply-adds per ns at two dots a cycle: the bare tile of 6 rows by 8 columns runs at 86, 64 rows of 1024 by 1024 at 83 (weights of 8 bits;
//! 80 of 4, which are opened), LiteRT.js in the same run at 75. Dropped: 4 x 8 (71 bare, 67 whole: a dot takes five cycles, and each of eight sums waits for its last one), 5 x 8 (80 bare), 2 x 16 (71), 3 x 16 (51: spills), the tile and
//! what ends it in one function (51 whole: what the end keeps in registers is spilled in the tile), 128 added to weights and taken out again by the sums of rows.

use super::dispatch::Form;
use super::float_rows::{End, PanelSums};
use super::pack::{COLUMNS, Packed};
use super::simd128::{self, Codes, Dot, Simd128, open, open_strips, single_rows, store_steps, tile};
use super::strips::{Strips, TileSums};
use super::sums::{Group, OPEN_COLUMNS, OPEN_STEPS, Requantize, Rows, STRIP, Tile};
use crate::v128::{
    RelaxedDot, V128, i8x16_load, i16x8_add, i16x8_extadd_pairwise_i8x16, i16x8_relaxed_dot_i8x16_i7x16,
    i32x4_add, i32x4_extadd_pairwise_i16x8, i32x4_relaxed_dot_i8x16_i7x16_add,
    i32x4_relaxed_dot_i8x16_i8x16_add, i32x4_relaxed_dot_i8x16_u8x16_add, i32x4_splat, i32x4_sum,
    u8x16_splat, u16x8_extadd_pairwise_u8x16, u16x8_shr, v128_and, v128_xor,
};

/// Whether the dots of 8 bits are different code. In WASM they are one instruction, which the engine reads as it does.
const APART: bool = !cfg!(target_arch = "wasm32");

/// 128-bit vectors with relaxed dots.
pub(super) struct Relaxed;

impl Tile for Relaxed {
    const FROM: usize = STRIP;
    const HAS_TALL: bool = cfg!(any(feature = "tall", not(target_arch = "wasm32")));

    fn prepare<const R: usize>(packed: &Packed, x: [&[i8]; R], len: usize, values: &mut [i32]) -> [i32; R] {
        // Positions behind the row become 0.
        let flip = packed.byte_flip();
        let unsigned = packed.form.unsigned_activations();
        let flips = u8x16_splat(flip);
        let mut sums = [i32x4_splat(0); R];
        let mut step = |rows: [V128; R], values: &mut [i32]| {
            let rows = rows.map(|x| v128_xor(x, flips));
            if packed.has_zeros {
                for (sum, row) in sums.iter_mut().zip(rows) {
                    let pairs = if unsigned {
                        u16x8_extadd_pairwise_u8x16(row)
                    } else {
                        i16x8_extadd_pairwise_i8x16(row)
                    };
                    *sum = i32x4_add(*sum, i32x4_extadd_pairwise_i16x8(pairs));
                }
            }
            store_steps(rows, values);
        };
        let (whole, rest) = values.split_at_mut(len / 16 * 4 * R);
        for (at, values) in whole.chunks_exact_mut(4 * R).enumerate() {
            step(core::array::from_fn(|r| i8x16_load(&x[r][16 * at..])), values);
        }
        if !len.is_multiple_of(16) {
            let at = len / 16 * 16;
            let rows = core::array::from_fn(|r| simd128::load_part(&x[r][at..], len - at, flip as i8));
            step(rows, &mut rest[..4 * R]);
        }
        sums.map(i32x4_sum)
    }

    fn strips<const R: usize>(
        group: &Group<'_>,
        rows: Rows<'_>,
        opened: &mut [u32],
        acc: &mut [i32],
        pitch: usize,
        end: Option<&mut Requantize<'_>>,
    ) {
        let strips = Strips::new(group, rows, acc, pitch, end);
        let (open, parts): (fn(&[_], usize, &mut [_]), usize) =
            if group.width == 4 { (open::<Quads<4>, 2>, 2) } else { (open::<Quads<2>, 4>, 4) };
        match (group.form, group.width) {
            // The form has no tall strips.
            (Form::ByteSums, _) if R == STRIP => open_strips::<Sums, R, false>(strips, opened, open, parts),
            (_, 4 | 2) => open_strips::<SevenDot, R, false>(strips, opened, open, parts),
            (Form::Bytes(RelaxedDot::Signed), _) if APART => whole_strips::<SignedDot, R>(strips),
            _ => whole_strips::<UnsignedDot, R>(strips),
        }
    }

    // Called from two places, and much code.
    #[inline(never)]
    fn rows(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize) {
        match (group.form, group.width) {
            (_, 4) => single_rows::<SevenDot, Quads<4>, 2>(group, rows, acc, pitch),
            (_, 2) => single_rows::<SevenDot, Quads<2>, 4>(group, rows, acc, pitch),
            (Form::Bytes(RelaxedDot::Signed), _) if APART => {
                single_rows::<SignedDot, Quads<8>, 1>(group, rows, acc, pitch);
            }
            _ => single_rows::<UnsignedDot, Quads<8>, 1>(group, rows, acc, pitch),
        }
    }

    fn add_scaled(acc: &[i32], scale: &[f32], y: &mut [f32]) {
        Simd128::add_scaled(acc, scale, y);
    }

    fn encode(x: &[f32], inverse: f32, codes: &mut [i8]) {
        Simd128::encode(x, inverse, codes);
    }

    fn finish(sums: PanelSums<'_>, end: &End<'_>, y: &mut [f32], stride: usize) {
        Simd128::finish(sums, end, y, stride);
    }
}

struct Quads<const WIDTH: usize>;

impl<const WIDTH: usize> Codes for Quads<WIDTH> {
    #[inline(always)]
    fn codes(words: V128, j: usize) -> V128 {
        if WIDTH == 8 {
            return words;
        }
        v128_and(u16x8_shr(words, (WIDTH * j) as u32), u8x16_splat((1 << WIDTH) - 1))
    }
}

macro_rules! dots {
    ($($(#[$about:meta])* $name:ident |$part:ident, $x:ident, $weights:ident| $dot:expr;)*) => { $(
        $(#[$about])*
        struct $name;

        impl Dot for $name {
            #[inline(always)]
            fn steps(_: usize) -> usize {
                usize::MAX
            }

            #[inline(always)]
            fn dot($part: V128, $x: V128, $weights: V128) -> V128 {
                $dot
            }

            #[inline(always)]
            fn add(sum: V128, part: V128) -> V128 {
                i32x4_add(sum, part)
            }
        }
    )* };
}

dots! {
    /// Codes below 128.
    SevenDot |part, x, weights| i32x4_relaxed_dot_i8x16_i7x16_add(x, weights, part);
    /// Weights -128..=127 by activations 0..=255.
    UnsignedDot |part, x, weights| i32x4_relaxed_dot_i8x16_u8x16_add(weights, x, part);
    /// Both -128..=127.
    SignedDot |part, x, weights| i32x4_relaxed_dot_i8x16_i8x16_add(weights, x, part);
}

/// 16-bit sums of 8 or 42 steps: one adds at most 2 * 128 * 15 = 3840 (4 bits) or 2 * 128 * 3 = 768 (2 bits), and 8 * 3840 and 42 * 768 stay inside 32767.
struct Sums;

impl Dot for Sums {
    #[inline(always)]
    fn steps(width: usize) -> usize {
        if width == 4 { 8 } else { 42 }
    }

    #[inline(always)]
    fn dot(part: V128, x: V128, weights: V128) -> V128 {
        i16x8_add(part, i16x8_relaxed_dot_i8x16_i7x16(x, weights))
    }

    #[inline(always)]
    fn add(sum: V128, part: V128) -> V128 {
        i32x4_add(sum, i32x4_extadd_pairwise_i16x8(part))
    }
}

/// Strips by weights of 8 bits, which lie as the dot takes them.
#[inline(always)]
fn whole_strips<D: Dot, const R: usize>(mut strips: Strips<'_, '_>) {
    let (words, _) = strips.group.words.as_chunks::<COLUMNS>();
    let rows = strips.rows;
    for column in (0..strips.columns()).step_by(OPEN_COLUMNS) {
        let tile = if column == 0 { tile_apart::<D, R, 0> } else { tile_apart::<D, R, OPEN_COLUMNS> };
        for (block, part) in words.chunks(OPEN_STEPS / 2).enumerate() {
            let values = &rows.values[block * OPEN_STEPS / 2 * R..];
            let steps = |strip: usize| &values[strip * rows.stride..].as_chunks::<R>().0[..part.len()];
            if part.len() == words.len()
                && let Some(mut bytes) = strips.bytes(column)
            {
                for strip in 0..rows.count / R {
                    let mut sums = bytes.start();
                    tile(part, steps(strip), &mut sums);
                    // SAFETY: once for every strip.
                    unsafe { bytes.write(&sums) };
                }
                continue;
            }
            let is_last = (block + 1) * (OPEN_STEPS / 2) >= words.len();
            for strip in 0..rows.count / R {
                let mut sums = strips.start(block == 0, strip, column);
                tile(part, steps(strip), &mut sums);
                strips.end(is_last, strip, column, &sums);
            }
        }
    }
}

/// [`tile`] in a function of its own: twelve sums leave no register for what the code around it keeps.
#[inline(never)]
fn tile_apart<D: Dot, const R: usize, const COLUMN: usize>(
    weights: &[[u32; COLUMNS]],
    x: &[[i32; R]],
    sums: &mut TileSums<R>,
) {
    tile::<D, R, COLUMNS, COLUMN>(weights, x, 8, sums);
}
