//! Everybody is told what is his, in order, once, and over restarts.

use super::*;
use base::TenantId;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn event(id: u64, kind: &str, tenant: Option<&str>) -> EventView {
    EventView {
        id,
        at: "2026-11-22T01:38:24.250Z".into(),
        onset: "2026-11-22T01:38:24.250Z".into(),
        event: kind.into(),
        cause: String::new(),
        state: "began".into(),
        tenant: tenant.map(str::to_owned),
        sentence: "Something.".into(),
        advice: None,
        evidence: Vec::new(),
        held_back: 0,
    }
}

fn events() -> Vec<EventView> {
    vec![
        event(5, "started", None),
        event(6, "tenant_throttled", Some("acme")),
        event(7, "tenant_throttled", Some("globex")),
        event(8, "door_full", None),
        event(9, "hit_ratio_low", Some("acme")),
    ]
}

/// The numbers of all that somebody is told.
fn told(audience: &Audience, tenant: Option<&str>, from: u64) -> Vec<u64> {
    let (mut outbox, events) = (Outbox::at(from), events());
    let mut ids = Vec::new();
    while let Some(event) = outbox.next(NOW, &events, audience, tenant) {
        ids.push(event.id);
        outbox.done(event.id);
    }
    assert_eq!(outbox.told, 9);
    ids
}

#[test]
fn everybody_is_told_what_is_his() {
    assert_eq!(told(&Audience::Operators(vec![]), None, 5), [6, 7, 8, 9]);
    let kinds = vec!["door_full".to_owned(), "started".to_owned()];
    assert_eq!(told(&Audience::Operators(kinds), None, 0), [5, 8]);
    let acme = Audience::Tenant(TenantId(1));
    assert_eq!(told(&acme, Some("acme"), 0), [6, 9]);
    // Of a tenant that is gone nobody is told what concerns no tenant.
    assert_eq!(told(&acme, None, 0), [0; 0]);
}

#[test]
fn what_was_not_taken_comes_again_before_what_is_behind_it() {
    let (mut outbox, events) = (Outbox::at(5), events());
    let all = Audience::Operators(vec![]);
    assert_eq!(outbox.next(NOW, &events, &all, None).unwrap().id, 6);
    outbox.is_busy = true;
    assert!(outbox.next(NOW, &events, &all, None).is_none());
    assert!(outbox.failed(NOW, 6));
    assert!(outbox.next(NOW, &events, &all, None).is_none());
    let later = NOW + Duration::from_secs(1);
    assert_eq!(outbox.next(later, &events, &all, None).unwrap().id, 6);
    // Nobody waits for ever: a day later the next one has its turn.
    let tomorrow = NOW + Duration::from_secs(90_000);
    assert!(!outbox.failed(tomorrow, 6));
    assert_eq!(outbox.next(tomorrow, &events, &all, None).unwrap().id, 7);
}

#[test]
fn where_hooks_stand_is_known_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut cursors = Cursors::open(dir.path());
    assert_eq!(cursors.of("a", 7), 7, "the past is none of a new one's");
    cursors.keep(BTreeMap::from([("a".into(), 9), ("b".into(), 3)]));
    let mut again = Cursors::open(dir.path());
    assert_eq!((again.of("a", 20), again.of("b", 20)), (9, 3));
    assert_eq!(again.of("a", 2), 2, "another journal");
    again.keep(BTreeMap::from([("b".into(), 3)]));
    assert_eq!(Cursors::open(dir.path()).of("a", 20), 20);
}
