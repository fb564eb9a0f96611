//! Tests of what is said of certificates that cannot be used.

use std::fs;

use super::AUTHORITY_FILE;
use crate::nodes::PeerTls;

#[test]
fn what_is_missing_or_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = PeerTls::load(folder.path()).unwrap_err().to_string();
    assert!(
        missing.contains("ca.pem") && missing.contains("docs/fleet.md"),
        "{missing}"
    );
    fs::write(folder.path().join(AUTHORITY_FILE), "nothing").unwrap();
    let empty = PeerTls::load(folder.path()).unwrap_err().to_string();
    assert!(empty.contains("no certificate"), "{empty}");
}
