//! Backups restore what they held; nothing unsound is ever put in place.

use std::os::unix::fs::PermissionsExt;

use super::super::State;
use super::super::tests::add;
use super::*;

fn names(dir: &Path) -> Vec<String> {
    let tenants = State::open(dir).unwrap().tenants().unwrap();
    tenants.into_iter().map(|t| t.name).collect()
}

#[test]
fn a_backup_of_a_running_state_restores_what_it_held() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    add(&state, "acme");
    let bytes = state.backup().unwrap();
    add(&state, "later");
    drop(state);

    let file = dir.path().join("kept.backup");
    fs::write(&file, bytes).unwrap();
    let kept = restore(dir.path(), &file).unwrap();
    assert_eq!(names(dir.path()), ["acme"]);

    let other = tempfile::tempdir().unwrap();
    assert_eq!(restore(other.path(), &kept.unwrap()).unwrap(), None);
    assert_eq!(names(other.path()), ["acme", "later"]);
}

#[test]
fn a_backup_leaves_no_copy_behind() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    assert!(state.backup().unwrap().starts_with(b"SQLite format 3\0"));
    let stray = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.contains("outgoing"));
    assert_eq!(stray, None);
}

#[test]
fn a_running_state_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let file = dir.path().join("kept.backup");
    fs::write(&file, state.backup().unwrap()).unwrap();
    assert!(matches!(
        restore(dir.path(), &file),
        Err(StateError::Locked { .. })
    ));
}

#[test]
fn what_is_not_a_backup_is_refused_and_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    add(&State::open(dir.path()).unwrap(), "acme");
    let file = dir.path().join("bad.backup");
    let mut cut = State::open(dir.path()).unwrap().backup().unwrap();
    cut.truncate(cut.len() - 4096);
    for bytes in [b"not a database, surely".repeat(300), Vec::new(), cut] {
        fs::write(&file, bytes).unwrap();
        let error = restore(dir.path(), &file).unwrap_err();
        assert!(matches!(error, StateError::Unsound { .. }), "{error}");
        assert!(error.to_string().contains("bad.backup"), "{error}");
    }
    let missing = restore(dir.path(), &dir.path().join("missing"));
    assert!(matches!(missing, Err(StateError::Io { .. })));
    assert_eq!(names(dir.path()), ["acme"]);
    assert!(!dir.path().join("state.db.incoming").exists());
}

#[test]
fn a_damaged_state_can_be_replaced_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    add(&state, "acme");
    let file = dir.path().join("kept.backup");
    fs::write(&file, state.backup().unwrap()).unwrap();
    drop(state);
    fs::write(dir.path().join(STATE_FILE), b"rubbish").unwrap();
    let kept = restore(dir.path(), &file).unwrap().unwrap();
    assert_eq!(fs::read(kept).unwrap(), b"rubbish");
    assert_eq!(names(dir.path()), ["acme"]);
    let mode = fs::metadata(dir.path().join(STATE_FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
