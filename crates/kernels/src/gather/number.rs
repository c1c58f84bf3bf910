//! What a scattered element does to the one that is there.

use crate::buffer::Element;

/// How two elements become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The new one.
    Replace,
    /// Their sum; integers modulo 2^bits.
    Add,
    /// Their product; integers modulo 2^bits.
    Mul,
    /// The smaller; NaN where one is.
    Min,
    /// The larger; NaN where one is.
    Max,
}

/// Types that are added and compared.
pub trait Number: Element {
    /// From the old element and the new one.
    fn combine(reduction: Reduction) -> fn(Self, Self) -> Self;
}

macro_rules! numbers {
    ($add:expr, $mul:expr, $($t:ty),*) => { $(impl Number for $t {
        fn combine(reduction: Reduction) -> fn(Self, Self) -> Self {
            match reduction {
                Reduction::Replace => |_, new| new,
                Reduction::Add => $add,
                Reduction::Mul => $mul,
                // The second comparison is true of a NaN alone.
                #[allow(clippy::eq_op)]
                Reduction::Min => |old, new| if new < old || new != new { new } else { old },
                #[allow(clippy::eq_op)]
                Reduction::Max => |old, new| if new > old || new != new { new } else { old },
            }
        }
    })* };
}
numbers!(|a, b| a.wrapping_add(b), |a, b| a.wrapping_mul(b), i8, u8, i16, u16, i32, u32, i64, u64);
numbers!(|a, b| a + b, |a, b| a * b, f32, f64);
