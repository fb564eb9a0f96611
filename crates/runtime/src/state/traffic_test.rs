//! Limits of traffic through the state's handle: kept, changed with the others, gone with a tenant.

use std::time::Duration;

use base::{TenantId, TrafficLimits};

use crate::state::tests::add;
use crate::state::{DEFAULT_TENANT, State, StateError};

fn all_set() -> TrafficLimits {
    TrafficLimits {
        ops_per_second: Some(u64::MAX >> 1),
        bytes_in_per_second: Some(1),
        bytes_out_per_second: Some(3 << 40),
        burst: Duration::from_millis(250),
        weight: TrafficLimits::WEIGHT_MAX,
        connections: Some(u32::MAX),
        connects_per_second: Some(7),
        inflight_bytes: Some(64 << 20),
        max_delay: Duration::ZERO,
        hot_keys: Some(Duration::from_secs(1)),
    }
}

#[test]
fn a_tenant_begins_without_limits_and_keeps_those_it_gets() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let (tenant, _) = add(&state, "acme");
    assert_eq!(tenant.traffic, TrafficLimits::default());
    state
        .set_limits(tenant.id, 5 << 20, 1024, all_set())
        .unwrap();
    drop(state);
    let state = State::open(dir.path()).unwrap();
    let kept = &state.tenants().unwrap()[0];
    assert_eq!((kept.quota_bytes, kept.item_size_max), (5 << 20, 1024));
    assert_eq!(kept.traffic, all_set());
    let one = TrafficLimits {
        weight: 50,
        ..TrafficLimits::default()
    };
    state.set_limits(tenant.id, 5 << 20, 1024, one).unwrap();
    assert_eq!(state.tenants().unwrap()[0].traffic, one);
}

#[test]
fn default_has_limits_without_being_a_tenant_of_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    assert_eq!(
        state.traffic_of_default().unwrap(),
        TrafficLimits::default()
    );
    state.set_traffic_of_default(all_set()).unwrap();
    drop(state);
    let state = State::open(dir.path()).unwrap();
    assert_eq!(state.traffic_of_default().unwrap(), all_set());
    assert!(state.tenants().unwrap().is_empty());
    state
        .set_traffic_of_default(TrafficLimits::default())
        .unwrap();
    assert_eq!(
        state.traffic_of_default().unwrap(),
        TrafficLimits::default()
    );
}

#[test]
fn nobody_inherits_the_limits_of_a_removed_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let (old, _) = add(&state, "acme");
    state.set_limits(old.id, 5 << 20, 1024, all_set()).unwrap();
    state.remove_tenant(old.id).unwrap();
    let (new, _) = add(&state, "acme");
    assert_eq!(new.traffic, TrafficLimits::default());
    let rows = state.ask(|store| super::read(store.connection())).unwrap();
    assert!(rows.is_empty());
}

#[test]
fn limits_of_nobody_leave_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path()).unwrap();
    let changed = state.set_limits(TenantId(99), 5 << 20, 1024, all_set());
    assert!(matches!(changed, Err(StateError::Gone)));
    let rows = state.ask(|store| super::read(store.connection())).unwrap();
    assert!(rows.is_empty());
    assert_ne!(DEFAULT_TENANT, TenantId(99));
}
