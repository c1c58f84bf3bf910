//! Blocks give the bits of plain sums, GPTQ the codes of its paper's formula, and every search at most the error of the nearest levels.

use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::quantize::{Grid, Grouping};
use lowbit_kernels::solve::{
    Adaround, ColumnStats, Hqq, Rounding, adaround, column_stats, diagonal, factor, finish_gram, gptq, gram,
    grid_quadratic, hadamard, hqq, naive, powers, quadratic, row_dots, scale,
};
use lowbit_kernels::testing::Random;
use lowbit_kernels::tier::Tier;

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Correlated inputs, as those of a layer are.
fn inputs(samples: usize, columns: usize, random: &mut Random) -> Vec<f32> {
    let mut last = 0.0;
    random.many(samples * columns, |r| {
        last = 0.7 * last + r.float();
        last
    })
}

fn hessian(tier: Tier, x: &[f32], columns: usize, order: &[u32], samples: usize) -> Vec<f64> {
    let mut h = vec![0.0; columns * columns];
    gram(tier, x, columns, order, &mut h).expect("valid");
    finish_gram(&mut h, columns, 2.0 / samples as f64).expect("valid");
    h
}

fn matrices(tier: Tier) {
    let mut random = Random::new(3);
    for columns in [1, 2, 3, 4, 5, 8, 31, 32, 33, 67] {
        let samples = 2 * columns + 61;
        let x = inputs(samples, columns, &mut random);
        let mut h = vec![0.0; columns * columns];
        let (head, tail) = x.split_at(7 * columns);
        gram(tier, head, columns, &[], &mut h).expect("valid");
        gram(tier, tail, columns, &[], &mut h).expect("valid");
        finish_gram(&mut h, columns, 0.5).expect("valid");
        assert_eq!(bits(&h), bits(&naive::gram(&x, columns, 0.5)), "{columns} columns, in two parts");

        let order: Vec<u32> = (0..columns as u32).rev().collect();
        let mut reversed = vec![0.0; columns * columns];
        gram(tier, &x, columns, &order, &mut reversed).expect("valid");
        finish_gram(&mut reversed, columns, 0.5).expect("valid");
        let mirrored: Vec<f64> = h.iter().rev().copied().collect();
        assert_eq!(bits(&reversed), bits(&mirrored));

        let mut values = vec![0.0; columns];
        diagonal(&h, &mut values).expect("valid");
        assert!(values.iter().enumerate().all(|(j, v)| *v == h[j * (columns + 1)]));

        let mut r = h.clone();
        factor(tier, &mut r, columns, 0.25).expect("positive definite");
        let mut damped = h.clone();
        (0..columns).for_each(|j| damped[j * (columns + 1)] += 0.25);
        let plain = naive::factor(&damped, columns);
        for i in 0..columns {
            assert_eq!(bits(&r[i * columns + i..][..columns - i]), bits(&plain[i * columns + i..][..columns - i]));
        }
    }
    let mut singular = [1.0, 1.0, 1.0, 1.0];
    let refused = factor(tier, &mut singular, 2, 0.0).expect_err("singular");
    assert_eq!((refused.code, refused.what, refused.got), (ErrorCode::Range, What::Pivot, 0));
    assert_eq!(factor(tier, &mut [f64::NAN], 1, 0.0).map_err(|e| e.what), Err(What::Pivot));
    assert_eq!(gram(tier, &[0.0; 3], 2, &[], &mut [0.0; 4]).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(gram(tier, &[0.0; 4], 2, &[0, 2], &mut [0.0; 4]).map_err(|e| e.code), Err(ErrorCode::Range));
}

/// A problem with scales that cut off a few weights.
struct Problem {
    columns: usize,
    x: Vec<f32>,
    w: Vec<f32>,
    grouping: Grouping,
    scales: Vec<f32>,
}

impl Problem {
    fn new(rows: usize, columns: usize, group: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let x = inputs(3 * columns, columns, &mut random);
        let w = random.many(rows * columns, Random::float);
        let grouping = Grouping::new(rows, columns, group).expect("valid");
        let scales = random.many(grouping.groups(), |r| 0.2 + 0.05 * r.float().abs());
        Self { columns, x, w, grouping, scales }
    }

    fn grid(&self) -> Grid<'_> {
        Grid { scale: &self.scales, zero_points: &[4], offsets: &[], min_code: 0, max_code: 7 }
    }

    fn error(&self, codes: &[u8], h: &[f64]) -> f64 {
        let scale = |i: usize| {
            let per_row = self.columns.div_ceil(self.group());
            self.scales[i / self.columns * per_row + i % self.columns / self.group()]
        };
        let y: Vec<f32> =
            codes.iter().enumerate().map(|(i, &code)| (i32::from(code) - 4) as f32 * scale(i)).collect();
        let rows = Grouping::new(self.w.len() / self.columns, self.columns, self.columns).expect("valid");
        let mut forms = vec![0.0; rows.groups()];
        quadratic(&rows, &self.w, &y, h, &mut forms).expect("valid");
        forms.iter().sum()
    }

    fn group(&self) -> usize {
        self.columns.div_ceil(self.grouping.groups() / (self.w.len() / self.columns))
    }
}

