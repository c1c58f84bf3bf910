//! The specification on packed data.

use super::float_rows::{self, End, PanelSums};
use super::pack::{COLUMNS, Packed};
use super::sums::{Group, Requantize, Rows, Tile, pair_order};

/// Plain Rust.
pub(super) struct Scalar;

impl Tile for Scalar {
    const FROM: usize = usize::MAX;
    const HAS_TALL: bool = false;

    fn prepare<const R: usize>(packed: &Packed, x: [&[i8]; R], len: usize, values: &mut [i32]) -> [i32; R] {
        let zero = packed.input.zero_point;
        let wide = |&x: &i8| if packed.input.unsigned { i32::from(x as u8) } else { i32::from(x) };
        let order = pair_order(packed.width);
        core::array::from_fn(|r| {
            let x = &x[r][..len];
            for (x, values) in x.chunks(16).zip(values.chunks_exact_mut(8 * R)) {
                let at = |i: u8| x.get(usize::from(i)).map_or(0, |x| wide(x) - zero);
                for (value, pair) in values.iter_mut().skip(r).step_by(R).zip(order.as_chunks::<2>().0) {
                    *value = at(pair[0]) & 0xffff | at(pair[1]) << 16;
                }
            }
            x.iter().map(|x| wide(x) - zero).sum()
        })
    }

    fn strips<const R: usize>(
        _: &Group<'_>,
        _: Rows<'_>,
        _: &mut [u32],
        _: &mut [i32],
        _: usize,
        _: Option<&mut Requantize<'_>>,
    ) {
        unreachable!("no block has `FROM` rows");
    }

    // Called from two places, and much code.
    #[inline(never)]
    fn rows(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize) {
        match group.width {
            8 => accumulate::<8>(group, rows, acc, pitch),
            4 => accumulate::<4>(group, rows, acc, pitch),
            _ => accumulate::<2>(group, rows, acc, pitch),
        }
    }

    fn add_scaled(acc: &[i32], scale: &[f32], y: &mut [f32]) {
        for (acc, y) in acc.chunks_exact(COLUMNS).zip(y.chunks_exact_mut(COLUMNS)) {
            for ((y, &acc), &scale) in y.iter_mut().zip(acc).zip(scale) {
                *y += acc as f32 * scale;
            }
        }
    }

    fn encode(x: &[f32], inverse: f32, codes: &mut [i8]) {
        float_rows::encode(x, inverse, codes);
    }

    fn finish(sums: PanelSums<'_>, end: &End<'_>, y: &mut [f32], stride: usize) {
        float_rows::finish(sums, end, y, stride);
    }
}

fn accumulate<const WIDTH: usize>(group: &Group<'_>, rows: Rows<'_>, acc: &mut [i32], pitch: usize) {
    let pairs = 16 / WIDTH;
    for r in 0..rows.count {
        let x = &rows.values[r * rows.stride..];
        for (column, acc) in acc[r * pitch..][..COLUMNS].iter_mut().enumerate() {
            let mut dot = *acc;
            let words = group.words[column..].iter().step_by(COLUMNS);
            for (word, x) in words.zip(x.chunks_exact(pairs)) {
                for (j, pair) in x.iter().enumerate() {
                    let (low, high) = codes::<WIDTH>(*word, j);
                    let (x_low, x_high) = (i32::from(*pair as i16), *pair >> 16);
                    dot = dot.wrapping_add(low * x_low + high * x_high);
                }
            }
            *acc = dot;
        }
    }
}

/// The two codes of pair `j`: fields that are 16 bits apart.
fn codes<const WIDTH: usize>(word: u32, j: usize) -> (i32, i32) {
    let fields = word >> (WIDTH * j);
    if WIDTH == 8 {
        return (i32::from(fields as i8), i32::from((fields >> 16) as i8));
    }
    let mask = (1 << WIDTH) - 1;
    ((fields & mask) as i32, (fields >> 16 & mask) as i32)
}
