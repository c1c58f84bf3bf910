//! Every other target: 16 bytes and plain loops, which the compiler vectorises where it can.
//! Lane numbers, rounding and saturation are those of the WebAssembly specification.

use super::RelaxedDot;
#[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
use super::sse;
use core::array::from_fn;

/// 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct V128(pub(super) [u8; 16]);

macro_rules! lanes {
    ($($get:ident $put:ident $t:ty, $n:literal;)*) => { $(
        #[inline(always)]
        fn $get(v: V128) -> [$t; $n] {
            const SIZE: usize = size_of::<$t>();
            from_fn(|i| <$t>::from_le_bytes(from_fn(|b| v.0[i * SIZE + b])))
        }
        #[inline(always)]
        fn $put(lanes: [$t; $n]) -> V128 {
            const SIZE: usize = size_of::<$t>();
            let mut bytes = [0; 16];
            for (bytes, lane) in bytes.chunks_exact_mut(SIZE).zip(lanes) {
                bytes.copy_from_slice(&lane.to_le_bytes());
            }
            V128(bytes)
        }
    )* };
}
lanes! {
    get_u8 put_u8 u8, 16; get_i8 put_i8 i8, 16; get_u16 put_u16 u16, 8; get_i16 put_i16 i16, 8;
    get_u32 put_u32 u32, 4; get_i32 put_i32 i32, 4; get_f32 put_f32 f32, 4;
    get_f64 put_f64 f64, 2;
}

/// `name(a) = put(each lane of get(a))`
macro_rules! unary {
    ($($name:ident, $get:ident $put:ident, |$a:ident| $e:expr;)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of the WebAssembly specification.")]
        #[inline(always)]
        pub fn $name(v: V128) -> V128 { $put($get(v).map(|$a| $e)) }
    )* };
}
/// `name(a, b) = put(each pair of lanes)`
macro_rules! binary {
    ($($name:ident, $get:ident $put:ident, |$a:ident, $b:ident| $e:expr;)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of the WebAssembly specification.")]
        #[inline(always)]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b) = ($get(a), $get(b));
            $put(from_fn(|i| { let ($a, $b) = (a[i], b[i]); $e }))
        }
    )* };
}
/// `name(a, bits)`, the amount taken modulo the lane's width.
macro_rules! shift {
    ($($name:ident, $get:ident $put:ident, $op:ident;)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of the WebAssembly specification.")]
        #[inline(always)]
        pub fn $name(v: V128, amount: u32) -> V128 { $put($get(v).map(|a| a.$op(amount))) }
    )* };
}
macro_rules! splat {
    ($($name:ident, $t:ty, $put:ident;)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of the WebAssembly specification.")]
        #[inline(always)]
        pub fn $name(a: $t) -> V128 { $put([a; 16 / size_of::<$t>()]) }
    )* };
}
/// Lanes of the result from lanes of the operands, by index.
macro_rules! by_index {
    ($($name:ident($($v:ident: $get:ident),*) = $put:ident |$i:ident| $e:expr;)*) => { $(
        #[doc = concat!("`", stringify!($name), "` of the WebAssembly specification.")]
        #[inline(always)]
        pub fn $name($($v: V128),*) -> V128 { $(let $v = $get($v);)* $put(from_fn(|$i| $e)) }
    )* };
}
const fn mask8(b: bool) -> u8 {
    if b { u8::MAX } else { 0 }
}
const fn mask16(b: bool) -> u16 {
    if b { u16::MAX } else { 0 }
}
const fn mask32(b: bool) -> u32 {
    if b { u32::MAX } else { 0 }
}

