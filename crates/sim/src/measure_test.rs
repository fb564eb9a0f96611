//! Histograms and spans.

use std::time::Duration;

use base::Timestamp;

use super::{BUCKETS, Histogram, Timeline, bucket_of, upper_bound};

#[test]
fn buckets_are_within_an_eighth() {
    for micros in (1..2000).chain([9_999, 500_000, 60_000_000]) {
        let duration = Duration::from_micros(micros);
        let bucket = bucket_of(duration);
        let bound = upper_bound(bucket);
        assert!(bound > duration, "{micros}: {bound:?}");
        let most = duration.mul_f64(1.126) + Duration::from_micros(1);
        assert!(bound <= most, "{micros}: {bound:?}");
        assert!(bucket == 0 || upper_bound(bucket - 1) <= duration);
    }
    assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
}

#[test]
fn quantiles_are_found() {
    let mut histogram = Histogram::default();
    assert_eq!(histogram.quantile(0.99), Duration::ZERO);
    (0..99).for_each(|_| histogram.add(Duration::from_micros(5)));
    histogram.add(Duration::from_millis(100));
    assert_eq!(histogram.quantile(0.5), Duration::from_micros(6));
    assert_eq!(histogram.quantile(0.99), Duration::from_micros(6));
    assert!(histogram.quantile(1.0) > Duration::from_millis(100));
}

#[test]
fn spans_add_their_pieces() {
    let began = Timestamp::from_secs(100);
    let mut timeline = Timeline::new(began);
    for tenth in 0..10 {
        let piece = timeline.at(began + Duration::from_millis(tenth * 100 + 99));
        piece.tally.answered += tenth;
        piece.latency.add(Duration::from_millis(tenth));
    }
    let middle = timeline.between(Duration::from_millis(300), Duration::from_millis(600));
    assert_eq!(middle.tally.answered, 3 + 4 + 5);
    assert_eq!(middle.rate(), 40.0);
    assert!(middle.longest > Duration::from_millis(5));
    assert!(middle.longest < Duration::from_millis(6));
    assert_eq!(timeline.total().tally.answered, 45);
    let never = timeline.between(Duration::from_secs(7), Duration::from_secs(8));
    assert_eq!(never.tally.answered, 0);
}
