//! The specification: a coordinate at a time.

pub(super) fn dot<const WIDTH: u32>(part: &[u8], query: &[i8]) -> i32 {
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
