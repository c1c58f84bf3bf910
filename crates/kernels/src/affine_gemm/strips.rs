//! What is around the tiles of a panel's strips: where their sums start, and where they go. Sums that become bytes are requantized while they are in registers; of a part of K,
//! or for another transform, they wait in memory.

use super::pack::COLUMNS;
use super::sums::{Group, Requantize, Rows, STRIP};
use crate::output::Quantizer;
use crate::v128::{
    V128, f32x4_load, i8x16_store, i32x4_load, i32x4_mul, i32x4_splat, i32x4_store, i32x4_sub,
    v128_store64_lane,
};

/// The sums of a tile.
pub(super) type TileSums = [[V128; 2]; STRIP];

/// Strips of one panel: where their sums start, and where they go.
pub(super) struct Strips<'a, 'e> {
    pub(super) group: &'a Group<'a>,
    pub(super) rows: Rows<'a>,
    has_zeros: bool,
    acc: &'a mut [i32],
    pitch: usize,
    end: Option<(Quantizer, &'a mut Requantize<'e>)>,
}

impl<'a, 'e> Strips<'a, 'e> {
    #[inline(always)]
    pub(super) fn new(
        group: &'a Group<'a>,
        rows: Rows<'a>,
        acc: &'a mut [i32],
        pitch: usize,
        end: Option<&'a mut Requantize<'e>>,
    ) -> Self {
        let has_zeros = group.zeros.iter().any(|zero| *zero != 0);
        let end = end.map(|end| (Quantizer::new(end.zero_point, end.clamp), end));
        Self { group, rows, has_zeros, acc, pitch, end }
    }

    /// Columns of the panel that are wanted.
    pub(super) fn columns(&self) -> usize {
        self.end.as_ref().map_or(COLUMNS, |(_, end)| end.columns)
    }

    /// The sums of 4 rows by 8 columns before a part of K: before the first one `bias - zeros * sums - fixed`.
    #[inline(never)]
    pub(super) fn start(&self, is_first: bool, strip: usize, column: usize) -> TileSums {
        self.start_inline(is_first, strip, column)
    }

    #[inline(always)]
    pub(super) fn start_inline(&self, is_first: bool, strip: usize, column: usize) -> TileSums {
        if !is_first {
            let acc = &self.acc[strip * STRIP * self.pitch + column..];
            return core::array::from_fn(|r| {
                let acc = &acc[r * self.pitch..][..8];
                [i32x4_load(acc), i32x4_load(&acc[4..])]
            });
        }
        let pair = |values: &[i32]| [i32x4_load(&values[column..]), i32x4_load(&values[column + 4..])];
        let fixed = pair(self.group.fixed);
        let bias = self.end.as_ref().map_or([i32x4_splat(0); 2], |(_, end)| pair(&end.bias));
        let base: [V128; 2] = core::array::from_fn(|v| i32x4_sub(bias[v], fixed[v]));
        if !self.has_zeros {
            return [base; STRIP];
        }
        let zeros = pair(self.group.zeros);
        core::array::from_fn(|r| {
            let sum = i32x4_splat(self.rows.sums[(strip * STRIP + r) * self.rows.sum_stride]);
            core::array::from_fn(|v| i32x4_sub(base[v], i32x4_mul(zeros[v], sum)))
        })
    }

    /// Keeps the sums behind a part of K, or requantizes them behind the last one.
    #[inline(never)]
    pub(super) fn end(&mut self, is_last: bool, strip: usize, column: usize, sums: &TileSums) {
        self.end_inline(is_last, strip, column, sums);
    }

    #[inline(always)]
    pub(super) fn end_inline(&mut self, is_last: bool, strip: usize, column: usize, sums: &TileSums) {
        let Some((quantizer, end)) = self.end.as_mut().filter(|_| is_last) else {
            let acc = &mut self.acc[strip * STRIP * self.pitch + column..];
            for (r, sums) in sums.iter().enumerate() {
                let acc = &mut acc[r * self.pitch..][..8];
                i32x4_store(acc, sums[0]);
                i32x4_store(&mut acc[4..], sums[1]);
            }
            return;
        };
        let multiplier = &end.multiplier[column..column + 8];
        let multiplier = [f32x4_load(multiplier), f32x4_load(&multiplier[4..])];
        let mut at = strip * STRIP * end.stride + column;
        for [upper, lower] in sums.as_chunks::<2>().0 {
            let bytes = quantizer.bytes([
                quantizer.lanes(upper[0], multiplier[0]),
                quantizer.lanes(upper[1], multiplier[1]),
                quantizer.lanes(lower[0], multiplier[0]),
                quantizer.lanes(lower[1], multiplier[1]),
            ]);
            if column + 8 <= end.columns {
                if let Some(y) = end.y[at..].first_chunk_mut() {
                    v128_store64_lane::<0>(y, bytes);
                }
                if let Some(y) = end.y[at + end.stride..].first_chunk_mut() {
                    v128_store64_lane::<1>(y, bytes);
                }
            } else {
                store_part(bytes, &mut end.y[at..], end.stride, end.columns - column);
            }
            at += 2 * end.stride;
        }
    }
}

/// The first `count` of eight bytes of two rows.
#[cold]
#[inline(never)]
fn store_part(bytes: V128, y: &mut [i8], stride: usize, count: usize) {
    let mut all = [0; 16];
    i8x16_store(&mut all, bytes);
    y[..count].copy_from_slice(&all[..count]);
    y[stride..][..count].copy_from_slice(&all[8..][..count]);
}
