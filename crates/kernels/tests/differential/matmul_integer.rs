//! Products of bytes equal the definition in i64; requantization is its rounded steps.

use lowbit_kernels::convert::Byte;
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::matmul_integer::{MatmulInteger, naive, requantize};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

fn wide<T: Byte>(values: &[T]) -> Vec<i64> {
    values.iter().map(|value| i64::from((*value).into())).collect()
}

/// Any values, or, in one of four cases, the extremes.
fn draw<T: Byte>(random: &mut Random, count: usize) -> Vec<T> {
    let extreme = random.int(0, 3) == 0;
    let (low, high) = T::RANGE;
    random.many(count, |random| {
        T::from_i32(if extreme { [low, high][random.int(0, 1) as usize] } else { random.int(low, high) })
    })
}

fn products<A: Byte, B: Byte>(seed: u64) {
    let mut random = Random::new(seed);
    let mut size = |high| random.int(1, high) as usize;
    let (m, n, k) = (size(4), size(19), size(33));
    let per = |random: &mut Random, all| if random.int(0, 1) == 0 { 1 } else { all };
    let (rows, columns) = (per(&mut random, m), per(&mut random, n));
    let (a, za) = (draw::<A>(&mut random, m * k), draw::<A>(&mut random, rows));
    let (b, zb) = (draw::<B>(&mut random, k * n), draw::<B>(&mut random, columns));
    let mut y = vec![7; m * n];
    MatmulInteger::new(m, n, k).expect("valid").run(&a, &za, &b, &zb, &mut y).expect("lengths");
    let exact = naive::matmul(&wide(&a), &wide(&za), &wide(&b), &wide(&zb), [m, n, k]);
    assert_eq!(y.iter().map(|y| i64::from(*y)).collect::<Vec<_>>(), exact, "seed {seed}");
}

fn requantized<T: Byte>(seed: u64) {
    let mut random = Random::new(seed);
    let (rows, columns) = (random.int(1, 4) as usize, random.int(1, 19) as usize);
    let x = random.many(rows * columns, |random| random.int(-100_000, 100_000));
    let bias = random.many(columns, |random| random.int(-1000, 1000));
    let bias = (random.int(0, 1) == 1).then_some(bias.as_slice());
    let count = if random.int(0, 1) == 0 { 1 } else { columns };
    let multiplier = random.many(count, |random| (random.float().abs() + 1e-3) / 500.0);
    let zero_point = random.int(T::RANGE.0, T::RANGE.1);
    let mut y = vec![T::default(); x.len()];
    requantize(&x, columns, bias, &multiplier, zero_point, &mut y).expect("valid");
    for (i, y) in y.iter().enumerate() {
        let sum = x[i] + bias.map_or(0, |bias| bias[i % columns]);
        let steps = (sum as f32 * multiplier[i % columns % count]).round_ties_even() as i32;
        assert_eq!((*y).into(), (steps + zero_point).clamp(T::RANGE.0, T::RANGE.1), "seed {seed}");
    }
}

pub(crate) fn check(_: Tier) {
    for seed in 0..200 {
        products::<i8, i8>(seed);
        products::<i8, u8>(seed);
        products::<u8, i8>(seed);
        products::<u8, u8>(seed);
        requantized::<i8>(seed);
        requantized::<u8>(seed);
    }
    // The largest sum that is taken.
    let k = 1 << 14;
    let mut y = [0];
    let (a, b) = (vec![255_u8; k], vec![255_u8; k]);
    MatmulInteger::new(1, 1, k).expect("valid").run(&a, &[0], &b, &[0], &mut y).expect("lengths");
    assert_eq!(y[0], 255 * 255 * k as i32);
    refusals();
}

fn refusals() {
    let error = |m, n, k| MatmulInteger::new(m, n, k).map(|_| ()).map_err(|e| (e.code, e.what));
    assert_eq!(error(1, 1, (1 << 14) + 1), Err((ErrorCode::Range, What::Depth)));
    assert_eq!(error(0, 1, 1), Err((ErrorCode::Range, What::Rows)));
    let product = MatmulInteger::new(2, 3, 1).expect("valid");
    let zero_points = product.run(&[0_i8; 2], &[0; 3], &[0_i8; 3], &[0], &mut [0; 6]);
    assert_eq!(zero_points.map_err(|e| e.what), Err(What::ZeroPoint));
    let multiplier = requantize(&[0; 2], 2, None, &[0.0], 0, &mut [0_i8; 2]);
    assert_eq!(multiplier.map_err(|e| e.what), Err(What::Multiplier));
    let zero_point = requantize(&[0; 2], 2, None, &[1.0], 128, &mut [0_i8; 2]);
    assert_eq!(zero_point.map_err(|e| e.what), Err(What::ZeroPoint));
}
