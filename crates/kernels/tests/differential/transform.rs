//! Moves equal index arithmetic on every element; casts equal Rust's own conversions.

use lowbit_kernels::error::ErrorCode;
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;
use lowbit_kernels::transform::{DType, Pad, Transpose, cast, copy_rows, naive};

fn transposes() {
    for seed in 0..800 {
        let mut random = Random::new(seed);
        let rank = random.int(0, 5) as usize;
        let shape =
            random.many(rank, |r| [1, 2, 3, 7, 16, 17, 33][r.int(0, if rank > 3 { 3 } else { 6 }) as usize]);
        let mut permutation: Vec<usize> = (0..rank).collect();
        for i in (1..rank).rev() {
            permutation.swap(i, random.int(0, i as i32) as usize);
        }
        let x = random.many(shape.iter().product(), |r| r.next() as u32);
        let transpose = Transpose::new(&shape, &permutation).expect("valid");
        let mut y = vec![0; x.len()];
        transpose.run(&x, &mut y).expect("valid");
        assert_eq!(y, naive::transpose(&x, &shape, &permutation), "{shape:?} {permutation:?} seed {seed}");
    }
    for bad in [&[0, 0][..], &[0, 2], &[0], &[0, 1, 2]] {
        assert!(Transpose::new(&[2, 3], bad).is_err(), "{bad:?}");
    }
    assert_eq!(Transpose::new(&[usize::MAX, 2], &[0, 1]).map_err(|e| e.code).err(), Some(ErrorCode::Memory));
    let empty = Transpose::new(&[0, 3], &[1, 0]).expect("valid");
    assert_eq!(empty.run::<u8>(&[], &mut []), Ok(()));
    assert_eq!(empty.run::<u8>(&[1], &mut [1]).map_err(|e| e.code), Err(ErrorCode::Shape));
}

fn pads() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let rank = random.int(0, 4) as usize;
        let shape = random.many(rank, |r| r.int(1, 4) as usize);
        let before = random.many(rank, |r| r.int(0, 3) as usize);
        let after = random.many(rank, |r| r.int(0, 3) as usize);
        let x = random.many(shape.iter().product(), |r| r.next() as u16);
        let pad = Pad::new(&shape, &before, &after).expect("valid");
        let expected = naive::pad(&x, &shape, &before, &after, 0xabcd);
        let mut y = vec![0; pad.lengths()[1]];
        pad.run(&x, 0xabcd, &mut y).expect("valid");
        assert_eq!(y, expected, "{shape:?} {before:?} {after:?} seed {seed}");
    }
    assert!(Pad::new(&[2, 3], &[0], &[0, 0]).is_err());
    assert!(Pad::new(&[2], &[usize::MAX], &[1]).is_err());
}

fn rows() {
    let mut y = [0_u8; 14];
    copy_rows(&[1, 2, 3, 4], 2, 2, &mut y[..], 5).expect("valid");
    copy_rows(&[7, 8, 9, 10, 11, 12], 2, 3, &mut y[2..], 5).expect("valid");
    assert_eq!(y, [1, 2, 7, 8, 9, 3, 4, 10, 11, 12, 0, 0, 0, 0]);
    assert_eq!(copy_rows(&[0; 4], 2, 2, &mut [0; 4], 1).map_err(|e| e.code), Err(ErrorCode::Range));
    assert_eq!(copy_rows(&[0; 4], 2, 2, &mut [0; 4], 3).map_err(|e| e.code), Err(ErrorCode::Range));
    assert_eq!(copy_rows(&[0; 3], 2, 2, &mut [0; 4], 2).map_err(|e| e.code), Err(ErrorCode::Shape));
}

