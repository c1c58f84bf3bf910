//! Every function on every pair of types against its formula on one element after the other.

use lowbit_kernels::arithmetic::naive::{Number, apply, offsets, read, write};
use lowbit_kernels::arithmetic::{Arithmetic, FUNCTIONS, Function, Operand};
use lowbit_kernels::dtype::{DTYPES, DType};
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

/// Elements of small numbers, or now and then of any bits.
fn elements(random: &mut Random, dtype: DType, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..count {
        let any = random.int(0, 7) == 0;
        let number = if random.int(0, 1) == 0 {
            Number::Float(f64::from(random.float()) * 6.0)
        } else {
            Number::Integer(i128::from(random.int(-9, 9)))
        };
        let element = if any && dtype != DType::Int4 && dtype != DType::Uint4 && dtype != DType::Bool {
            random.next().to_le_bytes()[..dtype.size()].to_vec()
        } else {
            write(dtype, number)
        };
        bytes.extend(element);
    }
    bytes
}

/// Three shapes of one rank that broadcast.
fn shapes(random: &mut Random) -> [Vec<usize>; 3] {
    let rank = random.int(0, 4);
    let sizes: Vec<usize> = random.many(rank as usize, |r| [1, 2, 3, 5, 150][r.int(0, 4).min(r.int(0, 6)) as usize]);
    [0, 1, 2].map(|_| sizes.iter().map(|size| if random.int(0, 2) == 0 { 1 } else { *size }).collect())
}

/// Equal, or of floats whose functions are the library's: within two units in the last place.
fn same(dtype: DType, function: Function, got: &[u8], expected: &[u8]) -> bool {
    if got == expected {
        return true;
    }
    let (Number::Float(g), Number::Float(e)) = (read(dtype, got), read(dtype, expected)) else {
        return false;
    };
    let zeros = matches!(function, Function::Min | Function::Max | Function::Clip) && g == 0.0 && e == 0.0;
    if g.is_nan() || e.is_nan() || zeros {
        return g.is_nan() == e.is_nan();
    }
    let from_library = function as u8 >= Function::Elu as u8 || matches!(function, Function::Pow);
    from_library && neighbours(dtype, got, expected)
}

/// Apart by at most two patterns of 16 or 8 bits, one of f32, or by what f64 functions of two libraries differ by.
fn neighbours(dtype: DType, got: &[u8], expected: &[u8]) -> bool {
    let wide = |bytes: &[u8]| {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(wide)
    };
    wide(got).abs_diff(wide(expected)) <= if dtype == DType::F64 { 1 << 14 } else { 1 }
}

fn one(seed: u64, function: Function) {
    let mut random = Random::new(seed);
    let pick = |random: &mut Random| DTYPES[random.int(0, DTYPES.len() as i32 - 1) as usize];
    let a = pick(&mut random);
    // b and c of a's type, or of any for powers and choices.
    let (b, c) = match function {
        Function::Pow => (pick(&mut random), a),
        Function::Where => {
            let b = pick(&mut random);
            (b, b)
        }
        _ => (a, a),
    };
    let a = if function == Function::Where { DType::Bool } else { a };
    let y = match function {
        Function::Identity => pick(&mut random),
        Function::Where => b,
        Function::Equal | Function::Less | Function::LessOrEqual | Function::Not | Function::IsNan => DType::Bool,
        _ => a,
    };
    if [a, b, c].contains(&DType::Uint64) && [a, b, c] != [DType::Uint64; 3] && function == Function::Pow {
        return;
    }
    let shapes = shapes(&mut random);
    let dtypes = [a, b, c];
    let mut data: Vec<Vec<u8>> = Vec::new();
    for (dtype, shape) in dtypes.iter().zip(&shapes) {
        data.push(elements(&mut random, *dtype, shape.iter().product()));
    }
    let operands: Vec<Operand<'_>> = dtypes.iter().zip(&shapes).map(|(dtype, shape)| (*dtype, &shape[..])).collect();
    let at = offsets([&shapes[0], &shapes[1], &shapes[2]]);
    let numbers = |at: [usize; 3]| {
        [0, 1, 2].map(|i| read(dtypes[i], &data[i][at[i] * dtypes[i].size()..]))
    };
    // Powers of large integers take the oracle for ever; both wrap.
    let small = |n: Number| if let Number::Integer(v) = n { (-64..=64).contains(&v) } else { true };
    if function == Function::Pow && at.iter().any(|at| !small(numbers(*at)[1])) {
        return;
    }
    let Some(expected) = at.iter().map(|at| apply(function, numbers(*at))).collect::<Option<Vec<_>>>() else {
        return;
    };
    let made = Arithmetic::new(function, &operands, [0.0; 2], y, true).expect("valid");
    let mut out = vec![0xaa; made.bytes()[3]];
    made.run(Some(&data[0]), &data[1], &data[2], &mut out).expect("valid");
    for (i, (got, number)) in out.chunks_exact(y.size()).zip(expected).enumerate() {
        let expected = write(y, number);
        let inputs = numbers(at[i]);
        assert!(same(y, function, got, &expected), "{function:?} {dtypes:?} -> {y:?}, seed {seed}: {inputs:?} gives {:?}, {number:?} expected", read(y, got));
    }
    if made.in_place() {
        let mut over = data[0].clone();
        made.run(None, &data[1], &data[2], &mut over).expect("valid");
        assert_eq!(over, out, "{function:?} {dtypes:?} in place");
    }
}

