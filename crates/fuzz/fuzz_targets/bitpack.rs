//! Every tier of bitpack against the oracle.
#![no_main]

use lowbit_fuzz::BitpackCase;

libfuzzer_sys::fuzz_target!(|case: BitpackCase| case.check());
