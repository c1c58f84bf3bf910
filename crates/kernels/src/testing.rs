//! For tests, fuzzing and benches: seeded numbers, and sizes around words and lanes.

/// `SplitMix64` (Steele, Lea, Flood 2014): a stream of 64-bit numbers from a seed.
pub struct Random(u64);

impl Random {
    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An integer in `low..=high`.
    pub const fn int(&mut self, low: i32, high: i32) -> i32 {
        low + (self.next() % (high - low + 1) as u64) as i32
    }

    /// A float in [-1, 1), of 24 bits.
    pub const fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// `n` values.
    pub fn many<T>(&mut self, n: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..n).map(|_| one(self)).collect()
    }
}

/// Around the sizes of words and lanes. 0 is refused by name, and tested so.
pub const SIZES: &[usize] = &[1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];

/// Row counts that reach every row of a dispatch table and more than one block.
pub const ROWS: &[usize] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 17, 33];

/// Packs codes of `bits` bits, `k` to a row; each row starts on a byte.
pub fn pack_codes(codes: &[u8], k: usize, bits: usize) -> Vec<u8> {
    let bytes = crate::layout::code_row_bytes(k, bits);
    let mut packed = vec![0; codes.len() / k * bytes];
    for (row, packed) in codes.chunks_exact(k).zip(packed.chunks_exact_mut(bytes)) {
        for (i, code) in row.iter().enumerate() {
            let wide = u16::from(*code) << (i * bits % 8);
            packed[i * bits / 8] |= wide as u8;
            if wide > 255 {
                packed[i * bits / 8 + 1] |= (wide >> 8) as u8;
            }
        }
    }
    packed
}

/// Packs rows of -1, 0 and +1 in runs of `run` values that each start a new word: sign words, and where `trits` the non-zero words behind them.
pub fn pack_signs(values: &[i32], run: usize, trits: bool) -> Vec<u32> {
    let plane = |run: &[i32], bit: fn(i32) -> bool| -> Vec<u32> {
        let word = |chunk: &[i32]| chunk.iter().rev().fold(0, |word, v| word << 1 | u32::from(bit(*v)));
        run.chunks(crate::layout::WORD_BITS).map(word).collect()
    };
    let one = |run: &[i32]| {
        let mut words = plane(run, |v| v < 0);
        if trits {
            words.extend(plane(run, |v| v != 0));
        }
        words
    };
    values.chunks_exact(run).flat_map(one).collect()
}
