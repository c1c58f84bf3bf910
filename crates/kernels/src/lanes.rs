//! Sums of a row of floats in one fixed order that four lanes can follow.
//!
//! `s_j` is one chain over the elements `j, j + 4, j + 8 ...` in ascending order, started at +0, and the sum is `(s_0 + s_1) + (s_2 + s_3)`: the same in plain code and in
//! vectors, and four times as short a chain as one over all.

use crate::tier::Tier;
#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
use crate::v128::{V128, f32x4_add, f32x4_load, f32x4_mul, f32x4_pmax, f32x4_splat, f32x4_store, f32x4_sub};

/// Four floats.
trait Lanes: Copy {
    fn splat(value: f32) -> Self;
    fn load(values: &[f32; 4]) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `self < other ? other : self`
    fn max(self, other: Self) -> Self;
    fn lanes(self) -> [f32; 4];
}

impl Lanes for [f32; 4] {
    fn splat(value: f32) -> Self {
        [value; 4]
    }
    fn load(values: &[f32; 4]) -> Self {
        *values
    }
    fn add(self, other: Self) -> Self {
        core::array::from_fn(|j| self[j] + other[j])
    }
    fn sub(self, other: Self) -> Self {
        core::array::from_fn(|j| self[j] - other[j])
    }
    fn mul(self, other: Self) -> Self {
        core::array::from_fn(|j| self[j] * other[j])
    }
    fn max(self, other: Self) -> Self {
        core::array::from_fn(|j| if self[j] < other[j] { other[j] } else { self[j] })
    }
    fn lanes(self) -> [f32; 4] {
        self
    }
}

#[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
impl Lanes for V128 {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        f32x4_splat(value)
    }
    #[inline(always)]
    fn load(values: &[f32; 4]) -> Self {
        f32x4_load(values)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        f32x4_add(self, other)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        f32x4_sub(self, other)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        f32x4_mul(self, other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        f32x4_pmax(self, other)
    }
    #[inline(always)]
    fn lanes(self) -> [f32; 4] {
        let mut lanes = [0.0; 4];
        f32x4_store(&mut lanes, self);
        lanes
    }
}

/// Calls `$function::<lanes>` with those of `$tier`.
macro_rules! with_lanes {
    ($tier:expr, $function:ident($($argument:expr),*)) => {
        match $tier.effective() {
            Tier::Scalar => $function::<[f32; 4]>($($argument),*),
            #[cfg(any(target_feature = "simd128", not(target_arch = "wasm32")))]
            _ => $function::<V128>($($argument),*),
            #[cfg(not(any(target_feature = "simd128", not(target_arch = "wasm32"))))]
            _ => unreachable!("a tier above the build's"),
        }
    };
}

/// The sum of `x`.
pub(crate) fn sum(tier: Tier, x: &[f32]) -> f32 {
    with_lanes!(tier, sum_with(x))
}

fn sum_with<L: Lanes>(x: &[f32]) -> f32 {
    let (fours, rest) = x.as_chunks::<4>();
    let sums = fours.iter().fold(L::splat(0.0), |sums, four| sums.add(L::load(four)));
    total(sums.lanes(), rest.iter().copied())
}

/// The sum of `(x - center)²`.
pub(crate) fn sum_of_squares(tier: Tier, x: &[f32], center: f32) -> f32 {
    with_lanes!(tier, sum_of_squares_with(x, center))
}

fn sum_of_squares_with<L: Lanes>(x: &[f32], center: f32) -> f32 {
    let (fours, rest) = x.as_chunks::<4>();
    let center_lanes = L::splat(center);
    let sums = fours.iter().fold(L::splat(0.0), |sums, four| {
        let distance = L::load(four).sub(center_lanes);
        sums.add(distance.mul(distance))
    });
    total(sums.lanes(), rest.iter().map(|x| (x - center) * (x - center)))
}

/// The largest of `x`, NaNs passed over; `-inf` where there is none. Of zeros of both signs either one.
pub(crate) fn max(tier: Tier, x: &[f32]) -> f32 {
    with_lanes!(tier, max_with(x))
}

fn max_with<L: Lanes>(x: &[f32]) -> f32 {
    let (fours, rest) = x.as_chunks::<4>();
    let largest = fours.iter().fold(L::splat(f32::NEG_INFINITY), |largest, four| largest.max(L::load(four)));
    largest.lanes().iter().chain(rest).fold(f32::NEG_INFINITY, |max, &x| if max < x { x } else { max })
}

/// Continues the lanes with what fours leave over, and adds them up.
fn total(mut lanes: [f32; 4], rest: impl Iterator<Item = f32>) -> f32 {
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}
