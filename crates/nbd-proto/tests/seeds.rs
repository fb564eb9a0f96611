//! Replays the seeds of the fuzz targets `nbd` and `nbd_client`.

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/nbd.rs"]
pub mod target;

fn replay(name: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let entries = fs::read_dir(corpus.join(name)).expect("the seeds are committed");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("a seed").path();
        run(&fs::read(&path).expect("a seed is a file"));
        count += 1;
    }
    assert!(count >= 5, "{count} seeds of {name}");
}

#[test]
fn each_target_stands_all_seeds() {
    for corpus in ["nbd", "nbd_client"] {
        replay(corpus, target::nbd);
        replay(corpus, target::nbd_client);
    }
}
