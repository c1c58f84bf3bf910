//! One value at a time: the specification.

use super::Signs;

pub(super) struct Scalar;

/// Bit i is `set(x[i])`.
fn bits<T: Copy>(x: &[T], set: impl Fn(T) -> bool) -> u32 {
    x.iter().enumerate().fold(0, |word, (i, x)| word | u32::from(set(*x)) << i)
}

impl Signs for Scalar {
    fn trits(x: &[f32]) -> (u32, u32) {
        (Self::signs(x), bits(x, |x| x.abs() > 0.0))
    }

    fn signs(x: &[f32]) -> u32 {
        bits(x, |x| x < 0.0)
    }

    fn signs_int8(x: &[u8], flip: u8, zero_point: i8) -> u32 {
        bits(x, |x| ((x ^ flip) as i8) < zero_point)
    }

    fn plane(x: &[u8], bit: u32) -> u32 {
        bits(x, |x| x >> bit & 1 == 0)
    }

    fn unpack(signs: u32, nonzero: u32, y: &mut [f32]) {
        for (i, y) in y.iter_mut().enumerate() {
            let sign = if signs >> i & 1 == 1 { -1.0 } else { 1.0 };
            *y = if nonzero >> i & 1 == 1 { sign } else { 0.0 };
        }
    }
}
