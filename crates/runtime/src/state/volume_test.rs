//! Volumes are kept with their terms, and a number is never given twice.

use super::super::State;
use super::*;

fn new(name: &str) -> NewVolume {
    NewVolume {
        tenant: super::super::DEFAULT_TENANT,
        name: name.to_owned(),
        size_bytes: 1 << 40,
        journal_bytes: 1 << 25,
        shared: true,
    }
}

#[test]
fn a_volume_is_kept_as_it_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let made = state.add_volume(new("data")).unwrap();
    assert_eq!(made.size_bytes, 1 << 40);
    let limits = VolumeLimits {
        iops: Some(500),
        bytes_per_second: None,
    };
    state.set_volume_limits(made.id, limits).unwrap();
    drop(state);
    let state = State::open(dir.path()).unwrap();
    assert_eq!(state.volumes().unwrap(), [VolumeRecord { limits, ..made }]);
}

#[test]
fn names_are_unique_and_numbers_are_not_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let first = state.add_volume(new("data")).unwrap();
    let again = state.add_volume(new("data"));
    assert!(matches!(again, Err(StateError::NameTaken(name)) if name == "data"));
    let elsewhere = NewVolume {
        tenant: TenantId(7),
        ..new("data")
    };
    let second = state.add_volume(elsewhere).unwrap();
    state.remove_volume(second.id).unwrap();
    assert!(matches!(
        state.remove_volume(second.id),
        Err(StateError::Gone)
    ));
    let third = state.add_volume(new("more")).unwrap();
    assert!(first.id < second.id && second.id < third.id);
}
