//! The generator of seeded choices, the same numbers as `packages/core/src/quantize/random.ts`: xoshiro128** (Blackman, Vigna, 2018), its state filled by splitmix32.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random([u32; 4]);

impl Random {
    /// From any seed.
    pub fn new(seed: u32) -> Self {
        let mut s = seed;
        Self([0; 4].map(|_: u32| {
            s = s.wrapping_add(0x9e37_79b9);
            let z = (s ^ (s >> 16)).wrapping_mul(0x21f0_aaad);
            let z = (z ^ (z >> 15)).wrapping_mul(0x735a_2d97);
            z ^ (z >> 15)
        }))
    }

    /// The next 32 bits.
    #[inline(always)]
    pub fn bits32(&mut self) -> u32 {
        let s = &mut self.0;
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
        let mut random = Random::new(0);
        assert_eq!([0; 3].map(|_| random.bits32()), [1_789_933_344, 44_971_166, 2_521_387_044]);
    }
}
