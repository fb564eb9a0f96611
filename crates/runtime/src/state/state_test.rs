//! The state through its handle: reopening, locking, names and numbers.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base::Rights;

use super::*;

fn new_tenant(name: &str) -> NewTenant {
    NewTenant {
        name: name.into(),
        quota_bytes: 64 << 20,
        item_size_max: 1 << 20,
    }
}

pub(super) fn new_credential(username: &str) -> NewCredential {
    NewCredential {
        username: username.into(),
        salt: [1; 16],
        password_sha256: [2; 32],
        rights: Rights::ALL,
        primary: true,
    }
}

pub(super) fn add(state: &State, name: &str) -> (TenantRecord, CredentialRecord) {
    state
        .add_tenant(new_tenant(name), new_credential(name))
        .unwrap()
}

#[test]
fn what_was_added_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let (tenant, credential) = add(&state, "acme");
    assert_eq!(tenant.name, "acme");
    assert_eq!(tenant.quota_bytes, 64 << 20);
    assert!(tenant.created_unix_s > 1_600_000_000);
    drop(state);
    let state = State::open(dir.path()).unwrap();
    assert_eq!(state.tenants().unwrap(), [tenant]);
    assert_eq!(state.credentials().unwrap(), [credential]);
}

#[test]
fn numbers_begin_behind_default_and_are_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let (first, first_credential) = add(&state, "acme");
    assert!(first.id > DEFAULT_TENANT);
    state.remove_tenant(first.id).unwrap();
    assert!(state.credentials().unwrap().is_empty());
    drop(state);
    let state = State::open(dir.path()).unwrap();
    let (second, second_credential) = add(&state, "acme");
    assert!(second.id > first.id);
    assert!(second_credential.id > first_credential.id);
}

#[test]
fn a_second_opener_is_told_who_has_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let _state = State::open(dir.path()).unwrap();
    let error = State::open(dir.path()).unwrap_err();
    let own = std::process::id();
    assert!(matches!(&error, StateError::Locked { pid, .. } if *pid == Some(own)));
    assert!(error.to_string().contains("--data-dir"), "{error}");
}

#[test]
fn a_name_is_taken_once_and_a_failed_addition_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    add(&state, "acme");
    let again = state.add_tenant(new_tenant("acme"), new_credential("other"));
    assert!(matches!(again, Err(StateError::NameTaken(name)) if name == "acme"));
    let same_user = state.add_tenant(new_tenant("other"), new_credential("acme"));
    assert!(matches!(same_user, Err(StateError::NameTaken(name)) if name == "acme"));
    assert_eq!(state.tenants().unwrap().len(), 1);
    assert_eq!(state.credentials().unwrap().len(), 1);
}

#[test]
fn a_new_primary_takes_the_place_of_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let (tenant, first) = add(&state, "acme");
    let second = state
        .add_credential(tenant.id, new_credential("acme-2"))
        .unwrap();
    let primaries = |state: &State| -> Vec<String> {
        let all = state.credentials().unwrap();
        all.into_iter()
            .filter(|c| c.primary)
            .map(|c| c.username)
            .collect()
    };
    assert_eq!(primaries(&state), ["acme-2"]);
    state.promote(first.id).unwrap();
    assert_eq!(primaries(&state), ["acme"]);
    state.revoke(first.id).unwrap();
    assert!(primaries(&state).is_empty());
    assert!(matches!(state.promote(first.id), Err(StateError::Gone)));
    assert!(matches!(state.revoke(first.id), Err(StateError::Gone)));
    assert_eq!(state.credentials().unwrap()[0].id, second.id);
    let mut ever = state.usernames().unwrap();
    ever.sort();
    assert_eq!(ever, ["acme", "acme-2"], "the revoked one too");
}

#[test]
fn a_revoked_username_is_free_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let (tenant, first) = add(&state, "acme");
    state.revoke(first.id).unwrap();
    let second = state
        .add_credential(tenant.id, new_credential("acme"))
        .unwrap();
    assert!(second.id > first.id);
}

#[test]
fn limits_change_and_rights_survive() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let (tenant, _) = add(&state, "acme");
    let unlimited = TrafficLimits::default();
    state
        .set_limits(tenant.id, 5 << 30, 1 << 30, unlimited)
        .unwrap();
    let read_only = NewCredential {
        rights: Rights {
            read: true,
            ..Rights::NONE
        },
        primary: false,
        ..new_credential("acme-ro")
    };
    state.add_credential(tenant.id, read_only.clone()).unwrap();
    let kept = &state.tenants().unwrap()[0];
    assert_eq!((kept.quota_bytes, kept.item_size_max), (5 << 30, 1 << 30));
    assert_eq!(state.credentials().unwrap()[1].rights, read_only.rights);
}

#[test]
fn changes_to_what_is_gone_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let nobody = TenantId(99);
    assert!(matches!(
        state.set_limits(nobody, 1, 1, TrafficLimits::default()),
        Err(StateError::Gone)
    ));
    assert!(matches!(state.remove_tenant(nobody), Err(StateError::Gone)));
    let added = state.add_credential(nobody, new_credential("x"));
    assert!(matches!(added, Err(StateError::Gone)));
}

#[test]
fn remarks_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    assert_eq!(state.remark("memory").unwrap(), None);
    state.set_remark("memory", "1".into()).unwrap();
    state.set_remark("memory", "2".into()).unwrap();
    assert_eq!(state.remark("memory").unwrap().as_deref(), Some("2"));
}

#[test]
fn a_new_directory_and_its_files_are_private() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("a/b");
    let _state = State::open(&dir).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join(STATE_FILE)), 0o600);
    assert_eq!(mode(&dir.join("lock")), 0o600);
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(STATE_FILE), [b'x'; 4096]).unwrap();
    let error = State::open(dir.path()).unwrap_err();
    assert!(matches!(error, StateError::Unsound { .. }), "{error}");
    assert!(error.to_string().contains("state.db"), "{error}");
}
