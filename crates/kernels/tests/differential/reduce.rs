//! Every reduction, and what follows an axis, against sums over the positions that belong together.

use lowbit_kernels::arithmetic::naive::{Number, read, write};
use lowbit_kernels::dtype::{DTYPES, DType};
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::reduce::{
    Along, AlongKind, Lines, REDUCTIONS, Reduce, Reduction, TopK, arg_extreme, naive,
};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

fn elements(random: &mut Random, dtype: DType, count: usize) -> Vec<u8> {
    let one = |random: &mut Random| {
        let value = f64::from(random.int(-40, 40)) / 8.0;
        write(dtype, if dtype.is_float() { Number::Float(value) } else { Number::Integer(value.abs() as i128) })
    };
    random.many(count, one).concat()
}

fn element(dtype: DType, x: &[u8], at: usize) -> Number {
    read(dtype, &x[at * dtype.size()..])
}

fn as_float(number: Number) -> f64 {
    match number {
        Number::Float(v) => v,
        Number::Integer(v) => v as f64,
    }
}

fn expected(kind: Reduction, dtype: DType, values: &[Number]) -> Number {
    let floats: Vec<f64> = values.iter().map(|v| as_float(*v)).collect();
    let n = floats.len() as f64;
    let sum: f64 = floats.iter().sum();
    let squares: f64 = floats.iter().map(|v| v * v).sum();
    let integers = |fold: fn(i128, i128) -> i128, start: i128| {
        let value = |v: &Number| if let Number::Integer(v) = v { *v } else { 0 };
        Number::Integer(values.iter().map(value).fold(start, fold))
    };
    let bound = |float: f64| match write(dtype, Number::Float(float)) {
        _ if dtype == DType::Bool => Number::Integer(i128::from(float > 0.0)),
        bytes => read(dtype, &bytes),
    };
    match kind {
        Reduction::Prod if !dtype.is_float() => integers(i128::wrapping_mul, 1),
        Reduction::Max if values.is_empty() => bound(f64::NEG_INFINITY),
        Reduction::Min if values.is_empty() => bound(f64::INFINITY),
        Reduction::Sum => Number::Float(sum),
        Reduction::Mean => Number::Float(sum / n),
        Reduction::Prod => Number::Float(floats.iter().product()),
        Reduction::Max => Number::Float(floats.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        Reduction::Min => Number::Float(floats.iter().copied().fold(f64::INFINITY, f64::min)),
        Reduction::L1 => Number::Float(floats.iter().map(|v| v.abs()).sum()),
        Reduction::L2 => Number::Float(squares.sqrt()),
        Reduction::SumSquare => Number::Float(squares),
        Reduction::LogSum => Number::Float(sum.ln()),
        Reduction::LogSumExp => Number::Float(floats.iter().map(|v| v.exp()).sum::<f64>().ln()),
    }
}

/// Of integers cut to the type's bits as a sum of them is.
fn wrapped(dtype: DType, number: Number) -> Vec<u8> {
    match number {
        Number::Float(v) if !dtype.is_float() && v.is_finite() => write(dtype, Number::Integer(v as i128)),
        number => write(dtype, number),
    }
}

fn close(dtype: DType, got: &[u8], expected: &[u8], what: &str) {
    let (g, e) = (read(dtype, got), read(dtype, expected));
    let (Number::Float(a), Number::Float(b)) = (g, e) else {
        assert_eq!(g, e, "{what}");
        return;
    };
    // The order of sums, and two libraries' logarithms.
    let bound = b.abs().max(1e-3) * if dtype == DType::F64 { 1e-12 } else { 2e-7 };
    assert!(got == expected || a.is_nan() && b.is_nan() || (a - b).abs() <= bound, "{what}: {a}, {b} expected");
}

fn reductions() {
    for kind in REDUCTIONS {
        for seed in 0..150 {
            let mut random = Random::new(seed);
            let dtype = DTYPES[random.int(0, DTYPES.len() as i32 - 1) as usize];
            let rank = random.int(0, 4) as usize;
            let mut shape = random.many(rank, |r| [1, 2, 3, 7, 0][r.int(0, 4).min(r.int(0, 4)) as usize]);
            if let Some(size) = shape.get_mut(random.int(0, 3) as usize) {
                *size = 140;
            }
            let over = random.many(rank, |r| r.int(0, 1) == 1);
            let x = elements(&mut random, dtype, shape.iter().product());
            let made = Reduce::new(*kind, dtype, &shape, &over).expect("valid");
            let mut y = vec![0xaa; made.bytes()[1]];
            made.run(&x, &mut y).expect("valid");
            for (output, group) in naive::groups(&shape, &over).iter().enumerate() {
                let values: Vec<Number> = group.iter().map(|at| element(dtype, &x, *at)).collect();
                let number = expected(*kind, dtype, &values);
                let bytes = if matches!(kind, Reduction::Mean | Reduction::L2 | Reduction::LogSum | Reduction::LogSumExp) {
                    write(dtype, number)
                } else {
                    wrapped(dtype, number)
                };
                let got = &y[output * dtype.size()..(output + 1) * dtype.size()];
                close(dtype, got, &bytes, &format!("{kind:?} of {dtype:?} {shape:?} over {over:?}, seed {seed}"));
            }
        }
    }
}

fn along() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let dtype = DTYPES[random.int(0, DTYPES.len() as i32 - 1) as usize];
        let (outer, long) = (random.int(1, 3) as usize, [5, 130, 300][random.int(0, 2) as usize]);
        let short = random.int(1, 4) as usize;
        let (size, inner) = [(long, 1), (short, long), (long, short)][random.int(0, 2) as usize];
        let lines = Lines { outer, size, inner };
        let count = lines.elements().expect("few");
        let x = elements(&mut random, dtype, count);
        let kinds = [
            AlongKind::CumSum { exclusive: seed % 2 == 0, reverse: seed % 3 == 0 },
            AlongKind::Softmax,
            AlongKind::LogSoftmax,
        ];
        for kind in kinds {
            let Ok(made) = Along::new(kind, dtype, lines) else {
                assert!(!dtype.is_float(), "{kind:?} {dtype:?}");
                continue;
            };
            let mut y = vec![0xaa; x.len()];
            made.run(&x, &mut y).expect("valid");
            for line in naive::lines(lines) {
                let values: Vec<f64> = line.iter().map(|at| as_float(element(dtype, &x, *at))).collect();
                let sum: f64 = values.iter().map(|v| v.exp()).sum();
                for (i, at) in line.iter().enumerate() {
                    let number = match kind {
                        AlongKind::CumSum { exclusive, reverse } => {
                            let (until, from) = (i + usize::from(!exclusive), i + usize::from(exclusive));
                            let part = if reverse { &values[from..] } else { &values[..until] };
                            part.iter().sum()
                        }
                        AlongKind::Softmax => values[i].exp() / sum,
                        AlongKind::LogSoftmax => values[i] - sum.ln(),
                    };
                    let got = &y[at * dtype.size()..(at + 1) * dtype.size()];
                    // Small floats may round the other way where two libraries differ.
                    if dtype.size() < 4 && dtype.is_float() && !matches!(kind, AlongKind::CumSum { .. }) {
                        let (g, bound) = (as_float(read(dtype, got)), number.abs() / 4.0 + 0.01);
                        assert!((g - number).abs() <= bound, "{kind:?} {dtype:?}: {g}, {number} expected");
                    } else {
                        close(dtype, got, &wrapped(dtype, Number::Float(number)), &format!("{kind:?} {dtype:?} {lines:?}"));
                    }
                }
            }
        }
        best(&mut random, dtype, lines, &x);
    }
}

