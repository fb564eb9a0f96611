//! Feeds arbitrary bytes to `proxy_header`.
#![no_main]

#[path = "../src/proxy_header.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::proxy_header(data));
