//! Every tier of codebook_gemm.
#![no_main]

use lowbit_fuzz::CodebookCase;

libfuzzer_sys::fuzz_target!(|case: CodebookCase<'_>| case.check());
