//! Tests of points in time.

use std::time::Duration;

use super::Timestamp;

#[test]
fn seconds_and_nanoseconds_agree() {
    let at = Timestamp::from_secs(1_800_000_000);
    assert_eq!(at, Timestamp::from_nanos(1_800_000_000_000_000_000));
    assert_eq!(at.as_nanos(), 1_800_000_000_000_000_000);
    assert_eq!(at.unix_secs(), 1_800_000_000);
    assert_eq!(Timestamp::from_secs(0), Timestamp::ZERO);
    assert_eq!(Timestamp::default(), Timestamp::ZERO);
}

#[test]
fn seconds_are_rounded_down_and_good_until_2106() {
    assert_eq!(Timestamp::from_nanos(999_999_999).unix_secs(), 0);
    assert_eq!(Timestamp::from_nanos(1_000_000_000).unix_secs(), 1);
    let last = Timestamp::from_secs(u64::from(u32::MAX)) + Duration::from_nanos(999_999_999);
    assert_eq!(last.unix_secs(), u32::MAX);
}

#[test]
fn what_is_beyond_the_range_stops_at_its_ends() {
    assert_eq!(Timestamp::from_secs(u64::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MAX + Duration::from_nanos(1), Timestamp::MAX);
    assert_eq!(Timestamp::ZERO + Duration::MAX, Timestamp::MAX);
    assert_eq!(Timestamp::ZERO - Duration::from_nanos(1), Timestamp::ZERO);
    assert_eq!(Timestamp::MAX - Duration::MAX, Timestamp::ZERO);
}

#[test]
fn a_duration_added_is_the_time_between() {
    let earlier = Timestamp::from_secs(1_800_000_000);
    for duration in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_millis(1500),
        Duration::from_secs(86_400),
    ] {
        let later = earlier + duration;
        assert_eq!(later.since(earlier), duration);
        assert_eq!(later - duration, earlier);
    }
}

#[test]
fn there_is_no_time_since_what_is_later() {
    let at = Timestamp::from_secs(5);
    assert_eq!(at.since(Timestamp::from_secs(6)), Duration::ZERO);
    assert_eq!(at.since(Timestamp::MAX), Duration::ZERO);
    assert!(at < Timestamp::from_secs(6) && at > Timestamp::ZERO);
}

#[test]
fn text_has_all_nine_digits() {
    assert_eq!(Timestamp::ZERO.to_string(), "0.000000000");
    assert_eq!(
        Timestamp::from_nanos(12_000_000_345).to_string(),
        "12.000000345"
    );
}
