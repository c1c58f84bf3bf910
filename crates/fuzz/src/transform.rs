//! Moves of elements equal index arithmetic, and casts never leave their buffers.

use arbitrary::Arbitrary;
use lowbit_kernels::transform::{DType, Pad, Transpose, cast, naive};

use crate::cycle;

/// Shapes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    axes: [u8; 4],
    order: [u8; 4],
    pads: [u8; 8],
    types: [u8; 2],
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let shape = self.axes.map(|axis| usize::from(axis % 9) + 1);
        let mut permutation = [0, 1, 2, 3];
        permutation.sort_by_key(|axis| self.order[*axis]);
        let x: Vec<u8> = cycle(self.values, shape.iter().product(), 0).collect();
        let mut y = vec![0; x.len()];
        Transpose::new(&shape, &permutation).expect("valid").run(&x, &mut y).expect("valid");
        assert_eq!(y, naive::transpose(&x, &shape, &permutation), "{self:?}");

        let [a, b, c, d, e, f, g, h] = self.pads.map(|pad| usize::from(pad % 3));
        let (before, after) = ([a, b, c, d], [e, f, g, h]);
        let pad = Pad::new(&shape, &before, &after).expect("valid");
        let mut y = vec![0; pad.lengths()[1]];
        pad.run(&x, 7, &mut y).expect("valid");
        assert_eq!(y, naive::pad(&x, &shape, &before, &after, 7), "{self:?}");

        let [from, to] = self.types.map(|t| DType::from_number(i32::from(t % 7)).expect("a type"));
        let count = self.values.len() / from.size();
        let x: Vec<u8> = self.values[..count * from.size()].to_vec();
        // Bytes of bool are 0 or 1.
        let x = if from == DType::Bool { x.iter().map(|byte| byte & 1).collect() } else { x };
        let mut y = vec![0; count * to.size()];
        cast(&x, from, &mut y, to).expect("as many elements");
        let mut again = vec![0; y.len()];
        cast(&x, from, &mut again, to).expect("as many elements");
        assert_eq!(y, again, "{self:?}");
        // Between floats a NaN becomes the quiet one.
        if from == to && !matches!(from, DType::F32 | DType::F16) {
            assert_eq!(y, x, "{self:?}");
        }
    }
}
