//! Replays the seeds of the fuzz target `proxy_header`.

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/proxy_header.rs"]
pub mod target;

#[test]
fn proxy_header() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/proxy_header");
    let entries = fs::read_dir(corpus).expect("the seeds are committed");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("a seed").path();
        target::proxy_header(&fs::read(&path).expect("a seed is a file"));
        count += 1;
    }
    assert!(count >= 10, "{count} seeds");
}