fn best(random: &mut Random, dtype: DType, lines: Lines, x: &[u8]) {
    let smallest = random.int(0, 1) == 1;
    let k = random.int(0, lines.size as i32) as usize;
    let made = TopK::new(dtype, lines, k, smallest).expect("valid");
    let [_, value_bytes, position_bytes] = made.bytes().expect("few");
    let (mut values, mut positions) = (vec![0; value_bytes], vec![0; position_bytes]);
    made.run(x, &mut values, &mut positions, &mut Vec::new()).expect("valid");
    for last in [false, true] {
        let mut y = vec![0; lines.lines().expect("few") * 8];
        arg_extreme(dtype, lines, smallest, last, x, &mut y).expect("valid");
        for (line, at) in naive::lines(lines).iter().enumerate() {
            let key = |i: usize| {
                let value = as_float(element(dtype, x, at[i]));
                if smallest { -value } else { value }
            };
            let mut order: Vec<usize> = (0..lines.size).collect();
            order.sort_by(|a, b| key(*b).total_cmp(&key(*a)).then(a.cmp(b)));
            for (rank, i) in order.iter().take(k).enumerate() {
                let to = (line / lines.inner * k + rank) * lines.inner + line % lines.inner;
                assert_eq!(element(DType::Int64, &positions, to), Number::Integer(*i as i128), "{dtype:?} {lines:?}");
                assert_eq!(element(dtype, &values, to), element(dtype, x, at[*i]));
            }
            let extreme = (0..lines.size).filter(|i| key(*i) == key(order[0]));
            let expected = if last { extreme.max() } else { extreme.min() };
            assert_eq!(element(DType::Int64, &y, line), Number::Integer(expected.unwrap_or(0) as i128));
        }
    }
}