splat! {
    i8x16_splat, i8, put_i8; u8x16_splat, u8, put_u8; i16x8_splat, i16, put_i16; u16x8_splat, u16, put_u16;
    i32x4_splat, i32, put_i32; u32x4_splat, u32, put_u32; f32x4_splat, f32, put_f32;
    f64x2_splat, f64, put_f64;
}
unary! {
    v128_not, get_u32 put_u32, |a| !a;
    i8x16_popcnt, get_u8 put_u8, |a| a.count_ones() as u8;
    f32x4_abs, get_f32 put_f32, |a| a.abs();
    f32x4_neg, get_f32 put_f32, |a| -a;
    f32x4_sqrt, get_f32 put_f32, |a| a.sqrt();
    f32x4_ceil, get_f32 put_f32, |a| a.ceil();
    f32x4_floor, get_f32 put_f32, |a| a.floor();
    f32x4_trunc, get_f32 put_f32, |a| a.trunc();
    f32x4_nearest, get_f32 put_f32, |a| a.round_ties_even();
    f32x4_convert_i32x4, get_i32 put_f32, |a| a as f32;
    i32x4_trunc_sat_f32x4, get_f32 put_i32, |a| a as i32;
}
binary! {
    v128_and, get_u32 put_u32, |a, b| a & b;
    v128_andnot, get_u32 put_u32, |a, b| a & !b;
    v128_or, get_u32 put_u32, |a, b| a | b;
    v128_xor, get_u32 put_u32, |a, b| a ^ b;
    i8x16_add, get_u8 put_u8, |a, b| a.wrapping_add(b);
    i8x16_sub, get_u8 put_u8, |a, b| a.wrapping_sub(b);
    i8x16_eq, get_u8 put_u8, |a, b| mask8(a == b);
    i8x16_lt, get_i8 put_u8, |a, b| mask8(a < b);
    i8x16_min, get_i8 put_i8, |a, b| a.min(b);
    i8x16_max, get_i8 put_i8, |a, b| a.max(b);
    u8x16_min, get_u8 put_u8, |a, b| a.min(b);
    u8x16_max, get_u8 put_u8, |a, b| a.max(b);
    u8x16_add_sat, get_u8 put_u8, |a, b| a.saturating_add(b);
    u8x16_sub_sat, get_u8 put_u8, |a, b| a.saturating_sub(b);
    i16x8_add, get_u16 put_u16, |a, b| a.wrapping_add(b);
    i16x8_sub, get_u16 put_u16, |a, b| a.wrapping_sub(b);
    i16x8_mul, get_u16 put_u16, |a, b| a.wrapping_mul(b);
    i16x8_min, get_i16 put_i16, |a, b| a.min(b);
    i16x8_max, get_i16 put_i16, |a, b| a.max(b);
    i16x8_gt, get_i16 put_u16, |a, b| mask16(a > b);
    i32x4_add, get_u32 put_u32, |a, b| a.wrapping_add(b);
    i32x4_sub, get_u32 put_u32, |a, b| a.wrapping_sub(b);
    i32x4_mul, get_u32 put_u32, |a, b| a.wrapping_mul(b);
    i32x4_min, get_i32 put_i32, |a, b| a.min(b);
    i32x4_max, get_i32 put_i32, |a, b| a.max(b);
    i32x4_eq, get_i32 put_u32, |a, b| mask32(a == b);
    i32x4_lt, get_i32 put_u32, |a, b| mask32(a < b);
    i32x4_gt, get_i32 put_u32, |a, b| mask32(a > b);
    f32x4_add, get_f32 put_f32, |a, b| a + b;
    f32x4_sub, get_f32 put_f32, |a, b| a - b;
    f32x4_mul, get_f32 put_f32, |a, b| a * b;
    f64x2_add, get_f64 put_f64, |a, b| a + b;
    f64x2_mul, get_f64 put_f64, |a, b| a * b;
    f32x4_div, get_f32 put_f32, |a, b| a / b;
    f32x4_pmin, get_f32 put_f32, |a, b| if b < a { b } else { a };
    f32x4_pmax, get_f32 put_f32, |a, b| if a < b { b } else { a };
    f32x4_min, get_f32 put_f32, |a, b| min(a, b);
    f32x4_max, get_f32 put_f32, |a, b| max(a, b);
    f32x4_eq, get_f32 put_u32, |a, b| mask32(a == b);
    f32x4_ne, get_f32 put_u32, |a, b| mask32(a != b);
    f32x4_lt, get_f32 put_u32, |a, b| mask32(a < b);
    f32x4_le, get_f32 put_u32, |a, b| mask32(a <= b);
    f32x4_gt, get_f32 put_u32, |a, b| mask32(a > b);
    f32x4_ge, get_f32 put_u32, |a, b| mask32(a >= b);
}
shift! {
    i8x16_shl, get_u8 put_u8, wrapping_shl; i8x16_shr, get_i8 put_i8, wrapping_shr; u8x16_shr, get_u8 put_u8, wrapping_shr;
    i16x8_shl, get_u16 put_u16, wrapping_shl; i16x8_shr, get_i16 put_i16, wrapping_shr;
    u16x8_shr, get_u16 put_u16, wrapping_shr;
    i32x4_shl, get_u32 put_u32, wrapping_shl; i32x4_shr, get_i32 put_i32, wrapping_shr;
    u32x4_shr, get_u32 put_u32, wrapping_shr;
}
by_index! {
    i16x8_extend_low_i8x16(v: get_i8) = put_i16 |i| i16::from(v[i]);
    i16x8_extend_high_i8x16(v: get_i8) = put_i16 |i| i16::from(v[8 + i]);
    i16x8_extend_low_u8x16(v: get_u8) = put_u16 |i| u16::from(v[i]);
    i16x8_extend_high_u8x16(v: get_u8) = put_u16 |i| u16::from(v[8 + i]);
    i32x4_extend_low_i16x8(v: get_i16) = put_i32 |i| i32::from(v[i]);
    i32x4_extend_high_i16x8(v: get_i16) = put_i32 |i| i32::from(v[4 + i]);
    i32x4_extend_low_u16x8(v: get_u16) = put_u32 |i| u32::from(v[i]);
    i32x4_extend_high_u16x8(v: get_u16) = put_u32 |i| u32::from(v[4 + i]);
    i16x8_extmul_low_i8x16(a: get_i8, b: get_i8) = put_i16 |i| i16::from(a[i]) * i16::from(b[i]);
    i16x8_extmul_high_i8x16(a: get_i8, b: get_i8) = put_i16 |i| i16::from(a[8 + i]) * i16::from(b[8 + i]);
    i16x8_extadd_pairwise_i8x16(v: get_i8) = put_i16 |i| i16::from(v[2 * i]) + i16::from(v[2 * i + 1]);
    u16x8_extadd_pairwise_u8x16(v: get_u8) = put_u16 |i| u16::from(v[2 * i]) + u16::from(v[2 * i + 1]);
    i32x4_extadd_pairwise_i16x8(v: get_i16) = put_i32 |i| i32::from(v[2 * i]) + i32::from(v[2 * i + 1]);
    u32x4_extadd_pairwise_u16x8(v: get_u16) = put_u32 |i| u32::from(v[2 * i]) + u32::from(v[2 * i + 1]);
    i8x16_narrow_i16x8(a: get_i16, b: get_i16) = put_i8 |i| narrow(&a, &b, i).clamp(-128, 127) as i8;
    u8x16_narrow_i16x8(a: get_i16, b: get_i16) = put_u8 |i| narrow(&a, &b, i).clamp(0, 255) as u8;
    i16x8_narrow_i32x4(a: get_i32, b: get_i32) = put_i16 |i| narrow(&a, &b, i).clamp(-32768, 32767) as i16;
    v128_bitselect(a: get_u32, b: get_u32, mask: get_u32) = put_u32 |i| (a[i] & mask[i]) | (b[i] & !mask[i]);
}