/// Every pattern of 16 and 8 bits is the number it stands for, and back.
fn patterns() {
    for dtype in [DType::F16, DType::Bf16, DType::F8E4M3Fn, DType::F8E4M3Fnuz, DType::F8E5M2, DType::F8E5M2Fnuz] {
        let all: Vec<u8> = (0..1_u32 << (8 * dtype.size())).flat_map(|p| p.to_le_bytes()[..dtype.size()].to_vec()).collect();
        let shape = [all.len() / dtype.size()];
        let convert = |from: DType, x: &[u8], to: DType| {
            let made = Arithmetic::new(Function::Identity, &[(from, &shape)], [0.0; 2], to, true).expect("valid");
            let mut y = vec![0; made.bytes()[3]];
            made.run(Some(x), &[], &[], &mut y).expect("valid");
            y
        };
        let wide = convert(dtype, &all, DType::F64);
        for (pattern, value) in all.chunks_exact(dtype.size()).zip(wide.chunks_exact(8)) {
            let (expected, got) = (read(dtype, pattern), read(DType::F64, value));
            let nan = |n: Number| matches!(n, Number::Float(v) if v.is_nan());
            assert!(expected == got || nan(expected) && nan(got), "{dtype:?} {pattern:?}: {got:?}");
        }
        // Saturation moves infinities of 8 bits, and NaN has many patterns.
        for (pattern, back) in all.chunks_exact(dtype.size()).zip(convert(DType::F64, &wide, dtype).chunks_exact(dtype.size())) {
            if let Number::Float(v) = read(dtype, pattern) && v.is_finite() {
                assert_eq!(pattern, back, "{dtype:?}");
            }
        }
    }
}

fn refusals() {
    let new = |function, operands: &[Operand<'_>]| {
        Arithmetic::new(function, operands, [0.0; 2], DType::F32, true).map_err(|e| (e.code, e.what)).err()
    };
    let f32s: Operand<'_> = (DType::F32, &[2, 3]);
    assert_eq!(new(Function::Add, &[]), Some((ErrorCode::Range, What::Operands)));
    assert_eq!(new(Function::Add, &[f32s, (DType::F32, &[2])]), Some((ErrorCode::Shape, What::Axis)));
    assert_eq!(new(Function::BitwiseAnd, &[f32s, f32s]), Some((ErrorCode::Range, What::Kind)));
    assert_eq!(new(Function::Exp, &[(DType::Int8, &[])]), Some((ErrorCode::Range, What::Kind)));
    assert_eq!(new(Function::Neg, &[(DType::F32, &[1; 9])]), Some((ErrorCode::Range, What::Axis)));
    assert_eq!(new(Function::Neg, &[(DType::F32, &[usize::MAX, 2])]), Some((ErrorCode::Memory, What::Bytes)));
    let made = Arithmetic::new(Function::Add, &[f32s, f32s], [0.0; 2], DType::F32, true).expect("valid");
    assert_eq!(made.run(Some(&[0; 24]), &[0; 23], &[], &mut [0; 24]).map_err(|e| e.code), Err(ErrorCode::Shape));
    let narrow = Arithmetic::new(Function::Identity, &[f32s], [0.0; 2], DType::Int8, true).expect("valid");
    assert_eq!(narrow.run(None, &[], &[], &mut [0; 6]).map_err(|e| e.what), Err(What::Overlap));
    let empty = Arithmetic::new(Function::Neg, &[(DType::F32, &[0, 3])], [0.0; 2], DType::F32, true).expect("valid");
    assert_eq!((empty.bytes(), empty.run(Some(&[]), &[], &[], &mut [])), ([0; 4], Ok(())));
}

