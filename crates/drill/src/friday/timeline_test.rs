//! Tests of the sums over windows.

use super::*;

const MS: u64 = 1_000_000;

/// A window of 100 ms from `from_ms` on in which 100 requests took `took_ms`.
fn seen(from_ms: u64, took_ms: u64, errors: u64) -> Seen {
    let mut latency = Timing::fine();
    for _ in 0..100 {
        latency.record(took_ms * MS);
    }
    Seen {
        span: Span::new(from_ms * MS, (from_ms + 100) * MS),
        latency,
        lag: Timing::fine(),
        requests: 100,
        errors,
        connect_failures: 0,
        reconnects: errors,
    }
}

#[test]
fn a_window_belongs_where_its_middle_is() {
    let mut timeline = Timeline::default();
    timeline.see(seen(0, 1, 0));
    timeline.see(seen(100, 2, 3));
    timeline.see(seen(200, 9, 0));
    let sum = timeline.summary(Span::new(40 * MS, 240 * MS));
    assert_eq!((sum.requests, sum.errors, sum.reconnects), (200, 3, 3));
    assert!((sum.latency.at_ms(1.0) - 2.0).abs() < 0.01);
    assert_eq!(timeline.summary(Span::default()).requests, 0);
    let worst_ms = timeline.worst_p99_ms(Span::new(40 * MS, 240 * MS));
    assert!((worst_ms - 2.0).abs() < 0.01);
}

#[test]
fn probes_are_sorted_by_when_they_were_due() {
    let mut timeline = Timeline::default();
    for (due_ns, failed) in [(50, false), (150, true), (250, true)] {
        timeline.probe(Probe {
            due_ns,
            took_ns: 5 * MS,
            failed,
        });
    }
    let sum = timeline.summary(Span::new(100, 200));
    assert_eq!((sum.connect.summary().count, sum.connect_failures), (1, 1));
}

#[test]
fn recovered_is_when_it_is_normal_and_stays_so() {
    let mut timeline = Timeline::default();
    let took = [9, 9, 1, 9, 1, 1, 1, 1, 1, 1];
    for (at, took_ms) in (0..).zip(took) {
        timeline.see(seen(at * 100, took_ms, 0));
    }
    assert_eq!(timeline.recovered_ms(150 * MS, 2.0), Some(250.0));
    assert_eq!(timeline.recovered_ms(150 * MS, 0.5), None);
    assert_eq!(timeline.recovered_ms(400 * MS, 2.0), Some(0.0));
}

#[test]
fn errors_and_silence_are_not_normal() {
    let mut timeline = Timeline::default();
    for at in 0..5 {
        timeline.see(seen(at * 100, 1, u64::from(at == 4)));
    }
    assert_eq!(timeline.recovered_ms(0, 2.0), None);
    let mut timeline = Timeline::default();
    for at in 0..5 {
        timeline.see(Seen {
            requests: 0,
            ..seen(at * 100, 1, 0)
        });
    }
    assert_eq!(timeline.recovered_ms(0, 2.0), None);
}

#[test]
fn lag_counts_where_no_connection_broke() {
    let mut timeline = Timeline::default();
    for (number, errors) in [(0, 0), (1, 7)] {
        let mut lag = Timing::fine();
        lag.record((1 + number) * MS);
        timeline.see(Seen {
            lag,
            ..seen(number * 100, 1, errors)
        });
    }
    let lag = timeline.summary(Span::new(0, 1_000 * MS)).lag;
    assert!((lag.at_ms(1.0) - 1.0).abs() < 0.01);
}

#[test]
fn a_point_for_each_window() {
    let mut timeline = Timeline::default();
    timeline.see(seen(1000, 1, 0));
    timeline.see(seen(1100, 2, 7));
    let points = timeline.points();
    assert_eq!(points.len(), 2);
    assert!((points[1].at_s - 0.2).abs() < 1e-9);
    assert_eq!(points[1].errors, 7);
    timeline.phase(Phase::Hold, Span::new(5, 6));
    assert_eq!(timeline.span(Phase::Hold), Span::new(5, 6));
    assert_eq!(timeline.span(Phase::Steady), Span::default());
}
