//! The seeded generator behind codes that are drawn.

/// xoshiro128** (Blackman, Vigna 2018), as `Random` in `packages/core/src/quantize/random.ts`: its state comes in and goes out, so that one stream of numbers
/// runs through both.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    state: [u32; 4],
}

impl Random {
    /// Goes on from a state, which is not all zero.
    pub const fn new(state: [u32; 4]) -> Self {
        Self { state }
    }

    /// Where another goes on.
    pub const fn state(&self) -> [u32; 4] {
        self.state
    }

    /// The next 32 bits.
    #[inline(always)]
    pub const fn bits32(&mut self) -> u32 {
        let s = &mut self.state;
        let scrambled = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 9;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(11);
        scrambled
    }
}
