//! Every tier of ternary_gemm against the oracle.
#![no_main]

use lowbit_fuzz::TernaryCase;

libfuzzer_sys::fuzz_target!(|case: TernaryCase<'_>| case.check());
