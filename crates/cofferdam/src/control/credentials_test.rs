//! What ended and could not be saved stays ended, and is saved when that is possible.

use std::sync::Arc;

use base::CredentialId;
use runtime::state::State;

use super::Control;
use crate::control::Sizes;
use crate::fake_plane::{FakePlane, MIB};
use crate::plane::DataPlane;
use crate::wire::{CredentialRequest, TenantRequest};

/// A tenant with two credentials, the later one primary; what there is in the state of them.
fn state_of_two() -> (tempfile::TempDir, Vec<(CredentialId, String)>) {
    let dir = tempfile::tempdir().unwrap();
    let (_, control) = FakePlane::with_control(dir.path());
    control
        .add(&TenantRequest {
            name: "acme".into(),
            memory_bytes: 16 * MIB,
            item_size_bytes: None,
            gateways: None,
        })
        .unwrap();
    let rotate = CredentialRequest {
        rights: None,
        primary: true,
    };
    control.add_credential("acme", &rotate).unwrap();
    drop(control);
    let state = State::open(dir.path()).unwrap();
    let all = state.credentials().unwrap();
    (dir, all.into_iter().map(|c| (c.id, c.username)).collect())
}

/// A successor that was told that `ended` have ended.
fn successor(dir: &std::path::Path, ended: Vec<CredentialId>) -> (Arc<FakePlane>, Control) {
    let plane = Arc::new(FakePlane {
        memory_bytes: 64 * MIB,
        ..FakePlane::default()
    });
    let sizes = Sizes {
        memory_bytes: 64 * MIB,
        item_size_max: 1 << 20,
    };
    let shared = Arc::clone(&plane) as Arc<dyn DataPlane>;
    let control = Control::new(State::open(dir).unwrap(), shared, sizes, Vec::new());
    control.cut_off(ended);
    control.restore().unwrap();
    (plane, control)
}

#[test]
fn what_a_predecessor_could_not_save_is_not_let_in_and_not_shown() {
    let (dir, all) = state_of_two();
    let [(old, old_name), (new, new_name)] = <[_; 2]>::try_from(all).unwrap();
    let (plane, control) = successor(dir.path(), vec![new]);
    assert!(plane.directory.lock().unwrap().is_live(old));
    assert!(!plane.directory.lock().unwrap().is_live(new));
    let shown = control.credentials("acme").unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].username, old_name);
    assert_eq!(control.show("acme").unwrap().credentials, shown);
    let told = control.release_state();
    assert!(told.is_empty(), "it could be saved: {told:?}");

    let state = State::open(dir.path()).unwrap();
    let left = state.credentials().unwrap();
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].username, new_name);
    assert!(left[0].primary, "what remains takes over");
}

#[test]
fn one_that_is_not_there_any_more_is_forgotten() {
    let (dir, all) = state_of_two();
    let (_, control) = successor(dir.path(), vec![CredentialId(4711), all[0].0]);
    control.remove("acme").unwrap();
    assert!(control.release_state().is_empty());
}
