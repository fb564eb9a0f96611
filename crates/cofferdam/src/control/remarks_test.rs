//! What the configuration leaves open is as the last daemon had it.

use std::sync::Arc;

use super::*;
use crate::control::{Control, NoPlane};

const MIB: u64 = 1 << 20;

/// The state after a daemon ran with 8 MiB, items of 64 KiB, and two servers.
fn state(dir: &std::path::Path) -> State {
    let sizes = Sizes {
        memory_bytes: 8 * MIB,
        item_size_max: 64 << 10,
    };
    let servers = vec!["a:1".to_owned(), "b:2".to_owned()];
    let control = Control::new(State::open(dir).unwrap(), Arc::new(NoPlane), sizes, servers);
    control.restore().unwrap();
    drop(control);
    State::open(dir).unwrap()
}

#[test]
fn what_is_not_configured_is_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (sizes, servers) = last_in_force(&state(dir.path()), &Config::default()).unwrap();
    assert_eq!(
        (sizes.memory_bytes, sizes.item_size_max),
        (8 * MIB, 64 << 10)
    );
    assert_eq!(servers, ["a:1", "b:2"]);
}

#[test]
fn what_is_configured_goes_before() {
    let dir = tempfile::tempdir().unwrap();
    let text = "memory = \"9MiB\"\nitem_size = \"2MiB\"\n[listen]\nadvertise = [\"c:3\"]";
    let config = Config::parse(text).unwrap();
    let (sizes, servers) = last_in_force(&state(dir.path()), &config).unwrap();
    assert_eq!(
        (sizes.memory_bytes, sizes.item_size_max),
        (9 * MIB, 2 << 20)
    );
    assert_eq!(servers, ["c:3"]);
}

#[test]
fn a_state_that_no_daemon_has_used_goes_by_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let config = Config::default();
    let (sizes, servers) = last_in_force(&state, &config).unwrap();
    assert_eq!(sizes.memory_bytes, config.memory_bytes());
    assert_eq!(servers, ["127.0.0.1:11212"]);
}

#[test]
fn a_reload_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let first = Sizes {
        memory_bytes: 8 * MIB,
        item_size_max: 1 << 20,
    };
    let state = State::open(dir.path()).unwrap();
    let control = Control::new(state, Arc::new(NoPlane), first, vec!["a:1".to_owned()]);
    control.restore().unwrap();
    let second = Sizes {
        memory_bytes: 10 * MIB,
        ..first
    };
    control.configure(second, vec!["d:4".to_owned()]).unwrap();
    drop(control);
    let state = State::open(dir.path()).unwrap();
    let (sizes, servers) = last_in_force(&state, &Config::default()).unwrap();
    assert_eq!((sizes, servers), (second, vec!["d:4".to_owned()]));
}
