//! Attention equals `scalar` bit for bit in every tier and the formula in f64 closely; rotations are rotations.

use lowbit_kernels::attention::{Attention, Mask, Rotary, naive};
use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::{ErrorCode, Op, What};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

fn run(tier: Tier, sizes: &Attention, inputs: [&[f32]; 3], mask: Mask<'_>) -> Vec<f32> {
    let mut y = vec![f32::NAN; sizes.batch * sizes.queries * sizes.heads * sizes.depth];
    let mut scratch = Scratch::new();
    scratch.reserve(Op::Attention, sizes.scratch_lines()).expect("memory");
    sizes.run(tier, inputs, mask, &mut y, scratch.arena()).expect("valid");
    y
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// What a mask adds at (batch, head, query, key).
type Added<'a> = &'a dyn Fn(usize, usize, usize, usize) -> f64;

fn case(tier: Tier, sizes: &Attention, seed: u64) {
    let Attention { batch, queries, keys, heads, kv_heads, depth, .. } = *sizes;
    let mut random = Random::new(seed);
    let q = random.many(batch * queries * heads * depth, |r| r.float() * 3.0);
    let k = random.many(batch * keys * kv_heads * depth, |r| r.float() * 3.0);
    let v = random.many(batch * keys * kv_heads * depth, Random::float);
    let keep = random.many(batch * keys, |r| r.int(0, 2));
    let wide: Vec<i64> = keep.iter().map(|k| i64::from(*k)).collect();
    let added = random.many(heads * queries * keys, |r| r.float() * 2.0);
    let strides = [0, queries * keys, keys];
    let kept = |keep: i32| if keep == 0 { f64::NEG_INFINITY } else { 0.0 };
    let masks: [(Mask<'_>, Added<'_>); 4] = [
        (Mask::None, &|_, _, _, _| 0.0),
        (Mask::Keep(&keep), &|b, _, _, t| kept(keep[b * keys + t])),
        (Mask::KeepI64(&wide), &|b, _, _, t| kept(keep[b * keys + t])),
        (Mask::Add { values: &added, strides }, &|_, h, s, t| {
            f64::from(added[(h * queries + s) * keys + t])
        }),
    ];
    for (mask, meaning) in masks {
        let y = run(tier, sizes, [&q, &k, &v], mask);
        let scalar = run(Tier::Scalar, sizes, [&q, &k, &v], mask);
        assert_eq!(bits(&y), bits(&scalar), "{tier} {sizes:?} {mask:?}");
        for (i, (y, exact)) in y.iter().zip(naive::attention(sizes, [&q, &k, &v], meaning)).enumerate() {
            assert!((f64::from(*y) - exact).abs() < 2e-5, "{sizes:?}: element {i} is {y}, exactly {exact}");
        }
    }
}

fn sizes(batch: usize, queries: usize, keys: usize, heads: [usize; 2], depth: usize, causal: bool) -> Attention {
    let [heads, kv_heads] = heads;
    Attention { batch, queries, keys, heads, kv_heads, depth, scale: 1.0 / (depth as f32).sqrt(), causal }
}

fn refusals() {
    let good = sizes(1, 2, 2, [2, 1], 4, false);
    let refused = |sizes: Attention| sizes.check().map_err(|e| (e.code, e.what)).err();
    assert_eq!(refused(good), None);
    assert_eq!(refused(Attention { heads: 0, ..good }), Some((ErrorCode::Range, What::Heads)));
    assert_eq!(refused(Attention { heads: 3, kv_heads: 2, ..good }), Some((ErrorCode::Shape, What::Heads)));
    assert_eq!(refused(Attention { scale: f32::NAN, ..good }), Some((ErrorCode::Range, What::Scale)));
    assert_eq!(refused(Attention { keys: usize::MAX, ..good }), Some((ErrorCode::Range, What::Positions)));
    let (x, kv) = ([0.0; 16], [0.0; 8]);
    let mut scratch = Scratch::new();
    scratch.reserve(Op::Attention, good.scratch_lines()).expect("memory");
    let mut refused = |q: &[f32], mask: Mask<'_>| {
        let mut y = [0.0; 16];
        good.run(Tier::Scalar, [q, &kv, &kv], mask, &mut y, scratch.arena()).map_err(|e| e.what).err()
    };
    assert_eq!(refused(&x, Mask::None), None);
    assert_eq!(refused(&x[1..], Mask::None), Some(What::Length));
    assert_eq!(refused(&x, Mask::Keep(&[1])), Some(What::Length));
    assert_eq!(refused(&x, Mask::Add { values: &[0.0; 3], strides: [0, 0, 2] }), Some(What::Length));
}

fn hidden_and_spoiled() {
    let good = sizes(1, 1, 2, [1, 1], 1, false);
    let hidden = run(Tier::Scalar, &good, [&[1.0], &[1.0, 2.0], &[3.0, 4.0]], Mask::Keep(&[0, 0]));
    assert_eq!(hidden, [0.0], "a query that sees no key");
    let spoiled = run(Tier::Scalar, &good, [&[1.0], &[f32::NAN, 2.0], &[3.0, 4.0]], Mask::None);
    assert!(spoiled[0].is_nan(), "a NaN stays");
}

fn rotary() {
    let (positions, heads, depth, theta) = (5, 2, 6, 10_000.0);
    let rotary = Rotary::new(7, depth, theta).expect("valid");
    let x = Random::new(3).many(2 * positions * heads * depth, Random::float);
    let mut y = x.clone();
    rotary.run(&mut y, positions, heads).expect("valid");
    for (i, y) in y.iter().enumerate() {
        let (pair, s) = (i % depth % (depth / 2), i / (heads * depth) % positions);
        let angle = s as f64 * f64::powf(theta, -2.0 * pair as f64 / depth as f64);
        let head = i / depth * depth;
        let (a, b) = (f64::from(x[head + pair]), f64::from(x[head + pair + depth / 2]));
        let first = i % depth < depth / 2;
        let exact =
            if first { a * angle.cos() - b * angle.sin() } else { b * angle.cos() + a * angle.sin() };
        assert!((f64::from(*y) - exact).abs() < 1e-6, "element {i}");
    }
    assert_eq!(rotary.run(&mut y, 8, heads).map_err(|e| e.what), Err(What::Positions));
    assert_eq!(rotary.run(&mut y[1..], positions, heads).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(Rotary::new(1, 3, theta).map_err(|e| e.what).err(), Some(What::Depth));
    assert_eq!(Rotary::new(1, 2, f64::NAN).map_err(|e| e.what).err(), Some(What::Scale));
}

pub(crate) fn check(tier: Tier) {
    for (seed, sizes) in [
        sizes(1, 1, 1, [1, 1], 1, false),
        sizes(2, 3, 5, [2, 2], 4, false),
        sizes(1, 7, 7, [4, 2], 8, true),
        sizes(2, 4, 9, [6, 1], 3, true),
        sizes(1, 66, 17, [2, 1], 16, false),
        sizes(1, 130, 130, [1, 1], 33, true),
        sizes(1, 5, 2, [1, 1], 4, true),
        sizes(1, 2, 300, [1, 1], 32, false),
    ]
    .into_iter()
    .enumerate()
    {
        case(tier, &sizes, seed as u64);
    }
    refusals();
    hidden_and_spoiled();
    rotary();
}
