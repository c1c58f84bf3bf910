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
pub(super) type TileSums<const R: usize = STRIP> = [[V128; 2]; R];

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

    /// The sums of a strip of `R` rows by 8 columns before a part of K: before the first one `bias - zeros * sums - fixed`.
    #[inline(never)]
    pub(super) fn start<const R: usize>(&self, is_first: bool, strip: usize, column: usize) -> TileSums<R> {
        let first = self.rows.first + strip * R;
        if !is_first {
            let acc = &self.acc[first * self.pitch + column..];
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
            return [base; R];
        }
        let zeros = pair(self.group.zeros);
        core::array::from_fn(|r| {
            let sum = i32x4_splat(self.rows.sums[(first + r) * self.rows.sum_stride]);
            core::array::from_fn(|v| i32x4_sub(base[v], i32x4_mul(zeros[v], sum)))
        })
    }

    /// Keeps the sums behind a part of K, or requantizes them behind the last one.
    #[inline(never)]
    pub(super) fn end<const R: usize>(
        &mut self,
        is_last: bool,
        strip: usize,
        column: usize,
        sums: &TileSums<R>,
    ) {
        let first = self.rows.first + strip * R;
        let Some((quantizer, end)) = self.end.as_mut().filter(|_| is_last) else {
            let acc = &mut self.acc[first * self.pitch + column..];
            for (r, sums) in sums.iter().enumerate() {
                let acc = &mut acc[r * self.pitch..][..8];
                i32x4_store(acc, sums[0]);
                i32x4_store(&mut acc[4..], sums[1]);
            }
            return;
        };
        let multiplier = &end.multiplier[column..column + 8];
        let multiplier = [f32x4_load(multiplier), f32x4_load(&multiplier[4..])];
        let mut at = first * end.stride + column;
        for [upper, lower] in sums.as_chunks::<2>().0 {
            let bytes = two_rows(quantizer, multiplier, upper, lower);
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

/// Strips of 8 columns whose sums are of all of K and become bytes: nothing is asked again for each of them.
pub(super) struct Bytes<'a> {
    quantizer: &'a Quantizer,
    base: [V128; 2],
    multiplier: [V128; 2],
    /// Where the next strip begins.
    y: *mut i8,
    stride: usize,
}

impl Strips<'_, '_> {
    /// The strips of the 8 columns from `column` on, where they end so and no row's sum is to be taken out.
    #[inline(always)]
    pub(super) fn bytes(&mut self, column: usize) -> Option<Bytes<'_>> {
        let (quantizer, end) = self.end.as_mut()?;
        if self.has_zeros || column + 8 > end.columns {
            return None;
        }
        let pair = |values: &[i32]| [i32x4_load(&values[column..]), i32x4_load(&values[column + 4..])];
        let (bias, fixed) = (pair(&end.bias), pair(self.group.fixed));
        let multiplier = &end.multiplier[column..column + 8];
        let y = &mut end.y[self.rows.first * end.stride + column..];
        assert!(y.len() >= (self.rows.count - 1) * end.stride + 8, "rows that hold 8 columns");
        Some(Bytes {
            quantizer,
            base: [i32x4_sub(bias[0], fixed[0]), i32x4_sub(bias[1], fixed[1])],
            multiplier: [f32x4_load(multiplier), f32x4_load(&multiplier[4..])],
            y: y.as_mut_ptr(),
            stride: end.stride,
        })
    }
}

impl Bytes<'_> {
    /// Where the sums of a strip start.
    #[inline(always)]
    pub(super) fn start<const R: usize>(&self) -> TileSums<R> {
        [self.base; R]
    }

    /// Writes the next strip.
    ///
    /// # Safety
    /// Called at most once for every strip that there is.
    #[inline(always)]
    pub(super) unsafe fn write<const R: usize>(&mut self, sums: &TileSums<R>) {
        for [upper, lower] in sums.as_chunks::<2>().0 {
            let bytes = two_rows(self.quantizer, self.multiplier, upper, lower);
            let next = self.y.wrapping_add(self.stride);
            // SAFETY: eight bytes of two rows that there are, as `Strips::bytes` asserted.
            unsafe {
                v128_store64_lane::<0>(&mut *self.y.cast(), bytes);
                v128_store64_lane::<1>(&mut *next.cast(), bytes);
            }
            self.y = next.wrapping_add(self.stride);
        }
    }
}

/// Eight bytes of each of two rows.
#[inline(always)]
fn two_rows(quantizer: &Quantizer, multiplier: [V128; 2], upper: &[V128; 2], lower: &[V128; 2]) -> V128 {
    quantizer.bytes([
        quantizer.lanes(upper[0], multiplier[0]),
        quantizer.lanes(upper[1], multiplier[1]),
        quantizer.lanes(lower[0], multiplier[0]),
        quantizer.lanes(lower[1], multiplier[1]),
    ])
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