fn casts() {
    fn through<const A: usize, const B: usize>(x: &[[u8; A]], from: DType, to: DType) -> Vec<[u8; B]> {
        let mut y = vec![[0; B]; x.len()];
        cast(x.as_flattened(), from, y.as_flattened_mut(), to).expect("same count");
        y
    }
    let mut floats =
        vec![0.0, -0.0, 1.5, -1.5, 0.49, 126.9, 127.9, -128.9, 300.0, -300.0, 3e9, -3e9, 1e20, f32::NAN];
    floats.extend([f32::INFINITY, f32::NEG_INFINITY, 65519.0, 65520.0]);
    floats.extend(Random::new(1).many(300, |r| r.float() * 1000.0));
    let x: Vec<[u8; 4]> = floats.iter().map(|v| v.to_le_bytes()).collect();
    let check =
        |i: usize, got: i64, expected: i64, to: DType| assert_eq!(got, expected, "{} to {to:?}", floats[i]);
    for (i, y) in through::<4, 1>(&x, DType::F32, DType::Int8).into_iter().enumerate() {
        check(i, i64::from(i8::from_le_bytes(y)), i64::from(floats[i] as i8), DType::Int8);
    }
    for (i, [y]) in through::<4, 1>(&x, DType::F32, DType::Uint8).into_iter().enumerate() {
        check(i, i64::from(y), i64::from(floats[i] as u8), DType::Uint8);
    }
    for (i, y) in through::<4, 4>(&x, DType::F32, DType::Int32).into_iter().enumerate() {
        check(i, i64::from(i32::from_le_bytes(y)), i64::from(floats[i] as i32), DType::Int32);
    }
    for (i, y) in through::<4, 8>(&x, DType::F32, DType::Int64).into_iter().enumerate() {
        check(i, i64::from_le_bytes(y), floats[i] as i64, DType::Int64);
    }
    for (i, [y]) in through::<4, 1>(&x, DType::F32, DType::Bool).into_iter().enumerate() {
        check(i, i64::from(y), i64::from(floats[i] != 0.0), DType::Bool);
    }
    let halves = through::<4, 2>(&x, DType::F32, DType::F16);
    for (i, y) in through::<2, 4>(&halves, DType::F16, DType::F32).into_iter().enumerate() {
        let (y, x) = (f32::from_le_bytes(y), floats[i]);
        let near =
            x.abs() >= 65520.0 && y == f32::INFINITY.copysign(x) || (y - x).abs() <= x.abs() / 2048.0 + 1e-7;
        assert!(near || x.is_nan() && y.is_nan(), "{x} through f16 is {y}");
    }
    let integers: Vec<[u8; 4]> = [0, 1, -1, 127, 128, 255, 256, -128, -129, 16_777_217, i32::MAX, i32::MIN]
        .map(i32::to_le_bytes)
        .into();
    for (x, y) in integers.iter().zip(through::<4, 4>(&integers, DType::Int32, DType::F32)) {
        assert_eq!(f32::from_le_bytes(y), i32::from_le_bytes(*x) as f32);
    }
    for (x, y) in integers.iter().zip(through::<4, 1>(&integers, DType::Int32, DType::Int8)) {
        assert_eq!(i8::from_le_bytes(y), i32::from_le_bytes(*x) as i8, "wraps");
    }
    for (x, y) in integers.iter().zip(through::<4, 8>(&integers, DType::Int32, DType::Int64)) {
        assert_eq!(i64::from_le_bytes(y), i64::from(i32::from_le_bytes(*x)));
    }
    let bytes: Vec<[u8; 1]> = (0..=255).map(|b| [b]).collect();
    for (x, y) in bytes.iter().zip(through::<1, 4>(&bytes, DType::Int8, DType::F32)) {
        assert_eq!(f32::from_le_bytes(y), f32::from(x[0] as i8));
    }
    for (x, y) in bytes.iter().zip(through::<1, 4>(&bytes, DType::Uint8, DType::Int32)) {
        assert_eq!(i32::from_le_bytes(y), i32::from(x[0]));
    }
    for (x, [y]) in bytes.iter().zip(through::<1, 1>(&bytes, DType::Bool, DType::Uint8)) {
        assert_eq!(y, u8::from(x[0] != 0));
    }
    let long = [i64::MAX, i64::MIN, 1 << 40, -5].map(i64::to_le_bytes);
    for (x, y) in long.iter().zip(through::<8, 4>(&long, DType::Int64, DType::Int32)) {
        assert_eq!(i32::from_le_bytes(y), i64::from_le_bytes(*x) as i32, "wraps");
    }
    assert_eq!(
        cast(&[0; 8], DType::F32, &mut [0; 3], DType::Int8).map_err(|e| e.code),
        Err(ErrorCode::Shape)
    );
    assert_eq!(
        cast(&[0; 7], DType::F32, &mut [0; 1], DType::Int8).map_err(|e| e.code),
        Err(ErrorCode::Shape)
    );
    assert!(DType::from_number(7).is_err() && DType::from_number(-1).is_err());
}

pub(crate) fn check(_: Tier) {
    transposes();
    pads();
    rows();
    casts();
}