#[inline(always)]
fn narrow<T: Copy>(a: &[T], b: &[T], i: usize) -> T {
    if i < a.len() { a[i] } else { b[i - a.len()] }
}

/// The smaller; NaN where either is, and -0 below +0.
fn min(a: f32, b: f32) -> f32 {
    match () {
        () if a.is_nan() || b.is_nan() => f32::NAN,
        () if a == b => f32::from_bits(a.to_bits() | b.to_bits()),
        () => a.min(b),
    }
}

/// The larger; NaN where either is, and +0 above -0.
fn max(a: f32, b: f32) -> f32 {
    match () {
        () if a.is_nan() || b.is_nan() => f32::NAN,
        () if a == b => f32::from_bits(a.to_bits() & b.to_bits()),
        () => a.max(b),
    }
}

/// Eight int8, sign-extended to int16.
#[inline(always)]
pub fn i16x8_load_extend_i8x8(from: &[i8; 8]) -> V128 {
    put_i16(from.map(i16::from))
}

/// Eight uint8 in the bits of int8, zero-extended to int16.
#[inline(always)]
pub fn i16x8_load_extend_u8x8(from: &[i8; 8]) -> V128 {
    put_i16(from.map(|x| i16::from(x as u8)))
}

/// Writes one of two lanes of 64 bits.
#[inline(always)]
pub fn v128_store64_lane<const LANE: usize>(to: &mut [i8; 8], value: V128) {
    to.copy_from_slice(&get_i8(value)[8 * LANE..][..8]);
}

