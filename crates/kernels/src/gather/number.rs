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
    /// Whether it is no number.
    fn is_missing(self) -> bool;
    /// From the old element and the new one.
    fn combine(reduction: Reduction) -> fn(Self, Self) -> Self;
}

macro_rules! numbers {
    ($self:ident, $missing:expr, $add:expr, $mul:expr, $($t:ty),*) => { $(impl Number for $t {
        fn is_missing($self) -> bool {
            $missing
        }

        fn combine(reduction: Reduction) -> fn(Self, Self) -> Self {
            match reduction {
                Reduction::Replace => |_, new| new,
                Reduction::Add => $add,
                Reduction::Mul => $mul,
                Reduction::Min => |old, new| if new < old || new.is_missing() { new } else { old },
                Reduction::Max => |old, new| if new > old || new.is_missing() { new } else { old },
            }
        }
    })* };
}
numbers!(
    self,
    false,
    |a, b| a.wrapping_add(b),
    |a, b| a.wrapping_mul(b),
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64
);
numbers!(self, self.is_nan(), |a, b| a + b, |a, b| a * b, f32, f64);
