//! Replays the seeds of the fuzz targets: no panic, and pieces do not matter.

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
pub mod fuzz;

/// Runs every seed of a target through it; there must be some.
fn replay(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let entries = fs::read_dir(corpus.join(target)).expect("the seeds are committed");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("a seed").path();
        run(&fs::read(&path).expect("a seed is a file"));
        count += 1;
    }
    assert!(count >= 5, "{count} seeds of {target}");
}

#[test]
fn text() {
    replay("text", fuzz::text);
}

#[test]
fn binary() {
    replay("binary", fuzz::binary);
}

#[test]
fn auth() {
    replay("auth", fuzz::auth);
}

#[test]
fn replies() {
    replay("replies", fuzz::replies);
}

#[test]
fn each_target_stands_the_seeds_of_the_others() {
    for target in ["text", "binary", "auth", "replies"] {
        for run in [fuzz::text, fuzz::binary, fuzz::auth, fuzz::replies] {
            replay(target, run);
        }
    }
}
