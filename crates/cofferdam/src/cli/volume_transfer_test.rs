//! Which files are qcow2, and what is told of those that are not there.

use super::*;

#[test]
fn the_name_tells_the_format() {
    assert!(is_qcow2(Path::new("/a/disk.qcow2")));
    assert!(!is_qcow2(Path::new("/a/qcow2")));
    assert!(!is_qcow2(Path::new("/a/disk.raw")));
}

#[test]
fn what_is_no_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let told = raw_size(dir.path()).unwrap_err().to_string();
    assert!(told.contains("is no file"), "{told}");
    let gone = dir.path().join("gone");
    let told = raw_size(&gone).unwrap_err().to_string();
    assert!(told.contains("gone"), "{told}");
}
