//! Gathered and scattered blocks equal index arithmetic; an index beyond its axis is refused before anything is written, or skipped.

use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::gather::{Axis, Coordinate, Gather, Indices, Outside, Reduction, naive};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

/// Blocks of data of one to four axes, the first of which are walked and the next ones named by indices.
struct Problem {
    data: usize,
    block: usize,
    axes: Vec<Axis>,
    coordinates: Vec<Coordinate>,
    indices: Vec<i64>,
}

fn problem(random: &mut Random, beyond: bool) -> Problem {
    let shape = random.many(4, |r| r.int(1, 4) as usize);
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let walked = random.int(0, 2) as usize;
    let named = random.int(1, 2) as usize;
    let tuples = random.int(0, 5) as usize;
    let coordinates: Vec<Coordinate> =
        (walked..walked + named).map(|axis| Coordinate { size: shape[axis], stride: stride(axis) }).collect();
    // Every walked place has tuples of its own, or all share them.
    let shares = random.int(0, 1) == 0;
    let mut axes: Vec<Axis> = vec![Axis { count: tuples, stride: 0, index_stride: named }];
    let mut lists = tuples;
    for axis in (0..walked).rev() {
        let index_stride = if shares { 0 } else { lists * named };
        axes.insert(0, Axis { count: shape[axis], stride: stride(axis), index_stride });
        lists *= if shares { 1 } else { shape[axis] };
    }
    let extra = i32::from(beyond);
    let indices = (0..lists * named)
        .map(|i| {
            let size = coordinates[i % named].size as i32;
            i64::from(random.int(-size - extra, size - 1 + extra))
        })
        .collect();
    Problem { data: stride(0) * shape[0], block: stride(walked + named - 1), axes, coordinates, indices }
}

fn moves() {
    for seed in 0..2000 {
        let mut random = Random::new(seed);
        let beyond = seed % 4 == 0;
        let Problem { data: len, block, axes, coordinates, indices } = problem(&mut random, beyond);
        let data = random.many(len, |r| r.int(-9, 9));
        let places = naive::places(&indices, &axes, &coordinates);
        let outside = if beyond { Outside::Skipped } else { Outside::Refused };
        let gather = Gather::new(len, indices.len(), &axes, &coordinates, block, outside).expect("valid");
        assert_eq!(gather.lengths().dense, places.len() * block);
        let narrow: Vec<i32> = indices.iter().map(|&i| i as i32).collect();

        let mut got = vec![77; places.len() * block];
        gather.gather(&data, Indices::Wide(&indices), &mut got).expect("valid");
        let expected: Vec<i32> =
            places.iter().flat_map(|at| (0..block).map(|i| at.map_or(77, |at| data[at + i]))).collect();
        assert_eq!(got, expected, "seed {seed}");
        got.fill(77);
        gather.gather(&data, Indices::Narrow(&narrow), &mut got).expect("valid");
        assert_eq!(got, expected, "seed {seed}");

        let one = random.int(0, 3) == 0;
        let updates = random.many(if one { 1 } else { expected.len() }, |r| r.int(-9, 9));
        let (reduction, combine): (_, fn(i32, i32) -> i32) = match seed % 5 {
            0 => (Reduction::Replace, |_, b| b),
            1 => (Reduction::Add, |a, b| a + b),
            2 => (Reduction::Mul, |a, b| a.wrapping_mul(b)),
            3 => (Reduction::Min, i32::min),
            _ => (Reduction::Max, i32::max),
        };
        let (mut got, mut expected) = (data.clone(), data);
        for (n, at) in places.iter().enumerate() {
            for i in 0..at.map_or(0, |_| block) {
                let old = &mut expected[at.unwrap() + i];
                *old = combine(*old, updates[if one { 0 } else { n * block + i }]);
            }
        }
        gather.scatter(reduction, &updates, Indices::Wide(&indices), &mut got).expect("valid");
        assert_eq!(got, expected, "seed {seed}");
    }
}

fn floats() {
    let axes = [Axis { count: 3, stride: 0, index_stride: 1 }];
    let gather = Gather::new(1, 3, &axes, &[Coordinate { size: 1, stride: 1 }], 1, Outside::Refused).expect("valid");
    let scattered = |reduction, updates: [f32; 3]| {
        let mut y = [1.0];
        gather.scatter(reduction, &updates, Indices::Narrow(&[0, -1, 0]), &mut y).expect("valid");
        y[0]
    };
    // In the order of the updates.
    assert_eq!(scattered(Reduction::Add, [1e8, -1e8, 0.5]), 0.5);
    assert_eq!(scattered(Reduction::Min, [3.0, -2.0, 0.0]), -2.0);
    assert!(scattered(Reduction::Min, [0.0, f32::NAN, 0.5]).is_nan());
    assert!(scattered(Reduction::Max, [f32::NAN, 2.0, 3.0]).is_nan());
}

fn refusals() {
    let axes = [Axis { count: 2, stride: 0, index_stride: 1 }];
    let rows = |size| [Coordinate { size, stride: 3 }];
    let made = |data, indices, size| {
        let result = Gather::new(data, indices, &axes, &rows(size), 3, Outside::Refused);
        result.map(|_| ()).map_err(|error| (error.code, error.what))
    };
    assert_eq!(made(12, 2, 4), Ok(()));
    assert_eq!(made(11, 2, 4), Err((ErrorCode::Range, What::Length)));
    assert_eq!(made(12, 1, 4), Err((ErrorCode::Range, What::Indices)));
    let many = [Axis { count: usize::MAX, stride: 1, index_stride: 0 }; 2];
    let error = Gather::new(1, 1, &many, &rows(1), 1, Outside::Refused).map_err(|error| error.code).err();
    assert_eq!(error, Some(ErrorCode::Memory));
    let gather = Gather::new(12, 2, &axes, &rows(4), 3, Outside::Refused).expect("valid");
    for (index, bound) in [(4, 3), (-5, -4), (i64::MIN, -4)] {
        let mut y = [5; 6];
        let error = gather.gather(&[0; 12], Indices::Wide(&[0, index]), &mut y).expect_err("beyond");
        assert_eq!((error.what, error.expected, error.got), (What::Index, bound, index));
        assert_eq!(y, [5; 6]);
    }
    let wrong = gather.gather(&[0; 12], Indices::Wide(&[0, 0]), &mut [0; 5]).map_err(|error| error.code);
    assert_eq!(wrong, Err(ErrorCode::Shape));
    // Nothing is asked of an axis of no elements.
    let empty = [Axis { count: 0, stride: 0, index_stride: 1 }];
    let none = Gather::new(0, 0, &empty, &rows(0), 3, Outside::Refused).expect("valid");
    none.gather::<f32>(&[], Indices::Narrow(&[]), &mut []).expect("nothing");
    let of_none = Gather::new(0, 2, &axes, &rows(0), 3, Outside::Refused).expect("valid");
    let error = of_none.gather(&[], Indices::Narrow(&[0, 0]), &mut [0; 6]).expect_err("no elements");
    assert_eq!(error.what, What::Index);
}

pub(crate) fn check(_: Tier) {
    moves();
    floats();
    refusals();
}
