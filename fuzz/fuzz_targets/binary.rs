//! Feeds arbitrary bytes to `fuzz::binary`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::binary(data));
