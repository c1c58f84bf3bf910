//! Packed signs against the oracle, bit by bit, and back.

use lowbit_kernels::bitpack::max_pool::BitMaxPool;
use lowbit_kernels::bitpack::{
    naive, pack_planes, pack_signs, pack_signs_int8, pack_trits, unpack_signs, unpack_trits,
};
use lowbit_kernels::error::{ErrorCode, Op};
use lowbit_kernels::geometry::{Geometry, Window};
use lowbit_kernels::layout::words_per_row;
use lowbit_kernels::testing::{Random, SIZES, pack_signs as pack};
use lowbit_kernels::tier::Tier;
use proptest::prelude::*;

/// Values whose sign is easily taken wrongly.
const SPECIAL: [f32; 8] =
    [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, -1e-45, 1e-45];

fn floats(random: &mut Random, n: usize) -> Vec<f32> {
    random.many(n, |r| if r.int(0, 3) == 0 { SPECIAL[r.int(0, 7) as usize] } else { r.float() })
}

pub(crate) fn check(tier: Tier) {
    for &channels in SIZES {
        for rows in [1, 2, 5] {
            let random = &mut Random::new((channels * 10 + rows) as u64);
            assert_floats(tier, &floats(random, rows * channels), rows, channels);
            // Without a zero trits are left as bits.
            let whole = random.many(rows * channels, |r| r.float() + 1.5 * (1 - 2 * r.int(0, 1)) as f32);
            assert_floats(tier, &whole, rows, channels);
            let bytes = random.many(rows * channels, |r| r.next() as u8);
            for zero_point in [-128, -1, 0, 1, 127] {
                assert_bytes(tier, &bytes, zero_point, rows, channels);
            }
            for bits in 1..=8 {
                assert_planes(tier, &bytes, bits, rows, channels);
            }
        }
    }
    let strategy = (1_usize..100, prop::collection::vec(any::<f32>(), 1..400));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::default());
    let result = runner.run(&strategy, |(channels, values)| {
        let rows = values.len() / channels;
        assert_floats(tier, &values[..rows * channels], rows, channels);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{tier}: {error}");
    }
}

fn assert_floats(tier: Tier, x: &[f32], rows: usize, channels: usize) {
    let words = rows * words_per_row(channels);
    let signs: Vec<i32> = x.iter().map(|x| naive::sign_bit(*x)).collect();
    let mut y = vec![0xdead_beef; words];
    pack_signs(tier, x, rows, channels, &mut y).expect("valid lengths");
    assert_eq!(y, pack(&signs, channels, false), "{tier}: signs of {x:?}");
    let mut back = vec![f32::NAN; x.len()];
    unpack_signs(tier, &y, rows, channels, &mut back).expect("valid lengths");
    assert!(back.iter().zip(&signs).all(|(y, s)| y.to_bits() == (*s as f32).to_bits()), "{tier}: {back:?}");

    let trits: Vec<i32> = x.iter().map(|x| naive::sign(*x)).collect();
    let mut y = vec![0xdead_beef; 2 * words];
    let zeros = pack_trits(tier, x, rows, channels, &mut y).expect("valid lengths");
    assert_eq!(zeros, trits.iter().filter(|t| **t == 0).count(), "{tier}: zeros of {x:?}");
    if zeros == 0 {
        assert_eq!(y[..words], pack(&trits, channels, false), "{tier}: bits of {x:?}");
        return;
    }
    assert_eq!(y, pack(&trits, channels, true), "{tier}: trits of {x:?}");
    unpack_trits(tier, &y, rows, channels, &mut back).expect("valid lengths");
    assert!(back.iter().zip(&trits).all(|(y, s)| y.to_bits() == (*s as f32).to_bits()), "{tier}: {back:?}");
}

fn assert_bytes(tier: Tier, x: &[u8], zero_point: i32, rows: usize, channels: usize) {
    let mut y = vec![0; rows * words_per_row(channels)];
    let sign = |below: bool| if below { -1 } else { 1 };
    let signs: Vec<i32> = x.iter().map(|x| sign(i32::from(*x as i8) < zero_point)).collect();
    pack_signs_int8(tier, x, false, zero_point, rows, channels, &mut y).expect("valid");
    assert_eq!(y, pack(&signs, channels, false), "{tier}: int8 {x:?} below {zero_point}");
    let zero_point = zero_point + 128;
    let signs: Vec<i32> = x.iter().map(|x| sign(i32::from(*x) < zero_point)).collect();
    pack_signs_int8(tier, x, true, zero_point, rows, channels, &mut y).expect("valid");
    assert_eq!(y, pack(&signs, channels, false), "{tier}: uint8 {x:?} below {zero_point}");
}

