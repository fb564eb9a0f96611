//! The checker on histories made by hand: what is stale, and what merely looks so.

use super::*;

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

/// Writes of key 0: began, ended, acknowledged.
fn history(writes: &[(u64, u64, bool)]) -> (History, Vec<WriteId>) {
    let mut history = History::default();
    let write = |(began, ended, acknowledged): &(u64, u64, bool)| {
        let id = history.begin(0, at(*began));
        history.end(id, at(*ended), *acknowledged);
        id
    };
    let ids = writes.iter().map(write).collect();
    (history, ids)
}

#[test]
fn what_was_overwritten_before_is_stale() {
    let (history, ids) = history(&[(0, 1, true), (2, 3, true), (10, 11, true)]);
    let stale = history.staleness(ids[0], at(5)).unwrap();
    assert_eq!(stale.age, Duration::from_millis(2));
    assert_eq!(
        history.staleness(ids[0], at(20)).unwrap().age.as_millis(),
        17
    );
    assert_eq!(history.staleness(ids[1], at(5)), None);
    assert_eq!(history.staleness(ids[2], at(20)), None);
}

#[test]
fn writes_at_the_same_time_may_settle_either_way() {
    let (history, ids) = history(&[(0, 5, true), (4, 9, true)]);
    assert_eq!(history.staleness(ids[0], at(20)), None);
    assert_eq!(history.staleness(ids[1], at(20)), None);
}

#[test]
fn a_write_in_flight_may_be_seen_or_not() {
    let (mut history, ids) = history(&[(0, 1, true)]);
    let pending = history.begin(0, at(2));
    assert_eq!(history.staleness(ids[0], at(4)), None);
    assert_eq!(history.staleness(pending, at(4)), None);
    history.end(pending, at(6), true);
    assert_eq!(
        history.staleness(ids[0], at(5)),
        None,
        "it began before the answer"
    );
    assert!(history.staleness(ids[0], at(7)).is_some());
}

#[test]
fn a_refused_write_supersedes_nothing_but_is_superseded() {
    let (history, ids) = history(&[(0, 1, true), (2, 3, false), (4, 5, true)]);
    assert_eq!(history.staleness(ids[0], at(4)), None);
    assert!(history.staleness(ids[1], at(6)).is_some());
}

#[test]
fn keys_do_not_supersede_each_other() {
    let (mut history, ids) = history(&[(0, 1, true)]);
    let other = history.begin(1, at(2));
    history.end(other, at(3), true);
    assert_eq!(history.staleness(ids[0], at(9)), None);
}

#[test]
fn a_token_stands_for_one_value_of_a_key() {
    let (mut history, ids) = history(&[(0, 1, true), (2, 3, true)]);
    let other = history.begin(1, at(2));
    assert_eq!(history.token(ids[0], 7), Ok(()));
    assert_eq!(history.token(ids[0], 7), Ok(()));
    assert_eq!(history.token(other, 7), Ok(()));
    let twice = Violation::TokenTwice { key: 0, token: 7 };
    assert_eq!(history.token(ids[1], 7), Err(twice));
}