/// Writes one of four lanes of 32 bits.
#[inline(always)]
pub fn v128_store32_lane<const LANE: usize>(to: &mut [i8; 4], value: V128) {
    *to = get_i32(value)[LANE].to_le_bytes().map(|byte| byte as i8);
}

/// Lane `N`.
#[inline(always)]
pub fn i32x4_extract_lane<const N: usize>(v: V128) -> i32 {
    get_i32(v)[N]
}

/// Lane `N`.
#[inline(always)]
pub fn f32x4_extract_lane<const N: usize>(v: V128) -> f32 {
    get_f32(v)[N]
}

/// Lanes 0..4 are those of `a`, 4..8 those of `b`.
#[inline(always)]
pub fn i32x4_shuffle<const A: usize, const B: usize, const C: usize, const D: usize>(
    a: V128,
    b: V128,
) -> V128 {
    let (a, b) = (get_u32(a), get_u32(b));
    put_u32([A, B, C, D].map(|i| narrow(&a, &b, i)))
}

/// Lanes 0..16 are those of `a`, 16..32 those of `b`.
#[rustfmt::skip]
#[inline(always)]
pub fn i8x16_shuffle<
    const A: usize, const B: usize, const C: usize, const D: usize,
    const E: usize, const F: usize, const G: usize, const H: usize,
    const I: usize, const J: usize, const K: usize, const L: usize,
    const M: usize, const N: usize, const O: usize, const P: usize,
>(a: V128, b: V128) -> V128 {
    V128([A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P].map(|i| narrow(&a.0, &b.0, i)))
}

/// Whether any bit is set.
#[inline(always)]
pub fn v128_any_true(v: V128) -> bool {
    v.0 != [0; 16]
}

/// The top bits of the lanes, lane 0 lowest.
#[inline(always)]
pub fn i8x16_bitmask(v: V128) -> u16 {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
    return sse::bitmask(v);
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse4.1")))]
    v.0.iter().enumerate().fold(0, |mask, (i, b)| mask | u16::from(b >> 7) << i)
}

/// The top bits of the lanes, lane 0 lowest.
#[inline(always)]
pub fn i32x4_bitmask(v: V128) -> u8 {
    get_u32(v).iter().enumerate().fold(0, |mask, (i, lane)| mask | ((lane >> 31) as u8) << i)
}

/// `table[index]` per byte, 0 where the index is 16 or more.
#[inline(always)]
pub fn i8x16_swizzle(table: V128, index: V128) -> V128 {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
    return sse::swizzle(table, index);
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse4.1")))]
    V128(index.0.map(|i| table.0.get(usize::from(i)).copied().unwrap_or(0)))
}

/// `table[index]` per byte. Fixed for indices below 16, which is asserted.
#[inline(always)]
pub fn i8x16_relaxed_swizzle(table: V128, index: V128) -> V128 {
    debug_assert!(index.0.iter().all(|&i| i < 16), "relaxed swizzle outside its fixed range: {index:?}");
    i8x16_swizzle(table, index)
}

/// Sums of neighbouring products: `a[2i] * b[2i] + a[2i + 1] * b[2i + 1]`, wrapping.
#[inline(always)]
pub fn i32x4_dot_i16x8(a: V128, b: V128) -> V128 {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
    return sse::dot_i16x8(a, b);
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse4.1")))]
    {
        let (a, b) = (get_i16(a).map(i32::from), get_i16(b).map(i32::from));
        put_i32(from_fn(|i| (a[2 * i] * b[2 * i]).wrapping_add(a[2 * i + 1] * b[2 * i + 1])))
    }
}

/// Sums of neighbouring products of signed bytes with 7-bit bytes. Fixed where `b` is below 128, which is asserted.
#[inline(always)]
pub fn i16x8_relaxed_dot_i8x16_i7x16(a: V128, b: V128) -> V128 {
    debug_assert!(b.0.iter().all(|&b| b < 128), "relaxed dot outside its fixed range: {b:?}");
    #[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
    return sse::dot_i8x16_u7x16(a, b);
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse4.1")))]
    {
        let (a, b) = (get_i8(a).map(i16::from), get_i8(b).map(i16::from));
        put_i16(from_fn(|i| a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]))
    }
}

