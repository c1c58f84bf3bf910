//! What an engine's relaxed dot makes of a second operand that needs all 8 bits.
//!
//! `i32x4.relaxed_dot_i8x16_i7x16_add` multiplies signed bytes with 7-bit ones. With the eighth bit set an engine may read the second operand as unsigned (x64 with
//! VNNI: `vpdpbusd`), as signed (Arm: `sdot`), or add pairs of products with saturation (x64 without: `vpmaddubsw`); the specification lets it choose, but only once for
//! all it runs. So the choice is asked for by running the instruction, and a kernel that is exact under it is picked.

use super::{V128, i32x4_extract_lane, i32x4_splat, u8x16_load};

/// How the second operand of the relaxed dot is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelaxedDot {
    /// As unsigned bytes, every sum exact.
    Unsigned,
    /// As signed bytes, every sum exact.
    Signed,
    /// Only below 128 is anything promised.
    Seven,
}

/// Operands whose products and sums of two are the largest there are, of either sign, alone and against each other.
const OPERANDS: [([u8; 4], [u8; 4]); 8] = [
    ([127; 4], [255; 4]),
    ([128; 4], [255; 4]),
    ([127; 4], [128; 4]),
    ([128; 4], [128; 4]),
    ([127, 127, 0, 0], [255, 255, 0, 0]),
    ([0, 0, 128, 128], [0, 0, 255, 255]),
    ([127, 128, 128, 127], [255, 129, 254, 128]),
    ([1, 255, 127, 129], [200, 100, 130, 255]),
];

impl RelaxedDot {
    /// Every way there is.
    pub const ALL: [Self; 3] = [Self::Unsigned, Self::Signed, Self::Seven];

    /// How `dot`, a relaxed dot with accumulation, reads its second operand.
    #[must_use]
    pub fn of(dot: impl Fn(V128, V128, V128) -> V128) -> Self {
        let reads_as = |wide: fn(u8) -> i32| {
            OPERANDS.iter().all(|(a, b)| {
                let products = a.iter().zip(b).map(|(&a, &b)| i32::from(a as i8) * wide(b));
                let sum = dot(repeated(*a), repeated(*b), i32x4_splat(-5));
                i32x4_extract_lane::<0>(sum) == products.sum::<i32>() - 5
            })
        };
        match () {
            () if reads_as(i32::from) => Self::Unsigned,
            () if reads_as(|b| i32::from(b as i8)) => Self::Signed,
            () => Self::Seven,
        }
    }
}

/// Four times the same bytes, which the compiler does not see through.
fn repeated(bytes: [u8; 4]) -> V128 {
    let bytes = core::hint::black_box(bytes);
    u8x16_load(&core::array::from_fn::<u8, 16, _>(|i| bytes[i % 4]))
}
