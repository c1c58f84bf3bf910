//! pq_scan against the oracle.
#![no_main]

use lowbit_fuzz::PqCase;

libfuzzer_sys::fuzz_target!(|case: PqCase<'_>| case.check());