fn roundings(tier: Tier) {
    for (rows, columns, group, seed) in
        [(1, 1, 1, 1), (3, 6, 6, 2), (5, 40, 8, 3), (2, 70, 70, 4), (66, 65, 13, 5)]
    {
        let problem = Problem::new(rows, columns, group, seed);
        let samples = problem.x.len() / columns;
        let grid = problem.grid();
        let h = hessian(tier, &problem.x, columns, &[], samples);
        let mut nearest = vec![0; problem.w.len()];
        grid.codes(&problem.grouping, &problem.w, &mut nearest).expect("valid");
        let least = problem.error(&nearest, &h);

        let mut damped = h.clone();
        (0..columns).for_each(|j| damped[j * (columns + 1)] += 0.01);
        let mut r = h.clone();
        factor(tier, &mut r, columns, 0.01).expect("positive definite");
        let mut codes = vec![0; problem.w.len()];
        let rounding = Rounding { grouping: &problem.grouping, grid, factor: &r, order: &[] };
        gptq(tier, &rounding, columns, &problem.w, &mut codes).expect("valid");
        let expected = naive::gptq(&problem.grouping, &grid, columns, &problem.w, &damped);
        for row in 0..rows {
            let [got, paper, plain] = [&codes, &expected, &nearest].map(|c| &c[row * columns..][..columns]);
            assert!(got == paper || got == plain, "row {row} of {rows} x {columns}");
        }
        let differing = codes.chunks(columns).zip(nearest.chunks(columns)).filter(|(a, b)| a != b).count();
        assert!(columns < 40 || 2 * differing > rows, "errors are fed forward in most rows");
        assert!(problem.error(&codes, &h) <= least);

        // The last column first: the same as everything turned around.
        let order: Vec<u32> = (0..columns as u32).rev().collect();
        let mut r = hessian(tier, &problem.x, columns, &order, samples);
        factor(tier, &mut r, columns, 0.01).expect("positive definite");
        let mut ordered = vec![0; problem.w.len()];
        gptq(tier, &Rounding { factor: &r, order: &order, ..rounding }, columns, &problem.w, &mut ordered).expect("valid");
        assert!(problem.error(&ordered, &h) <= least);
        if group == columns {
            let turn = |w: &[f32]| w.chunks(columns).flat_map(|row| row.iter().rev().copied()).collect::<Vec<f32>>();
            let turned = Problem { w: turn(&problem.w), x: turn(&problem.x), ..Problem::new(rows, columns, group, seed) };
            let mut r = hessian(tier, &turned.x, columns, &[], samples);
            factor(tier, &mut r, columns, 0.01).expect("positive definite");
            let mut codes = vec![0; turned.w.len()];
            gptq(tier, &Rounding { factor: &r, order: &[], ..rounding }, columns, &turned.w, &mut codes).expect("valid");
            let back: Vec<u8> = codes.chunks(columns).flat_map(|row| row.iter().rev().copied()).collect();
            assert_eq!(ordered, back);
        }

        let search = Adaround { iterations: 200, rate: 0.02, weight: 0.01, beta: [20.0, 2.0] };
        let mut searched = vec![0; problem.w.len()];
        let run = |tier, codes: &mut [u8]| {
            adaround(tier, &search, (&problem.grouping, &grid), columns, &problem.w, &h, codes).expect("valid");
        };
        run(tier, &mut searched);
        assert!(problem.error(&searched, &h) <= least);
        assert!(columns < 40 || problem.error(&searched, &h) < 0.9 * least, "{rows} x {columns}");
        let mut scalar = vec![0; problem.w.len()];
        run(Tier::Scalar, &mut scalar);
        assert_eq!(searched, scalar);

        let mut forms = vec![0.0; problem.grouping.groups()];
        grid_quadratic(&problem.grouping, &grid, &problem.w, &h, &mut forms).expect("valid");
        if group == columns {
            assert_eq!(forms.iter().sum::<f64>(), least);
        }
        let refused = gptq(tier, &rounding, columns, &problem.w, &mut []);
        assert_eq!(refused.map_err(|e| e.code), Err(ErrorCode::Shape));
    }
}

