//! Tests of deadlines.

use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;
use node_proto::RequestId;

use super::{TICK, TICKS, Wheel};

/// The longest time that a deadline can be away.
const SPAN: Duration = Duration::from_millis(2 * (TICKS as u64 - 2));
const START: Timestamp = Timestamp::from_secs(1_000);

#[test]
fn nothing_is_due_before_its_time_nor_long_after() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let (mut wheel, mut now, mut open) = (Wheel::new(), START, Vec::new());
        for number in 0..500u64 {
            let away = Duration::from_micros(rng.below(300_000));
            wheel.add(now, now + away, RequestId::from_bits(number));
            open.push((number, now + away));
            now = now + Duration::from_micros(rng.below(5_000));
            while let Some(id) = wheel.take_due(now) {
                let at = open.iter().position(|(number, _)| *number == id.to_bits());
                let (_, deadline) = open.swap_remove(at.unwrap());
                assert!(deadline <= now, "seed {seed}");
            }
            let overdue = |(_, deadline): &(u64, Timestamp)| now.since(*deadline) > 2 * TICK;
            assert!(!open.iter().any(overdue), "seed {seed}");
        }
    }
}

#[test]
fn it_tells_when_to_look_again() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.poll_timeout(), None);
    let deadline = START + Duration::from_millis(50);
    wheel.add(START, deadline, RequestId::from_bits(1));
    let at = wheel.poll_timeout().unwrap();
    assert!(at >= deadline && at.since(deadline) <= TICK);
    assert_eq!(wheel.take_due(deadline - TICK), None);
    assert!(wheel.take_due(at).is_some());
    assert_eq!(wheel.poll_timeout(), None);
}

#[test]
fn a_deadline_beyond_the_ring_comes_at_its_end() {
    let mut wheel = Wheel::new();
    wheel.add(START, START + 10 * SPAN, RequestId::from_bits(1));
    assert!(wheel.take_due(START + SPAN + 2 * TICK).is_some());
}