/// `c` plus sums of four neighbouring products. Fixed where `b` is below 128, which is asserted.
#[inline(always)]
pub fn i32x4_relaxed_dot_i8x16_i7x16_add(a: V128, b: V128, c: V128) -> V128 {
    i32x4_add(c, i32x4_extadd_pairwise_i16x8(i16x8_relaxed_dot_i8x16_i7x16(a, b)))
}

std::thread_local! {
    static EMULATED: core::cell::Cell<RelaxedDot> = const { core::cell::Cell::new(RelaxedDot::Seven) };
}

impl RelaxedDot {
    /// That of the engine which this thread stands in for ([`RelaxedDot::emulate`]); [`RelaxedDot::Seven`] unless told otherwise.
    #[must_use]
    pub fn of_engine() -> Self {
        EMULATED.get()
    }

    /// Has this thread stand in for an engine of this kind while `run` runs: what is packed in there may use, and is run with, its dot alone.
    pub fn emulate<T>(self, run: impl FnOnce() -> T) -> T {
        let before = EMULATED.replace(self);
        let result = run();
        EMULATED.set(before);
        result
    }
}

/// `c` plus sums of four neighbouring products. Fixed only on an engine that reads `b` as unsigned, which is asserted of the one that is emulated.
#[inline(always)]
pub fn i32x4_relaxed_dot_i8x16_u8x16_add(a: V128, b: V128, c: V128) -> V128 {
    debug_assert_eq!(RelaxedDot::of_engine(), RelaxedDot::Unsigned, "a dot that this engine does not have");
    dot4(a, get_u8(b).map(i32::from), c)
}

/// `c` plus sums of four neighbouring products. Fixed only on an engine that reads `b` as signed, which is asserted of the one that is emulated.
#[inline(always)]
pub fn i32x4_relaxed_dot_i8x16_i8x16_add(a: V128, b: V128, c: V128) -> V128 {
    debug_assert_eq!(RelaxedDot::of_engine(), RelaxedDot::Signed, "a dot that this engine does not have");
    dot4(a, get_i8(b).map(i32::from), c)
}

#[inline(always)]
fn dot4(a: V128, b: [i32; 16], c: V128) -> V128 {
    let (a, c) = (get_i8(a).map(i32::from), get_i32(c));
    put_i32(from_fn(|i| (4 * i..4 * i + 4).fold(c[i], |sum, k| sum.wrapping_add(a[k] * b[k]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The four engines there are (V8 with and without VNNI, Arm with and without `sdot`), and one that reads as unsigned and saturates late.
    #[test]
    fn the_probe_tells_engines_apart() {
        let unsigned = |a, b: V128, c| dot4(a, get_u8(b).map(i32::from), c);
        let signed = |a, b: V128, c| dot4(a, get_i8(b).map(i32::from), c);
        let by_pairs = |wide: fn(u8) -> i32, to_i16: fn(i32) -> i32| {
            move |a: V128, b: V128, c: V128| {
                let (a, b) = (get_i8(a).map(i32::from), get_u8(b).map(wide));
                let pair = |i: usize| to_i16(a[i] * b[i] + a[i + 1] * b[i + 1]);
                i32x4_add(c, put_i32(from_fn(|i| pair(4 * i) + pair(4 * i + 2))))
            }
        };
        let saturate = |sum: i32| sum.clamp(-32768, 32767);
        let wrap = |sum: i32| i32::from(sum as i16);
        assert_eq!(RelaxedDot::of(unsigned), RelaxedDot::Unsigned);
        assert_eq!(RelaxedDot::of(signed), RelaxedDot::Signed);
        assert_eq!(RelaxedDot::of(by_pairs(i32::from, saturate)), RelaxedDot::Seven);
        assert_eq!(RelaxedDot::of(by_pairs(|b| i32::from(b as i8), wrap)), RelaxedDot::Seven);
        assert_eq!(RelaxedDot::of(by_pairs(i32::from, wrap)), RelaxedDot::Seven);
    }
}
