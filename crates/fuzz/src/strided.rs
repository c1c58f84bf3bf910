//! Copies along strides equal index arithmetic, or are refused where they would leave x.

use arbitrary::Arbitrary;
use lowbit_kernels::strided::{Axis, Segment, Strided, naive};

use crate::cycle;

/// Strides and segments of up to four axes.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    x_len: u8,
    axes: [(u8, u8, [(i8, i8, i8); 3]); 4],
    rank: u8,
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a result differs.
    pub fn check(&self) {
        let axes: Vec<Axis> = self.axes[..usize::from(self.rank % 5)]
            .iter()
            .map(|&(stride, segments, list)| Axis {
                stride: usize::from(stride % 32),
                segments: list[..usize::from(segments % 4)]
                    .iter()
                    .map(|&(start, step, count)| Segment {
                        start: i32::from(start).max(-2) % 16,
                        step: i32::from(step) % 4,
                        count: (i32::from(count) % 9).max(-1),
                    })
                    .collect(),
            })
            .collect();
        let x: Vec<u8> = cycle(self.values, usize::from(self.x_len), 0).collect();
        // Whatever is accepted must lie inside x, or the run panics.
        if let Ok(strided) = Strided::new(x.len(), &axes) {
            let mut y = vec![0; strided.lengths()[1]];
            strided.run(&x, 7, &mut y).expect("its own lengths");
            assert_eq!(y, naive::strided(&x, &axes, 7), "{self:?}");
        }
    }
}
