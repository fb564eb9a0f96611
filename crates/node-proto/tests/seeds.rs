//! Replays the seeds of the fuzz target `node`.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/node.rs"]
pub mod target;

#[test]
fn the_target_stands_all_seeds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/node");
    let mut count = 0;
    for entry in fs::read_dir(corpus).expect("the seeds are committed") {
        let path = entry.expect("a seed").path();
        target::node(&fs::read(&path).expect("a seed is a file"));
        count += 1;
    }
    assert!(count >= 10, "{count} seeds");
}
