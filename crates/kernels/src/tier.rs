//! The three builds of every family.

use core::fmt;

/// A set of instructions that a build may use. Higher tiers contain the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// Plain Rust on packed data: the specification.
    Scalar = 0,
    /// Fixed-width 128-bit SIMD.
    Simd128 = 1,
    /// Relaxed SIMD, used only on operands for which its result is fixed.
    Relaxed = 2,
}

impl Tier {
    /// The highest tier of this WASM build. Natively `Scalar`: there the vector tiers exist to be tested.
    pub const BUILD: Self = if cfg!(target_feature = "relaxed-simd") {
        Self::Relaxed
    } else if cfg!(target_feature = "simd128") {
        Self::Simd128
    } else {
        Self::Scalar
    };

    /// All of them, lowest first.
    pub const ALL: [Self; 3] = [Self::Scalar, Self::Simd128, Self::Relaxed];

    /// Whether this build holds the tier's code (natively: all, over the stand-ins of [`crate::v128`]).
    pub const fn is_available(self) -> bool {
        !cfg!(target_arch = "wasm32") || self as u8 <= Self::BUILD as u8
    }

    /// The name that users see and give.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Simd128 => "simd128",
            Self::Relaxed => "relaxed",
        }
    }

    /// `self` where a caller may choose (natively, and in builds with the feature `testing`), else the constant
    /// [`Tier::BUILD`], so that the compiler drops the code of the lower tiers from a shipped build.
    #[must_use]
    pub const fn effective(self) -> Self {
        if cfg!(any(not(target_arch = "wasm32"), feature = "testing")) { self } else { Self::BUILD }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
