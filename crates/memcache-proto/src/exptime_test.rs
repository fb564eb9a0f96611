//! Tests of the times of ending.

use std::time::Duration;

use base::Timestamp;
use base::kv::Expiry;

use super::{delay, expiry, recache_below_s};

const DAYS_30: i64 = 60 * 60 * 24 * 30;
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

#[test]
fn an_exptime_is_never_past_relative_or_absolute() {
    assert_eq!(expiry(0, NOW), Expiry::NEVER);
    assert!(expiry(-1, NOW).is_past(NOW));
    assert!(expiry(i64::from(i32::MIN), NOW).is_past(NOW));
    assert_eq!(expiry(1, NOW).unix_secs(), 1_800_000_001);
    assert_eq!(expiry(DAYS_30, NOW).unix_secs(), 1_802_592_000);
    assert!(expiry(DAYS_30 + 1, NOW).is_past(NOW), "a Unix time of 1970");
    assert_eq!(expiry(1_900_000_000, NOW).unix_secs(), 1_900_000_000);
    assert_eq!(expiry(i64::from(u32::MAX), NOW).unix_secs(), u32::MAX);
    assert_eq!(expiry(i64::MAX, NOW).unix_secs(), u32::MAX);
}

#[test]
fn the_end_of_time_does_not_wrap() {
    let late = Timestamp::from_secs(u64::from(u32::MAX) - 1);
    assert_eq!(expiry(1000, late).unix_secs(), u32::MAX);
}

#[test]
fn a_delay_counts_from_now() {
    assert_eq!(delay(0, NOW), None);
    assert_eq!(delay(-5, NOW), None);
    assert_eq!(delay(DAYS_30 + 1, NOW), Some(Duration::MAX), "1970: never");
    assert_eq!(delay(10, NOW), Some(Duration::from_secs(10)));
    assert_eq!(delay(1_800_000_060, NOW), Some(Duration::from_secs(60)));
}

#[test]
fn a_recache_threshold_is_in_seconds_left() {
    assert_eq!(recache_below_s(30, NOW), 30);
    assert_eq!(recache_below_s(0, NOW), 0);
    assert_eq!(recache_below_s(-1, NOW), 0);
    assert_eq!(recache_below_s(1_800_000_060, NOW), 60);
}
