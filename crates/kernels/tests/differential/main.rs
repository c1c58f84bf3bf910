//! Every tier of every family against the oracle and against `scalar`, on sizes around words and lanes. The registry makes the
//! list: a family without a module of its name here does not compile, and a tier cannot be left out.

mod affine_gemm;
mod bitpack;
mod codebook_gemm;
mod convert;
mod depthwise;
mod elementwise;
mod gemm_f32;
mod hamming;
mod normalize;
mod pool;
mod pq_fast_scan;
mod pq_scan;
mod pq_tables;
mod quantize;
mod ternary_gemm;
mod transform;
mod xnor_gemm;

use lowbit_kernels::tier::Tier;

macro_rules! tests {
    ($($family:ident, [$($tier:ident),*], $agreement:ident, $about:literal;)*) => { $(
        mod $family {
            $(
                #[test]
                fn $tier() {
                    crate::check($crate::$family::check, lowbit_kernels::tier::Tier::$tier);
                }
            )*
        }
    )* };
}

/// Runs a family's check where the build holds the tier, which natively is always so.
fn check(family: fn(Tier), tier: Tier) {
    assert!(tier.is_available(), "{tier} is not in this build");
    family(tier);
}

mod every {
    use lowbit_kernels::for_each_kernel;
    for_each_kernel!(tests);
}