fn offsets() {
    let search = Hqq { max_code: 3, norm: 0.7, beta: [10.0, 1.01], rounds: 20 };
    let grouping = Grouping::new(2, 5, 3).expect("valid");
    let w = [0.0, 1.0, 3.0, 7.0, 7.0, -1.0, 2.0, 0.5, -4.0, 0.0];
    let (mut scales, mut offsets, mut codes) = ([9.0; 4], [9.0; 4], [9; 10]);
    hqq(&search, &grouping, &w, &mut scales, &mut offsets, &mut codes).expect("valid");
    // On the grid already, and one value.
    assert_eq!((scales[0], offsets[0], &codes[..3]), (1.0, 0.0, &[0, 1, 3][..]));
    assert_eq!((offsets[1], &codes[3..5]), (7.0, &[0, 0][..]));
    assert_eq!(scales[2], 1.0);
    for (i, &x) in w.iter().enumerate() {
        let group = grouping_of(i);
        let value = f32::from(codes[i]) * scales[group] + offsets[group];
        assert!((value - x).abs() <= scales[group], "weight {i}");
    }
}

const fn grouping_of(i: usize) -> usize {
    i / 5 * 2 + i % 5 / 3
}

fn rotations() {
    let mut random = Random::new(9);
    for size in [1, 2, 4, 16, 64] {
        let columns = 3 * size;
        let signs = random.many(columns, |r| r.int(0, 1) as u8);
        // Small integers stay exact until the one product.
        let x = random.many(2 * columns, |r| r.int(-9, 9) as f32);
        let mut y = x.clone();
        hadamard(&mut y, columns, size, &signs, false).expect("valid");
        for (x, y) in x.chunks(columns).zip(y.chunks(columns)) {
            for (i, y) in y.iter().enumerate() {
                let start = i / size * size;
                let sum: f64 = (0..size)
                    .map(|j| {
                        let odd = ((i - start) & j).count_ones() + u32::from(signs[start + j]);
                        f64::from(x[start + j]) * if odd % 2 == 1 { -1.0 } else { 1.0 }
                    })
                    .sum();
                assert_eq!(*y, sum as f32 * (1.0 / (size as f64).sqrt()) as f32);
            }
        }
        hadamard(&mut y, columns, size, &signs, true).expect("valid");
        assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-5));
    }
    assert_eq!(hadamard(&mut [0.0; 3], 3, 3, &[0; 3], false).map_err(|e| e.code), Err(ErrorCode::Range));
    assert_eq!(hadamard(&mut [0.0; 3], 3, 2, &[0; 3], false).map_err(|e| e.code), Err(ErrorCode::Shape));
}

fn vectors() {
    let x = [1.0, -2.0, 3.0, -4.0, 5.0, -6.0];
    let mut stats = [0.0; 12];
    let [sum, sum_abs, max_abs, sum_squares] = {
        let mut parts = stats.chunks_exact_mut(3);
        core::array::from_fn(|_| parts.next().expect("four"))
    };
    let mut stats = ColumnStats { sum, sum_abs, max_abs, sum_squares };
    column_stats(&x[..3], 3, &mut stats).expect("valid");
    column_stats(&x[3..], 3, &mut stats).expect("valid");
    assert_eq!(stats.sum, [-3.0, 3.0, -3.0]);
    assert_eq!(stats.sum_abs, [5.0, 7.0, 9.0]);
    assert_eq!(stats.max_abs, [4.0, 5.0, 6.0]);
    assert_eq!(stats.sum_squares, [17.0, 29.0, 45.0]);
    let mut w = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    scale(&mut w, 4, &[2.0, 0.5], &[1.0, 10.0]).expect("valid");
    assert_eq!(w, [2.0, 40.0, 6.0, 80.0, 2.5, 30.0, 3.5, 40.0]);
    assert_eq!(scale(&mut w, 4, &[1.0; 2], &[1.0; 3]).map_err(|e| e.what), Err(What::Channels));
    let mut y = [9.0; 2];
    row_dots(&x, &[1.0, 10.0, 100.0], &mut y).expect("valid");
    assert_eq!(y, [281.0, -554.0]);
    let mut roots = [4.0, 0.0, 2.25];
    powers(&mut roots, 0.5);
    assert_eq!(roots, [2.0, 0.0, 1.5]);
}

pub(crate) fn check(tier: Tier) {
    matrices(tier);
    roundings(tier);
    offsets();
    rotations();
    vectors();
}
