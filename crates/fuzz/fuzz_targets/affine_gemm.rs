//! Every tier of affine_gemm.
#![no_main]

use lowbit_fuzz::AffineCase;

libfuzzer_sys::fuzz_target!(|case: AffineCase<'_>| case.check());
