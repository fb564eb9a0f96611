//! Tests of who may be tested.

use std::sync::Arc;

use fleet::membership::{Event, Standing};
use fleet::registry::{alive_key, member_key};
use runtime::Clock;
use runtime::state::State;
use runtime::store::{Change, LocalStore};

use super::*;

const T0: Timestamp = Timestamp::from_secs(1_000_000);

fn node(standing: Standing) -> MemberRecord {
    MemberRecord {
        name: "mc7".to_owned(),
        role: Role::Cache,
        address: "10.0.0.7:8322".to_owned(),
        weight: 100,
        standing,
        memory_bytes: 0,
    }
}

#[test]
fn a_node_is_found_by_its_address_and_by_its_name_and_a_gateway_by_neither() {
    let mut registry = Registry::default();
    let gateway = MemberRecord {
        name: "gateway1".to_owned(),
        role: Role::Gateway,
        ..node(Standing::new(T0))
    };
    registry.members.insert(MemberId(1), gateway);
    registry
        .members
        .insert(MemberId(7), node(Standing::new(T0)));
    for wanted in ["10.0.0.7:8322", "mc7"] {
        let found = find(&registry, wanted).map(|(id, _)| id);
        assert_eq!(found, Ok(MemberId(7)));
    }
    assert!(find(&registry, "gateway1").is_err());
    let why = find(&registry, "10.0.0.8:8322").unwrap_err();
    assert!(
        why.contains("no node of this fleet is at 10.0.0.8:8322"),
        "{why}"
    );
}

#[test]
fn only_who_has_not_passed_is_tested() {
    let quarantined = Standing::new(T0);
    assert_eq!(why_not(&node(quarantined)), None);
    let passed = quarantined.after(Event::Passed, T0).unwrap();
    assert!(why_not(&node(passed)).unwrap().contains("on its way in"));
    let drained = quarantined.after(Event::Drain, T0).unwrap();
    assert!(why_not(&node(drained)).unwrap().contains("readmit"));
    let serving = Standing::founder(T0);
    assert!(why_not(&node(serving)).unwrap().contains("by probation"));
}

#[test]
fn what_a_gateway_did_that_keeps_the_gate_no_more_is_done_by_nobody() {
    let mut registry = Registry::default();
    let gateway = |name: &str| MemberRecord {
        name: name.to_owned(),
        role: Role::Gateway,
        ..node(Standing::founder(T0))
    };
    registry.members.insert(MemberId(1), gateway("gateway1"));
    registry.members.insert(MemberId(2), gateway("gateway2"));
    let report = GateReport {
        keeper: "gateway1".to_owned(),
        ..GateReport::default()
    };
    assert!(!is_kept(&report, &registry));
    registry.steward = Some(MemberId(1));
    assert!(is_kept(&report, &registry));
    registry.steward = Some(MemberId(2));
    assert!(!is_kept(&report, &registry));
}

#[test]
fn a_node_that_has_just_joined_is_tested_through_a_gateway_that_has_not_heard_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        let state = State::open(&dir.path().join(name)).unwrap();
        LocalStore::new(Arc::new(state), Clock::new()).unwrap()
    };
    let (fleet, room) = (open("fleet"), open("room"));
    let ask = || wish(&fleet, &room, "mc7", T0).map_err(|failure| failure.to_string());
    let why = ask().unwrap_err();
    assert!(why.contains("no node of this fleet is at mc7"), "{why}");
    let record = serde_json::to_vec(&node(Standing::new(T0))).unwrap();
    let joined = Change::default().put(&member_key(MemberId(7)), record);
    fleet.commit(&joined).unwrap();
    assert_eq!(ask().unwrap_err(), "mc7 does not run");
    let runs = Change::default().put(&alive_key(MemberId(7)), "1");
    fleet.commit(&runs).unwrap();
    let asked = ask().unwrap();
    assert_eq!((asked.name.as_str(), asked.after), ("mc7", 0));
}