fn extremes() {
    let x = [f32::NEG_INFINITY, 3.0, f32::NAN, 7.0].map(f32::to_le_bytes).concat();
    let lines = Lines { outer: 1, size: 4, inner: 1 };
    let position = |smallest| {
        let mut y = [0; 8];
        arg_extreme(DType::F32, lines, smallest, false, &x, &mut y).expect("valid");
        i64::from_le_bytes(y)
    };
    assert_eq!((position(false), position(true)), (2, 0), "NaN is above all");
    let large = [u64::MAX, 5, 1 << 63].map(u64::to_le_bytes).concat();
    for (kind, expected) in [(Reduction::Max, u64::MAX), (Reduction::Min, 5)] {
        let made = Reduce::new(kind, DType::Uint64, &[3], &[true]).expect("valid");
        let mut y = [0; 8];
        made.run(&large, &mut y).expect("valid");
        assert_eq!(u64::from_le_bytes(y), expected);
    }
    let shifted = Reduce::new(Reduction::LogSumExp, DType::F32, &[2], &[true]).expect("valid");
    let mut y = [0; 4];
    shifted.run(&[1000_f32, 1000.0].map(f32::to_le_bytes).concat(), &mut y).expect("valid");
    assert_eq!(f32::from_le_bytes(y), 1000.0 + core::f32::consts::LN_2, "no overflow");
}

fn refusals() {
    assert_eq!(Reduce::new(Reduction::Sum, DType::F32, &[1; 9], &[true; 9]).map_err(|e| e.what).err(), Some(What::Axis));
    assert_eq!(Reduce::new(Reduction::Sum, DType::F32, &[2], &[]).map_err(|e| e.code).err(), Some(ErrorCode::Shape));
    let huge = [usize::MAX, 2];
    assert_eq!(Reduce::new(Reduction::Sum, DType::F32, &huge, &[true; 2]).map_err(|e| e.code).err(), Some(ErrorCode::Memory));
    let sum = Reduce::new(Reduction::Sum, DType::F32, &[2], &[true]).expect("valid");
    assert_eq!(sum.run(&[0; 7], &mut [0; 4]).map_err(|e| e.code), Err(ErrorCode::Shape));
    let lines = Lines { outer: 1, size: 3, inner: 1 };
    assert_eq!(TopK::new(DType::F32, lines, 4, false).map_err(|e| e.what).err(), Some(What::Best));
    assert_eq!(Along::new(AlongKind::Softmax, DType::Int8, lines).map_err(|e| e.what).err(), Some(What::Kind));
    let empty = Lines { size: 0, ..lines };
    let refused = arg_extreme(DType::F32, empty, false, false, &[], &mut [0; 8]);
    assert_eq!(refused.map_err(|e| e.code), Err(ErrorCode::Range));
}

pub(crate) fn check(_: Tier) {
    reductions();
    along();
    extremes();
    refusals();
}
