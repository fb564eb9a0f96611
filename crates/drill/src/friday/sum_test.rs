//! Tests of the way from what was seen to the figures.

use super::super::timeline::{Probe, Seen};
use super::*;
use crate::load::{Errors, Timing};

const MS: u64 = 1_000_000;

/// Steady for 1 s, a spike for 1 s, a storm for 1 s, then 3 s of recovering; a window each 100 ms.
fn timeline() -> Timeline {
    let mut timeline = Timeline::default();
    for number in 0..60 {
        let (took_ms, errors) = match number {
            0..10 => (1, 0),
            10..20 => (2, 0),
            20..30 => (3, 1),
            30..33 => (4, 0),
            _ => (1, 0),
        };
        let mut latency = Timing::fine();
        latency.record(took_ms * MS);
        timeline.see(Seen {
            span: Span::new(number * 100 * MS, (number + 1) * 100 * MS),
            latency,
            lag: Timing::fine(),
            requests: 1,
            errors,
            connect_failures: 0,
            reconnects: 0,
        });
    }
    timeline.probe(Probe {
        due_ns: 2_500 * MS,
        took_ns: 7 * MS,
        failed: false,
    });
    let span = |from: u64, to: u64| Span::new(from * 1_000 * MS, to * 1_000 * MS);
    timeline.phase(Phase::Steady, span(0, 1));
    timeline.phase(Phase::Inject, span(1, 2));
    timeline.phase(Phase::Hold, span(2, 3));
    timeline.phase(Phase::Recover, span(3, 6));
    timeline
}

fn window(from_ms: u64, requests: u64) -> Window {
    Window {
        from_ns: from_ms * MS,
        to_ns: (from_ms + 100) * MS,
        latency: Timing::fine(),
        lag: Timing::fine(),
        requests,
        hits: requests * 100,
        misses: 0,
        errors: Errors::default(),
        reconnects: 0,
        bytes_sent: 30_000,
    }
}

fn figures() -> Figures {
    let windows = (10..30).map(|number| window(number * 100, if number < 20 { 85 } else { 68 }));
    let fault = Fault {
        windows: windows.collect(),
        storm: Storm::default(),
        victims_busy: Some(0.15),
        inject: Span::new(1_000 * MS, 2_000 * MS),
        hold: Span::new(2_000 * MS, 3_000 * MS),
        end_ns: 3_000 * MS,
    };
    let sum = Sum {
        capacity: Capacity {
            per_s: 1_000.0,
            keys_per_s: 100_000.0,
            bytes_per_request: 100.0,
        },
        capacity_after: Capacity {
            per_s: 1_000.0,
            keys_per_s: 100_000.0,
            bytes_per_request: 100.0,
        },
        cpu: Course {
            before: 0.15,
            during: 1.0,
            after: 0.15,
        },
        victims_cpu: 0.15,
        others_before: 0.0,
        others_during: 0.0,
        server_p99_ms: Course::default(),
        server_tells: Value::Null,
        idle: None,
        steal: 0.0,
        real_time: true,
        rate_per_s: 10.0,
    };
    sum.figures(&timeline(), &fault)
}

fn assert_near(figure: f64, wanted: f64) {
    assert!(
        (figure - wanted).abs() < wanted * 0.01,
        "{figure} is not {wanted}"
    );
}

#[test]
fn before_during_and_after_are_told_apart() {
    let victims = figures().victims;
    assert_near(victims.p99_ms.before, 1.0);
    assert_near(victims.p99_ms.during, 3.0);
    assert_near(victims.p99_ms.after, 1.0);
    assert_near(victims.spike_p99_ms, 2.0);
    assert_near(victims.connect_p99_ms, 7.0);
    assert_eq!(victims.errors, 10);
}

#[test]
fn recovering_counts_from_the_end_of_the_fault() {
    assert_eq!(figures().recover_ms, Some(300.0));
}

#[test]
fn the_large_tenant_s_share_is_of_what_the_victims_leave() {
    let aggressor = figures().aggressor;
    assert_near(aggressor.served_share, 1.0);
    assert_near(aggressor.served_share_in_storm, 0.8);
    assert_near(aggressor.offered_multiple, 3.0);
    assert_eq!((aggressor.served, aggressor.refused), (1_530, 0));
}
