//! The specification: one chain per sum.

use super::tile::{SIDE, Tile};

pub(super) fn add_products(a: &[[f64; SIDE]], b: &[[f64; SIDE]], sums: &mut Tile) {
    let mut acc = *sums;
    for (a, b) in a.iter().zip(b) {
        for (sums, &a) in acc.iter_mut().zip(a) {
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    *sums = acc;
}
