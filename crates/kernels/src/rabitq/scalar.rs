//! The specification: a coordinate at a time.

use super::ROWS;

pub(super) struct Sums([i32; ROWS]);

impl super::Sums for Sums {
    fn zero() -> Self {
        Self([0; ROWS])
    }

    fn add<const WIDTH: u32>(&mut self, part: [&[u8]; ROWS], query: &[i8], shift: u32) {
        for (sum, part) in self.0.iter_mut().zip(part) {
            *sum += dot::<WIDTH>(part, query) << shift;
        }
    }

    fn finish(self) -> [i32; ROWS] {
        self.0
    }
}

fn dot<const WIDTH: u32>(part: &[u8], query: &[i8]) -> i32 {
    let width = WIDTH as usize;
    let mask = (1 << width) - 1;
    let mut sum = 0;
    for (block, query) in part.as_chunks::<16>().0.iter().zip(query.chunks(128 / width)) {
        for (piece, query) in query.as_chunks::<16>().0.iter().enumerate() {
            for (byte, q) in block.iter().zip(query) {
                sum += (i32::from(*byte) >> (width * piece) & mask) * i32::from(*q);
            }
        }
    }
    sum
}
