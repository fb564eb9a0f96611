//! Tests of `recorder`: what counts, and for whom.

use super::*;

fn flight(op: Op, due_ns: u64) -> Flight {
    Flight {
        op,
        keys: 1,
        id: 0,
        due_ns,
        sent_ns: due_ns + 5,
    }
}

#[test]
fn latency_counts_from_when_a_request_was_due() {
    let mut recorder = Recorder::new(0);
    recorder.answered(0, &flight(Op::Get, 1_000), 1, 4_000);
    let latency = recorder.interval.latency().summary();
    assert_eq!(latency.count, 1);
    assert!((latency.max_us - 3.0).abs() < 0.01);
}

#[test]
fn what_was_due_in_an_earlier_phase_does_not_count() {
    let mut recorder = Recorder::new(1);
    recorder.begin(100, true);
    recorder.answered(0, &flight(Op::Set, 99), 0, 200);
    recorder.lost(0, &flight(Op::Get, 99), Fault::Closed);
    recorder.overdue(0, &flight(Op::Get, 99), 200);
    assert_eq!(recorder.interval.requests(), 0);
    assert_eq!(recorder.interval.errors.total(), 0);
    assert_eq!(recorder.interval.latency().summary().count, 0);
    assert_eq!(recorder.stored, 1, "it is stored all the same");
}

#[test]
fn a_request_given_up_is_an_error_and_as_slow_as_it_was_waited_for() {
    let mut recorder = Recorder::new(1);
    recorder.begin(0, true);
    recorder.gave_up(0, &flight(Op::Get, 10), 1_000_010);
    assert_eq!(recorder.interval.errors.timeouts, 1);
    assert_eq!(recorder.interval.requests(), 0);
    assert!(recorder.interval.latency().summary().max_us >= 1000.0);
    assert_eq!(recorder.tenants[0].errors.timeouts, 1);
    assert!(recorder.tenants[0].latency.summary().max_us >= 1000.0);
}

#[test]
fn tenants_figures_are_apart_and_of_the_measured_phase_only() {
    let mut recorder = Recorder::new(2);
    recorder.begin(0, false);
    recorder.answered(1, &flight(Op::Get, 1), 1, 2);
    recorder.begin(10, true);
    recorder.answered(1, &flight(Op::Get, 11), 1, 12);
    recorder.answered(0, &flight(Op::Get, 11), 0, 12);
    recorder.reconnected(0);
    recorder.not_opened(1, Fault::Login);
    let [first, second] = &recorder.tenants[..] else {
        panic!("two tenants");
    };
    assert_eq!((first.requests, first.hits, first.misses), (1, 0, 1));
    assert_eq!((second.requests, second.hits, second.misses), (1, 1, 0));
    assert_eq!((first.reconnects, second.errors.login), (1, 1));
}

#[test]
fn the_first_error_is_kept_in_the_servers_words() {
    let mut recorder = Recorder::new(0);
    let one = Ending::ServerError(b"SERVER_ERROR out of memory");
    recorder.failed(0, &flight(Op::Set, 1), Fault::Server, one);
    recorder.failed(0, &flight(Op::Set, 1), Fault::NotStored, Ending::NotStored);
    assert_eq!(
        recorder.first_error.as_deref(),
        Some("SERVER_ERROR out of memory")
    );
    assert_eq!(recorder.interval.errors.total(), 2);
}

#[test]
fn a_corrupt_hit_says_what_is_wrong_with_it() {
    let mut recorder = Recorder::new(0);
    let wrong = Corruption::Byte { offset: 77 };
    recorder.corrupt(0, &flight(Op::Get, 1), wrong);
    assert_eq!(recorder.interval.errors.corrupt, 1);
    let words = recorder.first_error.unwrap();
    assert!(words.contains("offset: 77"), "{words}");
}
