//! Tests of what is told of a fleet.

use std::sync::Arc;

use base::fleet::Epoch;
use fleet::membership::{Event, Standing};
use fleet::registry::Registry;
use fleet::{Ring, Weights};
use gateway::remote::Assurance;
use runtime::store::Snapshot;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn member(name: &str, role: Role) -> MemberRecord {
    MemberRecord {
        name: name.to_owned(),
        role,
        address: "10.0.0.1:1".to_owned(),
        weight: 100,
        standing: Standing::founder(NOW),
        memory_bytes: 0,
    }
}

fn sight() -> Sight {
    let weights: Weights = [(MemberId(1), 100)].into();
    let ring = Ring::empty().propose(&weights).unwrap().unwrap();
    let mut registry = Registry::default();
    registry
        .members
        .insert(MemberId(1), member("node1", Role::Cache));
    registry
        .members
        .insert(MemberId(2), member("gateway1", Role::Gateway));
    registry.alive.insert(MemberId(1));
    Sight {
        me: MemberId(2),
        registry: Arc::new(registry),
        snapshot: Arc::new(Snapshot::default()),
        ring: Arc::new(ring.commit().unwrap()),
        announced: Some(Epoch(1)),
        assurance: Assurance::NONE,
        asked_at: Some(NOW),
        trouble: None,
        waiting: None,
        waits_since: None,
    }
}

#[test]
fn a_fleet_is_told_as_its_store_has_it() {
    let report = FleetReport::of(&sight(), NOW + std::time::Duration::from_millis(250));
    assert_eq!((report.member, report.ring.version), (2, 1));
    assert_eq!(report.store.age_ms, Some(250));
    assert_eq!(report.ring.reads_for_ms, 0);
    let node = &report.members[0];
    assert_eq!(
        (node.role.as_str(), node.state.as_str()),
        ("cache", "serving")
    );
    assert_eq!((node.slots, node.alive), (4096, true));
}

#[test]
fn what_a_change_waits_for_has_names_and_remedies() {
    let sight = sight();
    let silent = waits_for(&sight, &Readiness::Silence(vec![MemberId(1), MemberId(9)]));
    assert!(silent.ends_with("of node1, member 9"), "{silent}");
    let quorum = waits_for(&sight, &Readiness::Quorum { have: 1, need: 2 });
    assert!(quorum.contains("node force"), "{quorum}");
}

#[test]
fn a_gateway_that_was_let_go_has_ended() {
    let mut gateway = member("gateway1", Role::Gateway);
    gateway.standing = gateway.standing.after(Event::Drain, NOW).unwrap();
    assert_eq!(state(&gateway), "ended");
    let mut node = member("node1", Role::Cache);
    node.standing = node.standing.after(Event::Drain, NOW).unwrap();
    assert_eq!(state(&node), "drained");
}
