//! Products of bytes equal the definition.

use arbitrary::Arbitrary;
use lowbit_kernels::matmul_integer::{MatmulInteger, naive};

use crate::cycle;

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    m: u8,
    n: u8,
    k: u8,
    per_row: bool,
    per_column: bool,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let [m, n, k] = [self.m, self.n, self.k].map(|size| usize::from(size % 40) + 1);
        let bytes = |count, start| cycle(self.values, count, start).collect::<Vec<u8>>();
        let a = bytes(m * k, 0);
        let za = bytes(if self.per_row { m } else { 1 }, 3);
        let signed = |count, start| bytes(count, start).iter().map(|byte| *byte as i8).collect::<Vec<i8>>();
        let b = signed(k * n, 5);
        let zb = signed(if self.per_column { n } else { 1 }, 7);
        let mut y = vec![0; m * n];
        MatmulInteger::new(m, n, k).expect("valid").run(&a, &za, &b, &zb, &mut y).expect("lengths");
        let of_a = |values: &[u8]| values.iter().map(|value| i64::from(*value)).collect::<Vec<_>>();
        let of_b = |values: &[i8]| values.iter().map(|value| i64::from(*value)).collect::<Vec<_>>();
        let exact = naive::matmul(&of_a(&a), &of_a(&za), &of_b(&b), &of_b(&zb), [m, n, k]);
        assert_eq!(y.iter().map(|y| i64::from(*y)).collect::<Vec<_>>(), exact, "{self:?}");
    }
}
