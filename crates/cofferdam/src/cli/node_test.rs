//! Tests of what an operator reads of a fleet.

use super::*;
use crate::wire::{RingReport, StoreReport};

fn report() -> FleetReport {
    let member = MemberReport {
        member: 3,
        name: "node1".to_owned(),
        role: "cache".to_owned(),
        address: "10.0.0.1:8322".to_owned(),
        weight: 100,
        memory_bytes: 1 << 30,
        state: "serving".to_owned(),
        since_unix_s: 1,
        score: Some(1.0),
        slots: 4096,
        alive: true,
        knows: Some(2),
    };
    FleetReport {
        member: 1,
        store: StoreReport {
            away_unix_s: None,
            why: None,
            age_ms: Some(300),
        },
        ring: RingReport {
            version: 2,
            moving: 0,
            waits_for: None,
            reads_for_ms: 29_700,
            changes_for_ms: 3_700,
            steward: Some(1),
        },
        members: vec![member],
    }
}

#[test]
fn a_fleet_that_is_well_is_told_in_few_words() {
    let text = shown(&report());
    assert!(text.contains("node1") && text.contains("serving") && text.contains("4096"));
    assert!(
        text.contains("reads for 29.7 s, changes for 3.7 s"),
        "{text}"
    );
    assert!(text.ends_with("store   answers\n"), "{text}");
}

#[test]
fn what_is_wrong_is_said() {
    let mut report = report();
    report.store.why = Some("connection refused".to_owned());
    report.store.age_ms = Some(61_500);
    report.ring.moving = 12;
    report.ring.waits_for = Some("node2".to_owned());
    let text = shown(&report);
    assert!(
        text.contains("AWAY: connection refused; what is known of it is 61.5 s old"),
        "{text}"
    );
    assert!(
        text.contains("12 slots about to change hands, waits for node2"),
        "{text}"
    );
}
