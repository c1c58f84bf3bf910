//! Extremes, and integers' sums, equal those over the positions that belong together; the best k are in order.

use arbitrary::Arbitrary;
use lowbit_kernels::arithmetic::naive::{Number, read, write};
use lowbit_kernels::dtype::DType;
use lowbit_kernels::reduce::{Along, AlongKind, Lines, Reduce, Reduction, TopK, naive};

use crate::cycle;

const TYPES: [DType; 6] =
    [DType::Int8, DType::Uint16, DType::Int32, DType::Uint64, DType::F32, DType::F16];

/// A shape, which axes, and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    axes: [u8; 4],
    over: u8,
    dtype: u8,
    k: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let shape = self.axes.map(|axis| usize::from(axis % 12));
        let over = [1, 2, 4, 8].map(|bit| self.over & bit != 0);
        let dtype = TYPES[usize::from(self.dtype) % TYPES.len()];
        let count: usize = shape.iter().product();
        let x: Vec<u8> = cycle(self.values, count * dtype.size(), 0).collect();
        let at = |i: usize| read(dtype, &x[i * dtype.size()..]);
        let key = |i: usize| match at(i) {
            Number::Integer(v) => (v, 0),
            // NaN above all, and one zero.
            Number::Float(v) if v.is_nan() => (i128::MAX, 0),
            Number::Float(v) => {
                let bits = i128::from((v + 0.0).to_bits() as i64);
                (if bits < 0 { -(bits & i128::from(i64::MAX)) } else { bits }, 1)
            }
        };
        for kind in [Reduction::Sum, Reduction::Max, Reduction::Min] {
            let made = Reduce::new(kind, dtype, &shape, &over).expect("valid");
            let mut y = vec![0; made.bytes()[1]];
            made.run(&x, &mut y).expect("valid");
            for (output, group) in naive::groups(&shape, &over).iter().enumerate() {
                let got = &y[output * dtype.size()..(output + 1) * dtype.size()];
                let values = group.iter().map(|i| if let Number::Integer(v) = at(*i) { v } else { 0 });
                match kind {
                    Reduction::Sum if !dtype.is_float() => {
                        assert_eq!(got, write(dtype, Number::Integer(values.sum())), "{self:?}");
                    }
                    Reduction::Max | Reduction::Min if !dtype.is_float() && !group.is_empty() => {
                        let best = if kind == Reduction::Max { values.max() } else { values.min() };
                        assert_eq!(got, write(dtype, Number::Integer(best.expect("some"))), "{self:?}");
                    }
                    _ => {}
                }
            }
        }
        let lines = Lines { outer: shape[0] * shape[1], size: shape[2], inner: shape[3] };
        if dtype.is_float() {
            let mut y = vec![0; x.len()];
            Along::new(AlongKind::Softmax, dtype, lines).expect("floats").run(&x, &mut y).expect("valid");
        }
        let smallest = self.over & 16 != 0;
        let k = usize::from(self.k) % (lines.size + 1);
        let made = TopK::new(dtype, lines, k, smallest).expect("valid");
        let [_, values, positions] = made.bytes().expect("few");
        let (mut values, mut positions) = (vec![0; values], vec![0; positions]);
        made.run(&x, &mut values, &mut positions, &mut Vec::new()).expect("valid");
        for (line, members) in naive::lines(lines).iter().enumerate() {
            let mut order: Vec<usize> = (0..lines.size).collect();
            let by = |i: &usize| key(members[*i]);
            order.sort_by(|a, b| if smallest { by(a).cmp(&by(b)) } else { by(b).cmp(&by(a)) });
            for (rank, expected) in order.iter().take(k).enumerate() {
                let to = (line / lines.inner * k + rank) * lines.inner + line % lines.inner;
                let got = read(DType::Int64, &positions[to * 8..]);
                assert_eq!(got, Number::Integer(*expected as i128), "{self:?}");
            }
        }
    }
}
