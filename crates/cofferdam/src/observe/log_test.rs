//! The log of events in memory, in the journal, and after a restart.

use base::Timestamp;
use base::event::EventState;

use super::*;

fn event(id: u64) -> Event {
    Event {
        id,
        at: Timestamp::from_secs(1000 + id),
        onset: Timestamp::from_secs(1000),
        kind: EventKind::TenantThrottled,
        cause: "ops".into(),
        state: EventState::Began,
        tenant: None,
        sentence: format!("Event {id}."),
        advice: None,
        evidence: Vec::new(),
        held_back: 0,
    }
}

fn ids(events: &[EventView]) -> Vec<u64> {
    events.iter().map(|event| event.id).collect()
}

#[test]
fn numbers_go_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path());
    assert_eq!((log.last_id(), log.after(0).unwrap().len()), (0, 0));
    for id in 1..=3 {
        log.add(&event(id));
    }
    drop(log);
    let log = EventLog::open(dir.path());
    assert_eq!(log.last_id(), 3);
    assert_eq!(ids(&log.after(1).unwrap()), [2, 3]);
    assert_eq!(log.after(0).unwrap()[0].sentence, "Event 1.");
}

#[test]
fn what_is_no_longer_in_memory_comes_from_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path());
    let count = RECENT_MAX as u64 + 100;
    for id in 1..=count {
        log.add(&event(id));
    }
    let expected: Vec<u64> = (1..=count).collect();
    assert_eq!(ids(&log.after(0).unwrap()), expected);
    assert_eq!(ids(&log.after(count - 1).unwrap()), [count]);
    assert_eq!(log.after(count).unwrap(), []);
    assert_eq!(log.after(u64::MAX).unwrap(), []);
}

#[test]
fn lines_that_are_no_events_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(JOURNAL), "{\"id\":\nnonsense\n\n").unwrap();
    let log = EventLog::open(dir.path());
    assert_eq!(log.last_id(), 0);
    log.add(&event(1));
    assert_eq!(ids(&read(&dir.path().join(JOURNAL)).unwrap()), [1]);
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_memory_serves() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let log = EventLog::open(&missing);
    log.add(&event(1));
    assert!(log.failure().unwrap().contains("No such file"));
    assert_eq!(ids(&log.after(0).unwrap()), [1]);
    std::fs::create_dir(&missing).unwrap();
    log.add(&event(2));
    assert_eq!(log.failure(), None);
}

#[test]
fn every_kind_is_counted_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path());
    log.add(&event(1));
    let counts = log.counts();
    assert_eq!(counts.len(), EventKind::ALL.len());
    assert!(counts.contains(&("tenant_throttled", 1)));
    assert!(counts.contains(&("close_wait", 0)));
}

#[test]
fn those_who_follow_hear_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::open(dir.path());
    let mut news = log.watch();
    assert!(!news.has_changed().unwrap());
    log.add(&event(1));
    assert!(news.has_changed().unwrap());
    assert_eq!(*news.borrow_and_update(), 1);
}
