//! hamming against the oracle.
#![no_main]

use lowbit_fuzz::HammingCase;

libfuzzer_sys::fuzz_target!(|case: HammingCase<'_>| case.check());
