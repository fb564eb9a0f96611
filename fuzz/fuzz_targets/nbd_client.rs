//! Feeds arbitrary bytes to `nbd::nbd_client`.
#![no_main]

#[path = "../src/nbd.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::nbd_client(data));
