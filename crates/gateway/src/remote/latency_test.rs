//! Tests of the deadline that follows from latencies.

use std::time::Duration;

use super::{DeadlineBounds, LATE_MAX, Latency, WINDOW, bucket_of, upper_end};

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);

fn after(latency: &mut Latency, windows: u32, took: impl Fn(u32) -> Duration) -> Duration {
    (0..windows * WINDOW).for_each(|number| latency.note(took(number)));
    latency.deadline()
}

#[test]
fn the_first_requests_have_the_longest_time() {
    let bounds = DeadlineBounds::default();
    let mut latency = Latency::new(bounds);
    assert_eq!(latency.deadline(), bounds.max);
    assert_eq!(after(&mut latency, 1, |_| 100 * US), bounds.min);
}

#[test]
fn the_deadline_follows_the_slow_ones_within_its_bounds() {
    let mut latency = Latency::new(DeadlineBounds::default());
    // Two in a hundred take 10 ms: they are not late.
    let some_slow = |number: u32| {
        if number.is_multiple_of(50) {
            10 * MS
        } else {
            300 * US
        }
    };
    let deadline = after(&mut latency, 4, some_slow);
    assert!(deadline > 30 * MS && deadline < 80 * MS, "{deadline:?}");
    assert_eq!(after(&mut latency, 8, |_| 400 * MS), 250 * MS);
    assert_eq!(after(&mut latency, 20, |_| 50 * US), 20 * MS);
}

#[test]
fn when_most_are_late_the_deadline_does_not_wait_for_a_whole_window() {
    let mut latency = Latency::new(DeadlineBounds::default());
    assert_eq!(after(&mut latency, 20, |_| 300 * US), 20 * MS);
    (0..WINDOW / 2).for_each(|_| latency.note(300 * US));
    // All answers come 50 ms later from now on: each is given up at the deadline.
    let given_up = (1..).find(|_| {
        let deadline = latency.deadline();
        latency.note(deadline.min(50 * MS));
        latency.deadline() > 50 * MS
    });
    assert_eq!(given_up, Some(LATE_MAX));
    // One node of six is no reason.
    let mut latency = Latency::new(DeadlineBounds::default());
    after(&mut latency, 20, |_| 300 * US);
    (1..WINDOW).for_each(|number| {
        latency.note(if number % 6 == 0 { 20 * MS } else { 300 * US });
    });
    assert_eq!(latency.deadline(), 20 * MS);
}

#[test]
fn one_in_a_thousand_is_an_exception() {
    let mut latency = Latency::new(DeadlineBounds::default());
    let rarely = |number: u32| {
        if number.is_multiple_of(1000) {
            200 * MS
        } else {
            300 * US
        }
    };
    assert_eq!(after(&mut latency, 4, rarely), 20 * MS);
}

#[test]
fn each_bucket_is_below_its_upper_end() {
    for micros in [1, 2, 3, 4, 5, 6, 7, 8, 100, 1000, 65_535, 1_000_000] {
        let took = Duration::from_micros(micros);
        let end = upper_end(bucket_of(took));
        assert!(took <= end && end <= took * 2 + US, "{took:?} {end:?}");
    }
}
