//! Tables and their rows.

use super::OP;
use crate::buffer::Buffer;
use crate::error::{ErrorCode, KernelError, Result, What, check_range, check_shape, checked_area};
use crate::layout::{code_at, code_row_bytes};

/// The rows of a table in codes: `code[v, d]` stands for `(code - zero_point) * scale`.
#[derive(Clone, Copy, Debug)]
pub struct TableCodes<'a> {
    /// V, at least 1.
    pub rows: usize,
    /// D, at least 1.
    pub columns: usize,
    /// Per code, 1..=8.
    pub bits: usize,
    /// `[V, ceil(D * bits / 8)]`, least significant bit first.
    pub codes: &'a [u8],
    /// One for the table, or `[V, groups]`.
    pub zero_points: &'a [i32],
    /// `[V, groups]`, or `[1, groups]` for all rows.
    pub scales: &'a [f32],
    /// Columns that share a scale; D where the whole row does.
    pub group_size: usize,
}

/// A table that owns its rows.
pub struct EmbeddingTable {
    rows: usize,
    columns: usize,
    kind: Kind,
}

enum Kind {
    Floats(Buffer<f32>),
    Codes { bits: usize, codes: Buffer<u8>, zero_points: Buffer<i32>, scales: Buffer<f32>, group_size: usize },
}

/// What one row of codes is decoded with.
struct Row<'a> {
    bits: usize,
    codes: &'a [u8],
    /// Per group, or one for all.
    zero_points: &'a [i32],
    /// Per group.
    scales: &'a [f32],
    group_size: usize,
}

impl EmbeddingTable {
    /// A copy of `values [rows, columns]`.
    ///
    /// # Errors
    /// `Shape` where the length is not the product, `Range` where a size is 0, `Memory`.
    pub fn floats(rows: usize, columns: usize, values: &[f32]) -> Result<Self> {
        check_sizes(rows, columns)?;
        check_shape(OP, What::Length, checked_area(OP, rows, columns)?, values.len())?;
        Ok(Self { rows, columns, kind: Kind::Floats(Buffer::from_slice(OP, values)?) })
    }

    /// A copy of `table`.
    ///
    /// # Errors
    /// As [`Self::floats`], and `Range` where bits or group size are out of range.
    pub fn codes(table: &TableCodes<'_>) -> Result<Self> {
        let TableCodes { rows, columns, bits, codes, zero_points, scales, group_size } = *table;
        check_sizes(rows, columns)?;
        check_range(OP, What::Bits, 1, 8, bits as i64)?;
        check_range(OP, What::GroupSize, 1, columns as i64, group_size as i64)?;
        check_shape(OP, What::Codes, checked_area(OP, rows, code_row_bytes(columns, bits))?, codes.len())?;
        let groups = columns.div_ceil(group_size);
        let cells = checked_area(OP, rows, groups)?;
        if zero_points.len() != 1 {
            check_shape(OP, What::ZeroPoint, cells, zero_points.len())?;
        }
        for &zero in zero_points {
            check_range(OP, What::ZeroPoint, -(1 << 20), 1 << 20, i64::from(zero))?;
        }
        if scales.len() != groups {
            check_shape(OP, What::Scale, cells, scales.len())?;
        }
        let kind = Kind::Codes {
            bits,
            codes: Buffer::from_slice(OP, codes)?,
            zero_points: Buffer::from_slice(OP, zero_points)?,
            scales: Buffer::from_slice(OP, scales)?,
            group_size,
        };
        Ok(Self { rows, columns, kind })
    }

    /// D
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes of the table.
    pub fn byte_len(&self) -> usize {
        match &self.kind {
            Kind::Floats(values) => values.byte_len(),
            Kind::Codes { codes, zero_points, scales, .. } => {
                codes.byte_len() + zero_points.byte_len() + scales.byte_len()
            }
        }
    }

    /// Row `ids[i]` to `y[i * D..]`; an id below 0 counts from the end. Nothing is written before all ids are checked.
    ///
    /// # Errors
    /// `Range` for an id outside `-V..V`, with the id; `Shape` where y does not have its length.
    pub fn run(&self, ids: &[i32], y: &mut [f32]) -> Result<()> {
        self.look_up(ids.iter().map(|id| i64::from(*id)), ids.len(), y)
    }

    /// The same of 64-bit ids.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_i64(&self, ids: &[i64], y: &mut [f32]) -> Result<()> {
        self.look_up(ids.iter().copied(), ids.len(), y)
    }

    fn look_up(&self, ids: impl Iterator<Item = i64> + Clone, count: usize, y: &mut [f32]) -> Result<()> {
        check_shape(OP, What::Length, checked_area(OP, count, self.columns)?, y.len())?;
        let rows = self.rows as i64;
        for id in ids.clone() {
            if !(-rows..rows).contains(&id) {
                return Err(KernelError::new(ErrorCode::Range, OP, What::Ids, rows - 1, id));
            }
        }
        for (id, y) in ids.zip(y.chunks_exact_mut(self.columns)) {
            let row = if id < 0 { id + rows } else { id } as usize;
            match &self.kind {
                Kind::Floats(values) => y.copy_from_slice(&values[row * self.columns..][..self.columns]),
                Kind::Codes { bits, codes, zero_points, scales, group_size } => {
                    let bytes = code_row_bytes(self.columns, *bits);
                    let groups = self.columns.div_ceil(*group_size);
                    let zero_points = if zero_points.len() == 1 {
                        &zero_points[..]
                    } else {
                        &zero_points[row * groups..][..groups]
                    };
                    let scales =
                        if scales.len() == groups { &scales[..] } else { &scales[row * groups..][..groups] };
                    let codes = &codes[row * bytes..][..bytes];
                    Row { bits: *bits, codes, zero_points, scales, group_size: *group_size }.decode(y);
                }
            }
        }
        Ok(())
    }
}

impl Row<'_> {
    fn decode(&self, y: &mut [f32]) {
        for (group, (y, scale)) in y.chunks_mut(self.group_size).zip(self.scales).enumerate() {
            let zero = self.zero_points[if self.zero_points.len() == 1 { 0 } else { group }];
            let first = group * self.group_size;
            if self.bits == 8 {
                for (y, code) in y.iter_mut().zip(&self.codes[first..]) {
                    *y = (i32::from(*code) - zero) as f32 * scale;
                }
                continue;
            }
            for (i, y) in y.iter_mut().enumerate() {
                let code = code_at(self.codes, self.bits, first + i);
                *y = (i32::from(code) - zero) as f32 * scale;
            }
        }
    }
}

fn check_sizes(rows: usize, columns: usize) -> Result<()> {
    check_range(OP, What::Rows, 1, i64::from(i32::MAX), rows as i64)?;
    check_range(OP, What::Columns, 1, i64::from(i32::MAX), columns as i64)
}
