//! f32 operators that treat each element alone, and arithmetic of two tensors with broadcasting.
//!
//! Every step is one IEEE operation, or one call of the portable `libm`, so all tiers and engines give the same bits. A NaN argument
//! gives a NaN (its payload is not fixed), except in [`sign`]. Loops this plain are vectorised by the compiler.

mod broadcast;
mod gated;
#[cfg(any(test, feature = "testing"))]
pub mod naive;

pub(crate) use broadcast::MAX_AXES;
pub use broadcast::{Binary, BinaryOp};
pub use gated::{gelu, gelu_tanh, silu};

/// `y = y < low ? low : y > high ? high : y`; a NaN stays, and -0 passes a bound of +0.
pub fn clip(y: &mut [f32], low: f32, high: f32) {
    for y in y {
        let above = if *y < low { low } else { *y };
        *y = if high < above { high } else { above };
    }
}

/// `y = y < 0 ? y * alpha : y`
pub fn leaky_relu(y: &mut [f32], alpha: f32) {
    for y in y {
        *y = if *y < 0.0 { *y * alpha } else { *y };
    }
}

/// `y = 1 / (1 + exp(-y))`
pub fn sigmoid(y: &mut [f32]) {
    for y in y {
        *y = 1.0 / (1.0 + libm::expf(-*y));
    }
}

/// `y = tanh(y)`
pub fn tanh(y: &mut [f32]) {
    for y in y {
        *y = libm::tanhf(*y);
    }
}

/// `y = y > 0 ? 1 : y < 0 ? -1 : 0`; NaN and both zeros give +0 (ONNX `Sign`).
pub fn sign(y: &mut [f32]) {
    for y in y {
        *y = f32::from(*y > 0.0) - f32::from(*y < 0.0);
    }
}
