//! Every tier of one family against the oracle: of the family that `LOWBIT_FUZZ` names, or of whichever the first byte picks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| match std::env::var("LOWBIT_FUZZ") {
    Ok(family) => lowbit_fuzz::check(&family, data),
    Err(_) => lowbit_fuzz::check_any(data),
});
