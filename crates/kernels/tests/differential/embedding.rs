//! Rows are those of the table, decoded as documented; positions and means by plain arithmetic.

use lowbit_kernels::embedding::{EmbeddingTable, TableCodes, add_positions, masked_mean, naive};
use lowbit_kernels::error::{ErrorCode, What};
use lowbit_kernels::testing::{Random, pack_codes};
use lowbit_kernels::tier::Tier;

const IDS: [i32; 5] = [0, 6, -1, 3, -7];

fn floats() {
    let (rows, columns) = (7, 5);
    let values = Random::new(1).many(rows * columns, Random::float);
    let table = EmbeddingTable::floats(rows, columns, &values).expect("valid");
    let mut y = vec![f32::NAN; IDS.len() * columns];
    table.run(&IDS, &mut y).expect("valid");
    for (id, y) in IDS.iter().zip(y.chunks_exact(columns)) {
        assert_eq!(y, &values[id.rem_euclid(7) as usize * columns..][..columns]);
    }
    let mut wide = vec![f32::NAN; y.len()];
    table.run_i64(&IDS.map(i64::from), &mut wide).expect("valid");
    assert_eq!(wide, y);
    let error = table.run_i64(&[0, 7 + (1 << 32)], &mut y[..10]).expect_err("behind the end");
    let numbers = (error.code, error.what, error.expected, error.got);
    assert_eq!(numbers, (ErrorCode::Range, What::Ids, 6, 7 + (1 << 32)));
    assert_eq!(table.run(&[-8], &mut y[..5]).map_err(|e| e.what), Err(What::Ids));
    assert_eq!(table.run(&[0], &mut y[..6]).map_err(|e| e.code), Err(ErrorCode::Shape));
    assert_eq!(EmbeddingTable::floats(0, 1, &[]).map_err(|e| e.what).err(), Some(What::Rows));
}

fn codes() {
    for (seed, (bits, group, per_cell, per_row)) in
        [(8, 5, false, true), (8, 2, true, true), (4, 2, true, true), (3, 5, false, false), (1, 3, true, false)]
            .into_iter()
            .enumerate()
    {
        let (rows, columns) = (7, 5);
        let groups = usize::div_ceil(columns, group);
        let mut random = Random::new(seed as u64);
        let codes = random.many(rows * columns, |r| r.int(0, (1 << bits) - 1) as u8);
        let zeros = random.many(if per_cell { rows * groups } else { 1 }, |r| r.int(-3, 200));
        let scales = random.many(if per_row { rows * groups } else { groups }, Random::float);
        let packed = pack_codes(&codes, columns, bits);
        let given = TableCodes {
            rows,
            columns,
            bits,
            codes: &packed,
            zero_points: &zeros,
            scales: &scales,
            group_size: group,
        };
        let mut y = vec![f32::NAN; IDS.len() * columns];
        EmbeddingTable::codes(&given).expect("valid").run(&IDS, &mut y).expect("valid");
        for (i, y) in y.iter().enumerate() {
            let (row, column) = (IDS[i / columns].rem_euclid(7) as usize, i % columns);
            let cell = row * groups + column / group;
            let zero = zeros[if per_cell { cell } else { 0 }];
            let scale = scales[if per_row { cell } else { column / group }];
            let expected = (i32::from(codes[row * columns + column]) - zero) as f32 * scale;
            assert_eq!(y.to_bits(), expected.to_bits(), "{bits} bits, element {i}");
        }
        let refused = |table: TableCodes<'_>| EmbeddingTable::codes(&table).map_err(|e| e.what).err();
        assert_eq!(refused(TableCodes { bits: 9, ..given }), Some(What::Bits));
        assert_eq!(refused(TableCodes { codes: &packed[1..], ..given }), Some(What::Codes));
        assert_eq!(refused(TableCodes { scales: &[], ..given }), Some(What::Scale));
        assert_eq!(refused(TableCodes { group_size: 6, ..given }), Some(What::GroupSize));
    }
}

fn sequences() {
    let (batch, positions, columns) = (2, 4, 3);
    let mut random = Random::new(9);
    let x = random.many(batch * positions * columns, Random::float);
    let table = random.many(6 * columns, Random::float);
    let mut y = x.clone();
    add_positions(&mut y, positions, &table, columns, 2).expect("valid");
    for (i, y) in y.iter().enumerate() {
        let expected = x[i] + table[(i / columns % positions + 2) * columns + i % columns];
        assert_eq!(y.to_bits(), expected.to_bits());
    }
    assert_eq!(add_positions(&mut y, 4, &table, columns, 3).map_err(|e| e.what), Err(What::Positions));
    assert_eq!(add_positions(&mut y[1..], 4, &table, columns, 0).map_err(|e| e.what), Err(What::Length));

    let keep = [1, 0, 5, 1, 0, 0, 0, 0];
    let mut mean = vec![f32::NAN; batch * columns];
    masked_mean(&x, &keep, [batch, positions, columns], &mut mean).expect("valid");
    for b in 0..batch {
        let exact = naive::masked_mean(&x[b * 12..][..12], columns, &keep[b * 4..][..4]);
        for (y, exact) in mean[b * 3..].iter().zip(exact) {
            assert!((f64::from(*y) - exact).abs() < 1e-6);
        }
    }
    let short = masked_mean(&x, &keep[1..], [batch, positions, columns], &mut mean);
    assert_eq!(short.map_err(|e| e.what), Err(What::Length));
}

pub(crate) fn check(_: Tier) {
    floats();
    codes();
    sequences();
}
