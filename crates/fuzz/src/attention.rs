//! Attention: every tier gives the bits of `scalar`, on any floats and masks.

use arbitrary::Arbitrary;
use lowbit_kernels::attention::{Attention, Mask, Rotary};
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::Op;
use lowbit_kernels::tier::Tier;

use crate::{any_floats, bits, cycle};

/// Sizes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    batch: u8,
    queries: u8,
    keys: u8,
    kv_heads: u8,
    shared: u8,
    depth: u8,
    causal: bool,
    mask: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a tier differs.
    pub fn check(&self) {
        let (batch, kv_heads) = (usize::from(self.batch % 2) + 1, usize::from(self.kv_heads % 3) + 1);
        let (queries, keys) = (usize::from(self.queries % 80) + 1, usize::from(self.keys % 40) + 1);
        let (heads, depth) = (kv_heads * (usize::from(self.shared % 3) + 1), usize::from(self.depth % 20) + 1);
        let sizes = Attention { batch, queries, keys, heads, kv_heads, depth, scale: 0.5, causal: self.causal };
        let q = any_floats(self.values, batch * queries * heads * depth, 0);
        let k = any_floats(self.values, batch * keys * kv_heads * depth, 3);
        let v = any_floats(self.values, batch * keys * kv_heads * depth, 11);
        let keep: Vec<i32> = cycle(self.values, batch * keys, 5).map(|b| i32::from(b & 1)).collect();
        let added = any_floats(self.values, queries * keys, 7);
        let mask = match self.mask % 3 {
            0 => Mask::None,
            1 => Mask::Keep(&keep),
            _ => Mask::Add { values: &added, strides: [0, 0, keys] },
        };
        let mut scratch = Scratch::new();
        scratch.reserve(Op::Attention, sizes.scratch_lines()).expect("memory");
        let results = Tier::ALL.map(|tier| {
            let mut y = vec![0.0; q.len()];
            sizes.run(tier, [&q, &k, &v], mask, &mut y, scratch.arena()).expect("valid");
            bits(&y)
        });
        assert!(results.iter().all(|y| *y == results[0]), "{self:?}");

        let mut y = q;
        Rotary::new(80, 2 * depth, 100.0).expect("valid").run(&mut y, queries, heads).unwrap_or_default();
    }
}
