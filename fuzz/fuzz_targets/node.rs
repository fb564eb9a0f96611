//! Feeds arbitrary bytes to `node::node`.
#![no_main]

#[path = "../src/node.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::node(data));
