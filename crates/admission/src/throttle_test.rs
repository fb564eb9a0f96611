//! A tenant's rates together: what is not limited is free, and the tightest one rules.

use std::time::Duration;

use base::{Timestamp, TrafficLimits};

use super::{Buckets, Cost, Throttle};

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn limits() -> TrafficLimits {
    TrafficLimits::default()
}

#[test]
fn without_a_rate_there_is_no_throttle() {
    assert!(Throttle::new(&limits(), 1).is_none());
}

#[test]
fn the_tightest_rate_rules() {
    let limits = TrafficLimits {
        ops_per_second: Some(1000),
        bytes_out_per_second: Some(1000),
        ..limits()
    };
    let buckets = Buckets::default();
    let mut throttle = Throttle::new(&limits, 1).unwrap();
    throttle.charge(Cost {
        ops: 1000,
        bytes_in: u64::MAX,
        bytes_out: 3000,
    });
    // A full bucket gives all that it is asked for; what comes after pays for it.
    throttle.settle(START, &buckets).unwrap();
    throttle.charge(Cost {
        ops: 1,
        bytes_in: 1,
        bytes_out: 2,
    });
    let again_at = throttle.settle(START, &buckets).unwrap_err();
    assert!(again_at.since(START) >= Duration::from_secs(2));
}

#[test]
fn a_loop_that_spends_leaves_less_to_the_others() {
    let limits = TrafficLimits {
        ops_per_second: Some(1000),
        ..limits()
    };
    let buckets = Buckets::default();
    let mut throttles = [(); 2].map(|()| Throttle::new(&limits, 2).unwrap());
    let ops = |ops| Cost {
        ops,
        ..Cost::default()
    };
    throttles[0].charge(ops(950));
    assert_eq!(throttles[0].settle(START, &buckets), Ok(()));
    throttles[1].charge(ops(100));
    assert!(throttles[1].settle(START, &buckets).is_err());
}

#[test]
fn a_low_rate_has_short_turns() {
    for (per_second, requests) in [(1, 1), (500, 5), (1_000_000, 64)] {
        let limits = TrafficLimits {
            ops_per_second: Some(per_second),
            ..limits()
        };
        let throttle = Throttle::new(&limits, 1).unwrap();
        assert_eq!(throttle.turn_requests_max(64), requests);
    }
    let limits = TrafficLimits {
        bytes_in_per_second: Some(1),
        ..limits()
    };
    assert_eq!(Throttle::new(&limits, 1).unwrap().turn_requests_max(64), 64);
}

#[test]
fn as_many_turns_are_under_way_as_the_tightest_rate_has_room_for() {
    let limits = TrafficLimits {
        ops_per_second: Some(64_000),
        bytes_out_per_second: Some(64 << 20),
        ..limits()
    };
    let throttle = Throttle::new(&limits, 1).unwrap();
    assert_eq!(throttle.turns_max(64, 64 * 1024, 64), 10);
    assert_eq!(throttle.turns_max(64, 1 << 20, 64), 1);
    assert_eq!(throttle.turns_max(1, 1024, 64), 64);
}

#[test]
fn a_rate_of_nothing_still_lets_a_request_a_second_through() {
    let limits = TrafficLimits {
        ops_per_second: Some(0),
        ..limits()
    };
    let buckets = Buckets::default();
    let mut throttle = Throttle::new(&limits, 1).unwrap();
    let (mut now, mut served) = (START, 0);
    while now < START + Duration::from_secs(60) {
        match throttle.settle(now, &buckets) {
            Ok(()) => {
                served += 1;
                throttle.charge(Cost {
                    ops: 1,
                    ..Cost::default()
                });
            }
            Err(at) => now = at,
        }
    }
    assert!((60..=62).contains(&served), "{served}");
}
