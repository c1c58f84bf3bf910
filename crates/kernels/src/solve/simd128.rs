//! Two columns to a vector, the sixteen sums in eight registers over the whole depth.

use super::tile::{SIDE, Tile};
use crate::v128::{V128, f64x2_add, f64x2_load, f64x2_mul, f64x2_splat, f64x2_store};

pub(super) fn add_products(a: &[[f64; SIDE]], b: &[[f64; SIDE]], sums: &mut Tile) {
    let mut acc: [[V128; 2]; SIDE] =
        core::array::from_fn(|r| [f64x2_load(&sums[r]), f64x2_load(&sums[r][2..])]);
    for (a, b) in a.iter().zip(b) {
        let b = [f64x2_load(b), f64x2_load(&b[2..])];
        for (acc, &a) in acc.iter_mut().zip(a) {
            let a = f64x2_splat(a);
            acc[0] = f64x2_add(acc[0], f64x2_mul(a, b[0]));
            acc[1] = f64x2_add(acc[1], f64x2_mul(a, b[1]));
        }
    }
    for (sums, acc) in sums.iter_mut().zip(acc) {
        f64x2_store(sums, acc[0]);
        f64x2_store(&mut sums[2..], acc[1]);
    }
}
