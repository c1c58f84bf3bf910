//! Maps with one set of coefficients per channel, normalization of rows, and softmax. x and y are `[rows, C]`, channels last.
//!
//! Every step is one rounded f32 operation in the order written, or a call of the portable `libm`, so all tiers and engines give the same
//! bits; the plain loops are vectorised by the compiler. A NaN gives a NaN.

mod channel;
#[cfg(any(test, feature = "testing"))]
pub mod naive;
mod planes;
mod response;
mod rows;
mod softmax;

pub use channel::{BatchNorm, ChannelAffine};
pub use planes::{PlaneNorm, channel_norm, channel_statistics, statistics};
pub use response::local_response;
pub use rows::RowNorm;
pub use softmax::softmax;
