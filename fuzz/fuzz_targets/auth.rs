//! Feeds arbitrary bytes to `fuzz::auth`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::auth(data));
