//! Every tier of convolution, depthwise convolution and pooling.
#![no_main]

use lowbit_fuzz::WindowCase;

libfuzzer_sys::fuzz_target!(|case: WindowCase<'_>| case.check());
