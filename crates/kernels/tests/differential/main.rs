//! Every tier of every family against the oracle and against `scalar`, on sizes around words and lanes. The registry makes the
//! list: a family without a file of its name here does not compile, and a tier cannot be left out.

use lowbit_kernels::tier::Tier;

macro_rules! files {
    ($($family:ident, [$($tier:ident),*], $agreement:ident, $about:literal;)*) => { $(mod $family;)* };
}
lowbit_kernels::for_each_kernel!(files);

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
