//! Rows of tables of any bits equal codes decoded one by one.

use arbitrary::Arbitrary;
use lowbit_kernels::embedding::{EmbeddingTable, TableCodes};
use lowbit_kernels::testing::pack_codes;

use crate::{bits, cycle, floats};

/// Sizes, ids and values.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    rows: u8,
    columns: u8,
    bits: u8,
    group: u8,
    ids: [i8; 5],
    values: &'a [u8],
}

impl Case<'_> {
    /// Panics where a row differs, or an id behind the table is not refused.
    pub fn check(&self) {
        let (rows, columns) = (usize::from(self.rows % 50) + 1, usize::from(self.columns % 50) + 1);
        let (width, group) = (usize::from(self.bits % 8) + 1, usize::from(self.group) % columns + 1);
        let groups = columns.div_ceil(group);
        let codes: Vec<u8> = cycle(self.values, rows * columns, 0).map(|b| b & (u8::MAX >> (8 - width))).collect();
        let scales = floats(self.values, rows * groups, 3);
        let zero = i32::from(self.group);
        let table = EmbeddingTable::codes(&TableCodes {
            rows,
            columns,
            bits: width,
            codes: &pack_codes(&codes, columns, width),
            zero_points: &[zero],
            scales: &scales,
            group_size: group,
        })
        .expect("valid");
        let ids = self.ids.map(i32::from);
        let mut y = vec![f32::NAN; ids.len() * columns];
        let inside = |id: &i32| (-(rows as i32)..rows as i32).contains(id);
        let result = table.run(&ids, &mut y);
        assert_eq!(result.is_ok(), ids.iter().all(inside), "{self:?}");
        if result.is_err() {
            return;
        }
        let expected: Vec<f32> = ids
            .iter()
            .flat_map(|id| (0..columns).map(move |c| (id.rem_euclid(rows as i32) as usize, c)))
            .map(|(r, c)| (i32::from(codes[r * columns + c]) - zero) as f32 * scales[r * groups + c / group])
            .collect();
        assert_eq!(bits(&y), bits(&expected), "{self:?}");
    }
}
