//! Tests of ends, and of what the operations say about themselves.

use super::{Arith, Delete, Expiry, Get, Op, Pin, Store, Value};
use crate::Timestamp;

const NOW_S: u32 = 1_800_000_000;
const NOW: Timestamp = Timestamp::from_secs(NOW_S as u64);

#[test]
fn an_end_is_past_once_its_second_has_begun() {
    let end = Expiry::at_unix_secs(NOW_S);
    assert!(!end.is_past(Timestamp::from_nanos(NOW.as_nanos() - 1)));
    assert!(end.is_past(NOW));
    assert!(end.is_past(Timestamp::from_secs(u64::from(NOW_S) + 1)));
    assert!(!Expiry::at_unix_secs(NOW_S + 1).is_past(NOW));
}

#[test]
fn never_and_past_are_what_they_say_at_any_time() {
    let last = Timestamp::from_secs(u64::from(u32::MAX));
    for now in [Timestamp::from_secs(1), NOW, last] {
        assert!(!Expiry::NEVER.is_past(now));
        assert!(Expiry::PAST.is_past(now));
    }
    assert!(!Expiry::NEVER.is_past(Timestamp::ZERO));
    assert!(Expiry::at_unix_secs(u32::MAX).is_past(last));
}

#[test]
fn the_second_of_an_end_is_kept() {
    assert_eq!(Expiry::at_unix_secs(0), Expiry::NEVER);
    assert_eq!(Expiry::at_unix_secs(1), Expiry::PAST);
    for secs in [0, 1, NOW_S, u32::MAX] {
        assert_eq!(Expiry::at_unix_secs(secs).unix_secs(), secs);
    }
}

#[test]
fn seconds_left_stop_at_0_and_are_none_for_never() {
    assert_eq!(Expiry::NEVER.secs_left(NOW), None);
    assert_eq!(Expiry::PAST.secs_left(NOW), Some(0));
    assert_eq!(Expiry::at_unix_secs(NOW_S).secs_left(NOW), Some(0));
    let end = Expiry::at_unix_secs(NOW_S + 100);
    assert_eq!(end.secs_left(NOW), Some(100));
    let most = Expiry::at_unix_secs(u32::MAX);
    assert_eq!(most.secs_left(Timestamp::ZERO), Some(u32::MAX));
}

#[test]
fn a_value_is_wanted_unless_its_cas_is_known() {
    let plain = Get::plain(b"key");
    assert!(plain.wants_value(1));
    let knows = Get {
        known_cas: Some(7),
        ..plain.clone()
    };
    assert!(knows.wants_value(6) && !knows.wants_value(7));
    let looks = Get {
        value: false,
        ..knows
    };
    assert!(!looks.wants_value(6) && !looks.wants_value(7));
}

#[test]
fn every_operation_names_its_key() {
    let store = Store::plain(b"store", b"");
    let delete = Delete {
        key: b"delete",
        compare_cas: None,
        new_cas: None,
        invalidate: false,
        touch: None,
        clear_value: false,
    };
    let arith = Arith {
        key: b"arith",
        delta: 1,
        decrement: false,
        initial: None,
        touch: None,
        expiry_before: false,
        compare_cas: None,
        new_cas: None,
    };
    assert_eq!(Op::Get(Get::plain(b"get")).key(), b"get");
    assert_eq!(Op::Store(store).key(), b"store");
    assert_eq!(Op::Delete(delete).key(), b"delete");
    assert_eq!(Op::Arith(arith).key(), b"arith");
}

#[test]
fn a_value_has_its_length_wherever_its_bytes_are() {
    assert_eq!(Value::Inline(b"abc").len(), 3);
    assert!(Value::Inline(b"").is_empty());
    let pinned = |len| Value::Pinned(Pin { token: 1, len });
    assert_eq!(pinned(u32::MAX).len(), u32::MAX as usize);
    assert!(pinned(0).is_empty() && !pinned(1).is_empty());
}
