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

    /// From any seed, whose state splitmix32 fills.
    pub fn seeded(seed: u32) -> Self {
        let mut s = seed;
        Self::new([0; 4].map(|_: u32| {
            s = s.wrapping_add(0x9e37_79b9);
            let z = (s ^ (s >> 16)).wrapping_mul(0x21f0_aaad);
            let z = (z ^ (z >> 15)).wrapping_mul(0x735a_2d97);
            z ^ (z >> 15)
        }))
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

    /// Uniform in [0, 1), a multiple of 2^-32.
    #[inline(always)]
    pub fn uniform32(&mut self) -> f64 {
        f64::from(self.bits32()) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_typescript() {
        let mut random = Random::seeded(0);
        assert_eq!([0; 3].map(|_| random.bits32()), [1_789_933_344, 44_971_166, 2_521_387_044]);
    }
}
