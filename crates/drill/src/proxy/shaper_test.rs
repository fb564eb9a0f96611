//! When bytes go on, without any socket.

use super::super::BadMoments;
use super::*;

const MS: u64 = 1_000_000;

fn shaper(is_reply: bool) -> Shaper {
    Shaper::new(is_reply, 7)
}

#[test]
fn with_nothing_bad_they_go_on_at_once() {
    assert_eq!(
        shaper(true).due_ns(5 * MS, 1000, &Faults::default()),
        5 * MS
    );
}

#[test]
fn replies_are_late_and_requests_are_not() {
    let faults = Faults {
        reply_delay: Duration::from_millis(50),
        ..Faults::default()
    };
    assert_eq!(shaper(true).due_ns(5 * MS, 1000, &faults), 55 * MS);
    assert_eq!(shaper(false).due_ns(5 * MS, 1000, &faults), 5 * MS);
}

#[test]
fn a_narrow_line_carries_one_thing_after_the_other() {
    let faults = Faults {
        bits_per_s: Some(8_000_000),
        ..Faults::default()
    };
    let mut shaper = shaper(false);
    // A byte takes a microsecond.
    assert_eq!(shaper.due_ns(0, 1000, &faults), MS);
    assert_eq!(shaper.due_ns(0, 1000, &faults), 2 * MS);
    assert_eq!(shaper.due_ns(10 * MS, 1000, &faults), 11 * MS);
}

#[test]
fn delay_and_narrow_line_add_up() {
    let faults = Faults {
        reply_delay: Duration::from_millis(50),
        bits_per_s: Some(8_000_000),
        ..Faults::default()
    };
    assert_eq!(shaper(true).due_ns(0, 1000, &faults), 51 * MS);
}

#[test]
fn bad_moments_are_as_many_and_as_bad_as_was_said() {
    let bad = BadMoments {
        share: 0.15,
        length: Duration::from_millis(20),
        delay: Duration::from_millis(5)..Duration::from_millis(15),
    };
    let faults = Faults {
        bad_moments: Some(bad),
        ..Faults::default()
    };
    let mut shaper = shaper(true);
    let mut late = 0;
    for moment in 0..10_000u64 {
        let now_ns = moment * 20 * MS;
        let by_ns = shaper.due_ns(now_ns, 10, &faults) - now_ns;
        assert!(by_ns == 0 || (5 * MS..15 * MS).contains(&by_ns), "{by_ns}");
        // The same for all of the moment.
        assert_eq!(shaper.due_ns(now_ns + MS, 10, &faults) - now_ns - MS, by_ns);
        late += u64::from(by_ns > 0);
    }
    assert!((1400..1600).contains(&late), "{late}");
}
