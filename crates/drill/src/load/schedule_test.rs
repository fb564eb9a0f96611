//! Tests of `schedule` in virtual time: no time is skipped, and whose fault a delay is.

use super::*;

const SECOND: u64 = 1_000_000_000;

#[test]
fn fixed_arrivals_are_evenly_spaced_and_threads_interleave() {
    let mut first = Schedule::new(Arrivals::Fixed, 1000.0, 0.0, Rng::new(1));
    let mut second = Schedule::new(Arrivals::Fixed, 1000.0, 0.5, Rng::new(1));
    first.start(SECOND);
    second.start(SECOND);
    for number in 0..10 {
        assert_eq!(first.due_ns(), SECOND + number * 1_000_000);
        assert_eq!(second.due_ns(), SECOND + number * 1_000_000 + 500_000);
        first.advance();
        second.advance();
    }
}

#[test]
fn poisson_arrivals_have_the_rate_and_its_spread() {
    let mut schedule = Schedule::new(Arrivals::Poisson, 10_000.0, 0.0, Rng::new(1));
    schedule.start(0);
    let mut gaps = Vec::new();
    let mut last = 0;
    for _ in 0..100_000 {
        gaps.push((schedule.due_ns() - last) as f64);
        last = schedule.due_ns();
        schedule.advance();
    }
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    assert!((mean - 100_000.0).abs() < 2_000.0, "{mean}");
    // Of independent arrivals, 1 - 1/e of the gaps are shorter than the mean.
    let short = gaps.iter().filter(|gap| **gap < mean).count() as f64 / gaps.len() as f64;
    assert!((short - 0.632).abs() < 0.01, "{short}");
}

/// A server that answers in 1 ms, one request at a time, but stands still for a second: what a
/// schedule with a latency from the due time makes of it, beside one from the time of sending.
#[test]
fn a_stall_is_seen_by_every_request_that_was_due_in_it() {
    let mut schedule = Schedule::new(Arrivals::Fixed, 500.0, 0.0, Rng::new(1));
    schedule.start(0);
    let mut free_ns = 0;
    let mut from_due = Vec::new();
    let mut from_sending = Vec::new();
    while schedule.due_ns() < 4 * SECOND {
        let due_ns = schedule.due_ns();
        let sent_ns = due_ns.max(free_ns);
        let is_stalled = (SECOND..2 * SECOND).contains(&sent_ns);
        let begun_ns = if is_stalled { 2 * SECOND } else { sent_ns };
        free_ns = begun_ns + 1_000_000;
        from_due.push(free_ns - due_ns);
        from_sending.push(free_ns - sent_ns);
        schedule.advance();
    }
    assert_eq!(from_due.len(), 2000, "no request was skipped");
    let slow = |all: &[u64]| all.iter().filter(|ns| **ns > 100_000_000).count();
    assert_eq!(slow(&from_sending), 1, "this is how a stall hides");
    // 500 were due within it; it takes as long again to work them off.
    assert!(slow(&from_due) > 800, "{}", slow(&from_due));
}

#[test]
fn lateness_with_a_free_place_is_the_generators() {
    let lateness = Lateness::default();
    assert_eq!(lateness.of(100, 100), (0, false));
    assert_eq!(lateness.of(100, 130), (30, false));
}

#[test]
fn waiting_for_a_place_is_not_the_generators_lateness() {
    let mut lateness = Lateness::default();
    lateness.set_full();
    lateness.set_free(500);
    // Due while all were full, sent 7 after a place was free.
    assert_eq!(lateness.of(100, 507), (7, true));
    // Due afterwards.
    assert_eq!(lateness.of(600, 603), (3, false));
    // A further free place changes nothing.
    lateness.set_free(650);
    assert_eq!(lateness.of(600, 660), (60, false));
}
