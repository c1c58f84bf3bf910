//! Every tier of xnor_gemm against the oracle.
#![no_main]

use lowbit_fuzz::XnorCase;

libfuzzer_sys::fuzz_target!(|case: XnorCase<'_>| case.check());
