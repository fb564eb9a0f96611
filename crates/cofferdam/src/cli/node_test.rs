//! Tests of what an operator reads of a fleet.

use base::Timestamp;
use fleet::membership::{Event, Standing};
use fleet::registry::Role;

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

#[test]
fn what_was_done_is_told_by_where_it_led() {
    let now = Timestamp::from_secs(1);
    let said = |standing: Standing| {
        told(&MemberRecord {
            name: "node5".to_owned(),
            role: Role::Cache,
            address: "10.0.0.5:1".to_owned(),
            weight: 100,
            standing,
            memory_bytes: 1 << 30,
        })
    };
    let back = |it: Standing| {
        let drained = it.after(Event::Drain, now).unwrap();
        drained.after(Event::Readmit, now).unwrap()
    };
    let never_served = said(back(Standing::new(now)));
    assert!(
        never_served.starts_with("node5 is quarantined") && never_served.contains("gate"),
        "{never_served}"
    );
    let served = said(back(Standing::founder(now)));
    assert!(served.starts_with("node5 is on probation"), "{served}");
}

#[test]
fn a_reason_is_one_piece_of_the_address() {
    let reason = Some("disk & fan".to_owned());
    assert_eq!(
        place("node1", "eject", true, &reason),
        "/v1/fleet/members/node1/eject?force=true&reason=disk%20%26%20fan"
    );
    assert_eq!(
        place("a/b", "drain", false, &None),
        "/v1/fleet/members/a%2Fb/drain"
    );
}
