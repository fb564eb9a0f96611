//! What the board says is to be kept is there again, and what is too old is not.

use super::*;
use crate::status::testing::{hub, outage, settings};

#[test]
fn a_page_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.db");
    let now = runtime::Clock::new().now();
    let (store, past) = open(&path, now).unwrap();
    assert_eq!((past.since, past.kept.incidents.len()), (now, 0));
    let first = hub(past);
    let keeper = Keeper::start(std::sync::Arc::clone(&first), store, &settings()).unwrap();
    outage(&first, first.now());
    drop(keeper);
    let (_store, past) = open(&path, now + TICK).unwrap();
    assert_eq!(past.since, now);
    assert_eq!(past.kept.incidents.len(), 1);
    assert!(past.kept.incidents[0].is_public());
}

#[test]
fn days_and_minutes_come_back_by_component_and_old_ones_go() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp::from_secs(1_790_000_000);
    let (mut store, past) = open(&dir.path().join("s"), now).unwrap();
    let today = day_of(now);
    let day = |day| Change::Day {
        key: "g1.new".into(),
        day,
        counts: status::history::Day {
            operational_ms: 7,
            ..Default::default()
        },
    };
    let minute = Change::Minute {
        key: "g1.kept".into(),
        minute: status::history::Minute {
            minute: now.as_nanos() / 60_000_000_000,
            answered: 3,
            ..Default::default()
        },
    };
    let changes = [day(today), day(today - DAYS_KEPT - 5), minute];
    store
        .edit(&changes.iter().map(edit_of).collect::<Vec<_>>())
        .unwrap();
    let mut work = Work {
        hub: hub(past),
        store,
        exporter: None,
        pruned: Timestamp::ZERO,
        is_failing: false,
    };
    work.prune(now);
    drop(work);
    let (_, past) = open(&dir.path().join("s"), now).unwrap();
    assert_eq!(past.kept.days["g1.new"].len(), 1);
    assert_eq!(past.kept.days["g1.new"][0].1.operational_ms, 7);
    assert_eq!(past.kept.minutes["g1.kept"][0].answered, 3);
}

#[test]
fn what_is_not_understood_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let (mut store, _) = open(&path, Timestamp::ZERO).unwrap();
    let put = |kind, key: &str| Edit::Put(kind, key.to_owned(), "{\"strange\":true}".to_owned());
    store
        .edit(&[put(INCIDENT, "1"), put(MINUTE, "x"), put(DAY, "y|z")])
        .unwrap();
    drop(store);
    let (_, past) = open(&path, Timestamp::ZERO).unwrap();
    assert!(past.kept.incidents.is_empty() && past.kept.minutes.is_empty());
}
