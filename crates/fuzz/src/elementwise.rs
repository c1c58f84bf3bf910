//! Broadcasting equals index arithmetic on any floats; clips compare as they say.

use arbitrary::Arbitrary;
use lowbit_kernels::elementwise::{Binary, BinaryOp, clip, leaky_relu, naive, sign};

use crate::{any_floats, bits};

/// Shapes and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    axes: [u8; 4],
    low: i8,
    high: i8,
    op: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let axis = |axis: u8| usize::from(axis % 7) + 1;
        let side = |stretched: u8| self.axes.map(|a| if a & stretched == 0 { axis(a) } else { 1 });
        let (a_shape, b_shape) = (side(64), side(128));
        let (a, b) = (
            any_floats(self.values, a_shape.iter().product(), 0),
            any_floats(self.values, b_shape.iter().product(), 5),
        );
        let ops: [(BinaryOp, fn(f32, f32) -> f32); 4] = [
            (BinaryOp::Add, |a, b| a + b),
            (BinaryOp::Sub, |a, b| a - b),
            (BinaryOp::Mul, |a, b| a * b),
            (BinaryOp::Div, |a, b| a / b),
        ];
        let (op, function) = ops[usize::from(self.op % 4)];
        let expected = naive::binary(function, (&a, &a_shape), (&b, &b_shape));
        let mut y = vec![0.0; expected.len()];
        Binary::new(op, &a_shape, &b_shape).expect("they broadcast").run(&a, &b, &mut y).expect("valid");
        assert_eq!(bits(&y), bits(&expected), "{self:?}");

        let (low, high) = (f32::from(self.low.min(self.high)), f32::from(self.low.max(self.high)));
        let mut y = a.clone();
        clip(&mut y, low, high);
        let clamped = |x: f32| if x < low { low } else if x > high { high } else { x };
        assert_eq!(bits(&y), bits(&a.iter().map(|x| clamped(*x)).collect::<Vec<_>>()), "{self:?}");
        let mut y = a.clone();
        leaky_relu(&mut y, 0.25);
        let leaky = |x: f32| if x < 0.0 { x * 0.25 } else { x };
        assert_eq!(bits(&y), bits(&a.iter().map(|x| leaky(*x)).collect::<Vec<_>>()), "{self:?}");
        let mut y = a.clone();
        sign(&mut y);
        let signs = |x: f32| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { 0.0 };
        assert_eq!(bits(&y), bits(&a.iter().map(|x| signs(*x)).collect::<Vec<_>>()), "{self:?}");
    }
}
