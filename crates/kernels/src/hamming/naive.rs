//! The oracle: one bit at a time.

/// How many of the first `bits` bits differ.
pub fn distance(a: &[u8], b: &[u8], bits: usize) -> i32 {
    let bit = |row: &[u8], i: usize| row[i / 8] >> (i % 8) & 1;
    (0..bits).filter(|&i| bit(a, i) != bit(b, i)).count() as i32
}
