//! Tokens are made once and stay private; files are written whole.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_token_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(ADMIN_TOKEN);
    let made = token(&path).unwrap();
    assert!(made.len() >= 26);
    assert_eq!(token(&path).unwrap(), made);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_is_no_token_is_not_accepted_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(ADMIN_TOKEN);
    for text in ["", "\n", "short", "two words that are long enough"] {
        fs::write(&path, text).unwrap();
        assert!(token(&path).is_err(), "{text:?}");
    }
}

#[test]
fn a_private_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backup");
    fs::write(&path, "old").unwrap();
    write_private(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let error = write_private(&dir.path().join("missing/backup"), b"x").unwrap_err();
    assert!(error.to_string().contains("missing/backup"));
}

#[test]
fn a_copy_does_not_go_into_the_data_folder_or_over_another_file() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    fs::create_dir_all(data.join("deeper")).unwrap();
    fs::write(data.join("state.db"), "state").unwrap();
    std::os::unix::fs::symlink(&data, root.path().join("alias")).unwrap();
    for inside in ["data/state.db", "data/new", "alias/lock", "data/deeper/new"] {
        let error = check_target(&root.path().join(inside), &data, true).unwrap_err();
        assert!(error.to_string().contains("data folder"), "{error}");
    }
    let file = root.path().join("backup");
    check_target(&file, &data, false).unwrap();
    fs::write(&file, "old").unwrap();
    let error = check_target(&file, &data, false).unwrap_err();
    assert!(error.to_string().contains("--force"), "{error}");
    check_target(&file, &data, true).unwrap();
    assert!(check_target(&root.path().join("missing/backup"), &data, false).is_err());
}