/// A function of f32 and constants.
fn single(function: Function, x: f32, constants: [f64; 2]) -> f64 {
    let made = Arithmetic::new(function, &[(DType::F32, &[])], constants, DType::F32, true).expect("valid");
    let mut y = [0; 4];
    made.run(Some(&x.to_le_bytes()), &[], &[], &mut y).expect("valid");
    f64::from(f32::from_le_bytes(y))
}

/// What the standard library has not: published values (Abramowitz and Stegun, table 7.1), and symmetry.
fn error_function() {
    for (x, erf) in [(0.0, 0.0), (0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
        assert!((single(Function::Erf, x, [0.0; 2]) - erf).abs() < 6e-8, "erf({x})");
        assert!((single(Function::Erf, -x, [0.0; 2]) + erf).abs() < 6e-8, "erf(-{x})");
        let root = x * core::f32::consts::SQRT_2;
        let gelu = f64::from(root) * 0.5 * (1.0 + erf);
        assert!((single(Function::Gelu, root, [0.0; 2]) - gelu).abs() < 3e-7, "gelu({root})");
    }
    for i in -40..40_i16 {
        let x = f32::from(i) / 8.0;
        let [exact, near] = [Function::Gelu, Function::GeluTanh].map(|f| single(f, x, [0.0; 2]));
        assert!((exact - near).abs() < 5e-4, "gelu({x}) = {exact}, {near}");
        let mirrored = single(Function::Gelu, -x, [0.0; 2]) + f64::from(x);
        assert!((exact - mirrored).abs() < 1e-6, "gelu({x}) = {exact}, {mirrored}");
    }
}

/// Constants stand for tensors; infinite ones bound nothing.
fn constants() {
    assert_eq!(single(Function::Clip, 7.0, [-1.0, 6.0]), 6.0);
    assert_eq!(single(Function::Elu, 2.0, [1.0, 3.0]), 6.0);
    let made = Arithmetic::new(Function::Clip, &[(DType::Int8, &[3])], [f64::NEG_INFINITY, 5.0], DType::Int8, true).expect("valid");
    let mut y = [0; 3];
    made.run(Some(&[0x80, 4, 9]), &[], &[], &mut y).expect("valid");
    assert_eq!(y, [0x80, 4, 5]);
    let made = Arithmetic::new(Function::Clip, &[(DType::Uint64, &[1])], [3.0, f64::INFINITY], DType::Uint64, true).expect("valid");
    let mut y = [0; 8];
    made.run(Some(&[0xff; 8]), &[], &[], &mut y).expect("valid");
    assert_eq!(y, [0xff; 8]);
    // Without saturation what is too large is infinite, or NaN where there is no infinity.
    for (dtype, saturated, not) in [(DType::F8E4M3Fn, 0x7e, 0x7f), (DType::F8E5M2, 0x7b, 0x7c), (DType::F8E5M2Fnuz, 0x7f, 0x80)] {
        for (saturate, expected) in [(true, saturated), (false, not)] {
            let made = Arithmetic::new(Function::Identity, &[(DType::F32, &[])], [0.0; 2], dtype, saturate).expect("valid");
            let mut y = [0];
            made.run(Some(&1e9_f32.to_le_bytes()), &[], &[], &mut y).expect("valid");
            assert_eq!(y, [expected], "{dtype:?}");
        }
    }
}

pub(crate) fn check(_: Tier) {
    patterns();
    for function in FUNCTIONS {
        for seed in 0..120 {
            one(seed, *function);
        }
    }
    error_function();
    constants();
    refusals();
}
