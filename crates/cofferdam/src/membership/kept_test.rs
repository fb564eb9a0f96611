//! Tests of what survives a restart.

use super::*;

#[test]
fn what_was_kept_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fleet.json");
    assert_eq!(Kept::read(&path), None);
    let mut kept = Kept::new("main", "node1", MemberId(4), vec![7, 8]);
    let snapshot = Snapshot {
        revision: Revision(12),
        entries: vec![Entry {
            key: "ring".to_owned(),
            value: b"{}".to_vec(),
            revision: Revision(3),
        }],
    };
    kept.keep(&snapshot);
    kept.write(&path).unwrap();
    let read = Kept::read(&path).unwrap();
    assert_eq!((&read, read.member()), (&kept, MemberId(4)));
    assert_eq!(read.snapshot(), snapshot);
    std::fs::write(&path, b"{").unwrap();
    assert_eq!(Kept::read(&path), None);
}
