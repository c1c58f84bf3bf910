//! Sums of four rows in vectors: what the tiers with vectors have in common.

use core::marker::PhantomData;

use super::ROWS;
use crate::v128::{
    V128, i8x16_load, i32x4_add, i32x4_shl, i32x4_splat, i32x4_store, i32x4_sums, u8x16_load, v128_opaque,
};

/// How a tier multiplies codes with a query.
pub(super) trait Products {
    /// Leaves one code in each lane of a block that was shifted.
    fn mask(width: u32) -> V128;

    /// `sum` + products of the codes that begin at bit `at` of each byte of `block`, with the coordinates that they belong to.
    fn add(sum: V128, block: V128, at: u32, mask: V128, query: V128) -> V128;
}

/// Four int32 of each row.
pub(super) struct VectorSums<P>([V128; ROWS], PhantomData<P>);

impl<P: Products> super::Sums for VectorSums<P> {
    #[inline(always)]
    fn zero() -> Self {
        Self([i32x4_splat(0); ROWS], PhantomData)
    }

    #[inline(always)]
    fn add<const WIDTH: u32>(&mut self, part: [&[u8]; ROWS], query: &[i8], shift: u32) {
        let mask = v128_opaque(P::mask(WIDTH));
        let blocks = part[0].len() / 16;
        let part = part.map(|part| &part.as_chunks::<16>().0[..blocks]);
        let mut of_part = [i32x4_splat(0); ROWS];
        for (at, query) in query.chunks_exact(128 / WIDTH as usize).take(blocks).enumerate() {
            let block = part.map(|part| u8x16_load(&part[at]));
            for (piece, query) in (0..).zip(query.as_chunks::<16>().0) {
                let query = i8x16_load(query);
                for (sum, block) in of_part.iter_mut().zip(block) {
                    *sum = P::add(*sum, block, WIDTH * piece, mask, query);
                }
            }
        }
        for (sum, of_part) in self.0.iter_mut().zip(of_part) {
            *sum = i32x4_add(*sum, i32x4_shl(of_part, shift));
        }
    }

    #[inline(always)]
    fn finish(self) -> [i32; ROWS] {
        let mut sums = [0; ROWS];
        i32x4_store(&mut sums, i32x4_sums(self.0));
        sums
    }
}
