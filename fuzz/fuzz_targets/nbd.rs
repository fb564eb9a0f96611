//! Feeds arbitrary bytes to `nbd::nbd`.
#![no_main]

#[path = "../src/nbd.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::nbd(data));
