//! Copies along strides equal index arithmetic on every element, and never leave x.

use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::strided::{Axis, Segment, Strided, Triangle, naive, range};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

/// Segments over an axis of `size` elements.
fn segments(random: &mut Random, size: i32) -> Vec<Segment> {
    let one = |random: &mut Random| {
        let count = random.int(0, 6);
        if random.int(0, 5) == 0 {
            return Segment { start: -1, step: 0, count };
        }
        let start = random.int(0, size - 1);
        // What is left on the side that the step goes to.
        let step = random.int(-2, 2);
        let room = match step {
            0 => i32::MAX,
            1.. => (size - 1 - start) / step + 1,
            _ => start / -step + 1,
        };
        Segment { start, step, count: count.min(room) }
    };
    match random.int(0, 3) {
        // Whole axes are what joins.
        0 | 1 => vec![Segment { start: 0, step: 1, count: size }],
        2 => vec![one(random)],
        _ => (0..random.int(1, 4)).map(|_| one(random)).collect(),
    }
}

fn copies() {
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let rank = random.int(0, 5) as usize;
        let shape = random.many(rank, |r| r.int(1, 5));
        let axes: Vec<Axis> = (0..rank)
            .map(|i| Axis {
                stride: shape[i + 1..].iter().product::<i32>() as usize,
                segments: segments(&mut random, shape[i]),
            })
            .collect();
        let x = random.many(shape.iter().product::<i32>() as usize, |r| r.next() as u16);
        let expected = naive::strided(&x, &axes, 0xabcd);
        let strided = Strided::new(x.len(), &axes).expect("valid");
        assert_eq!(strided.lengths(), [x.len(), expected.len()]);
        let mut y = vec![0; expected.len()];
        strided.run(&x, 0xabcd, &mut y).expect("valid");
        assert_eq!(y, expected, "seed {seed}: {axes:?}");
    }
}

fn refusals() {
    let refused = |x_len, stride, start, step, count| {
        let axis = Axis { stride, segments: vec![Segment { start, step, count }] };
        Strided::new(x_len, &[axis]).map_err(|error| (error.code, error.what)).err()
    };
    assert_eq!(refused(4, 1, 0, 1, 4), None);
    assert_eq!(refused(4, 1, 3, -1, 4), None);
    assert_eq!(refused(4, 1, 0, 1, 5), Some((ErrorCode::Range, What::Length)));
    assert_eq!(refused(4, 2, 0, 1, 3), Some((ErrorCode::Range, What::Length)));
    assert_eq!(refused(4, 1, 2, -1, 4), Some((ErrorCode::Range, What::Geometry)));
    assert_eq!(refused(4, 1, -2, 1, 1), Some((ErrorCode::Range, What::Geometry)));
    assert_eq!(refused(4, 1, 0, 1, -1), Some((ErrorCode::Range, What::Length)));
    assert_eq!(refused(4, usize::MAX, 0, 1, 1), Some((ErrorCode::Range, What::Stride)));
    assert_eq!(refused(0, 1, 0, 1, 0), None);
    assert_eq!(refused(0, 1, -1, 0, 3), Some((ErrorCode::Range, What::Length)));
    let many = Axis { stride: 0, segments: vec![Segment { start: 0, step: 0, count: i32::MAX }] };
    let error = Strided::new(1, &[many.clone(), many.clone(), many]).map_err(|error| error.code).err();
    assert_eq!(error, Some(ErrorCode::Memory));
    let axis = Axis { stride: 1, segments: vec![Segment { start: 0, step: 1, count: 2 }] };
    let strided = Strided::new(3, &[axis]).expect("valid");
    assert_eq!(strided.run(&[1, 2], 0, &mut [0; 2]).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(strided.run(&[1, 2, 3], 0, &mut [0; 3]).map_err(|e| e.code), Err(ErrorCode::Shape));
}

fn made() {
    let mut y = [0_i64; 4];
    range(7.0, -3.0, |x| x as i64, &mut y);
    assert_eq!(y, [7, 4, 1, -2]);
    let mut random = Random::new(5);
    for _ in 0..300 {
        let [rows, columns, count] = [random.int(1, 5), random.int(1, 5), random.int(0, 3)].map(|n| n as usize);
        let triangle =
            Triangle { rows, columns, diagonal: random.int(-6, 6).into(), upper: random.int(0, 1) == 1 };
        let x = random.many(rows * columns * count, |r| r.int(1, 99));
        let mut y = vec![-1; x.len()];
        triangle.run(&x, &mut y).expect("valid");
        for (i, &y) in y.iter().enumerate() {
            let above = (i % columns) as i64 - (i / columns % rows) as i64 - triangle.diagonal;
            let kept = if triangle.upper { above >= 0 } else { above <= 0 };
            assert_eq!(y, if kept { x[i] } else { 0 }, "{triangle:?}");
        }
    }
    let triangle = Triangle { rows: 2, columns: 2, diagonal: 0, upper: true };
    assert_eq!(triangle.run(&[1; 3], &mut [0; 3]).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(triangle.run(&[1; 4], &mut [0; 8]).map_err(|e| e.code), Err(ErrorCode::Shape));
}

pub(crate) fn check(_: Tier) {
    made();
    copies();
    refusals();
}