/// Bytes with bits above those of a code among them.
fn assert_planes(tier: Tier, x: &[u8], bits: usize, rows: usize, channels: usize) {
    let mut y = vec![0xdead_beef; rows * bits * words_per_row(channels)];
    pack_planes(tier, x, bits, rows, channels, &mut y).expect("valid lengths");
    let plane =
        |row: &[u8], bit: usize| row.iter().map(|x| naive::plane_bit(*x, bit)).collect::<Vec<i32>>();
    let planes: Vec<i32> =
        x.chunks_exact(channels).flat_map(|row| (0..bits).flat_map(|bit| plane(row, bit))).collect();
    assert_eq!(y, pack(&planes, channels, false), "{tier}: {bits} planes of {x:?}");
}

#[test]
fn max_pool_is_the_largest_of_each_window() {
    for (kernel, stride, dilation, pad, channels) in
        [([2, 2], 2, 1, 0, 64), ([3, 3], 2, 1, 1, 33), ([3, 2], 1, 2, 1, 5), ([1, 1], 1, 1, 0, 31)]
    {
        let window = Window { kernel, strides: [stride; 2], dilations: [dilation; 2], pads: [pad; 4] };
        let geometry = Geometry::new(Op::Bitpack, [9, 7], window).expect("fits");
        let pool = BitMaxPool::new(geometry, channels).expect("no empty window");
        let image = 9 * 7 * channels;
        let x = Random::new(channels as u64).many(2 * image, |r| 1 - 2 * r.int(0, 1));
        let expected: Vec<i32> =
            x.chunks_exact(image).flat_map(|x| naive::max_pool(x, channels, &geometry)).collect();
        let mut y = vec![0; 2 * pool.output_len()];
        pool.run(&pack(&x, channels, false), 2, &mut y).expect("valid lengths");
        assert_eq!(y, pack(&expected, channels, false), "{window:?}");
    }
}

#[test]
fn refusals_are_named() {
    let mut y = [0; 2];
    let shape = Err(ErrorCode::Shape);
    assert_eq!(pack_signs(Tier::Scalar, &[0.0; 3], 1, 4, &mut y).map_err(|e| e.code), shape);
    assert_eq!(pack_signs(Tier::Scalar, &[0.0; 4], 1, 4, &mut y).map_err(|e| e.code), shape);
    assert_eq!(pack_signs(Tier::Scalar, &[], 1, 0, &mut y).map_err(|e| e.code), Err(ErrorCode::Range));
    let byte = |unsigned, zero_point| {
        pack_signs_int8(Tier::Scalar, &[0; 4], unsigned, zero_point, 1, 4, &mut [0])
            .map_err(|e| e.to_string())
    };
    assert_eq!(byte(true, -1), Err("Range: bitpack: zero point, expected 0, got -1".to_owned()));
    assert_eq!(byte(false, 128), Err("Range: bitpack: zero point, expected 127, got 128".to_owned()));
    let planes = |bits, y: &mut [u32]| {
        pack_planes(Tier::Scalar, &[0; 4], bits, 1, 4, y).map_err(|e| e.to_string())
    };
    assert_eq!(planes(0, &mut []), Err("Range: bitpack: bits per code, expected 1, got 0".to_owned()));
    assert_eq!(planes(9, &mut [0; 9]), Err("Range: bitpack: bits per code, expected 8, got 9".to_owned()));
    assert_eq!(
        planes(3, &mut y),
        Err("Shape: bitpack: length in elements, expected 3, got 2".to_owned())
    );
    let window = Window { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [1; 4] };
    let geometry = Geometry::new(Op::Bitpack, [3, 3], window).expect("fits");
    assert_eq!(BitMaxPool::new(geometry, 8).map(drop).map_err(|e| e.code), Err(ErrorCode::Range));
}
