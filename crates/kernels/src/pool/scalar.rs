//! What a pixel's channels become, tap after tap.

use crate::buffer::Element;

/// Channels that are reduced at a time.
pub(super) const BLOCK: usize = 64;

/// An element type that can be pooled.
pub trait PoolElement: Element {
    /// Whether it has an average.
    const AVERAGES: bool;

    /// The larger of the running maximum and the next tap.
    fn larger(acc: Self, x: Self) -> Self;

    /// `y` = the maximum of the taps (at least one), each as long as `y`.
    fn max<'x>(taps: impl Iterator<Item = &'x [Self]>, y: &mut [Self]) {
        let mut first = true;
        for x in taps {
            if core::mem::take(&mut first) {
                // Through `larger`, so that a NaN of the first tap becomes the canonical one too.
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = Self::larger(x, x);
                }
            } else {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = Self::larger(*y, x);
                }
            }
        }
    }

    /// `y` = the mean of the taps; `padded` is the number of all taps and the value of those outside.
    fn average<'x>(taps: impl Iterator<Item = &'x [Self]>, padded: Option<(usize, i32)>, y: &mut [Self]);
}

impl PoolElement for f32 {
    const AVERAGES: bool = true;

    #[inline(always)]
    fn larger(acc: Self, x: Self) -> Self {
        if x.is_nan() {
            Self::from_bits(0x7fc0_0000)
        } else if acc < x {
            x
        } else {
            acc
        }
    }

    fn average<'x>(taps: impl Iterator<Item = &'x [Self]>, padded: Option<(usize, i32)>, y: &mut [Self]) {
        let mut count = 0;
        y.fill(0.0);
        for x in taps {
            count += 1;
            for (y, &x) in y.iter_mut().zip(x) {
                *y += x;
            }
        }
        let count = padded.map_or(count, |(taps, _)| taps) as Self;
        for y in y {
            *y /= count;
        }
    }
}

macro_rules! bytes {
    ($($t:ty),*) => { $(
        impl PoolElement for $t {
            const AVERAGES: bool = true;

            #[inline(always)]
            fn larger(acc: Self, x: Self) -> Self {
                acc.max(x)
            }

            fn average<'x>(taps: impl Iterator<Item = &'x [Self]>, padded: Option<(usize, i32)>, y: &mut [Self]) {
                let mut sums = [0_i32; BLOCK];
                let mut count = 0;
                for x in taps {
                    count += 1;
                    for (sum, &x) in sums.iter_mut().zip(x) {
                        *sum += i32::from(x);
                    }
                }
                let (total, outside) = padded.map_or((count, 0), |(taps, value)| (taps, value * (taps - count) as i32));
                for (y, sum) in y.iter_mut().zip(sums) {
                    // A mean of values of the type lies in its range.
                    *y = ((sum + outside) as f32 / total as f32).round_ties_even() as Self;
                }
            }
        }
    )* };
}
bytes!(i8, u8);

impl PoolElement for i32 {
    const AVERAGES: bool = false;

    #[inline(always)]
    fn larger(acc: Self, x: Self) -> Self {
        acc.max(x)
    }

    fn average<'x>(_: impl Iterator<Item = &'x [Self]>, _: Option<(usize, Self)>, _: &mut [Self]) {
        unreachable!("refused by Pool::run")
    }
}
