//! Buckets cover all delays without a gap, and quantiles err by a quarter at most.

use std::time::Duration;

use base::rng::Rng;

use super::{BUCKETS, DelayCounts, Delays, bucket_of, upper_end};

fn delays(counts: &DelayCounts) -> Delays {
    let mut delays = Delays::default();
    delays.absorb(counts);
    delays
}

#[test]
fn every_delay_has_its_bucket_and_no_bucket_is_wider_than_a_quarter() {
    assert_eq!(bucket_of(0), 0);
    assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    for index in 0..BUCKETS - 1 {
        let end = upper_end(index);
        assert_eq!(bucket_of(end - 1), index, "below {end}");
        assert_eq!(bucket_of(end), index + 1, "from {end} on");
        let next = upper_end(index + 1);
        assert!(index + 1 == BUCKETS - 1 || next as f64 <= end as f64 * 1.25);
    }
}

#[test]
fn a_histogram_takes_less_than_1_kib() {
    assert!(
        size_of::<DelayCounts>() <= 1024,
        "{}",
        size_of::<DelayCounts>()
    );
}

#[test]
fn quantiles_are_those_of_the_sorted_delays_to_within_a_quarter() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let counts = DelayCounts::default();
        let mut sorted: Vec<u64> = (0..1000)
            .map(|_| (2000.0 * (rng.unit_f64() * 14.0).exp()) as u64)
            .collect();
        sorted
            .iter()
            .for_each(|nanos| counts.add(Duration::from_nanos(*nanos), 1));
        sorted.sort_unstable();
        let delays = delays(&counts);
        assert_eq!(delays.count(), 1000);
        assert_eq!(delays.sum_ns(), sorted.iter().sum::<u64>());
        for (part, rank) in [(0.0, 0), (0.5, 499), (0.99, 989), (1.0, 999)] {
            let told = delays.quantile(part).unwrap().as_nanos() as f64;
            let so = sorted[rank] as f64;
            assert!(
                told >= so && told <= so * 1.25 + 1.0,
                "seed {seed}: {told} for {so}"
            );
        }
    }
}

#[test]
fn what_came_between_two_readings_can_be_told() {
    let counts = DelayCounts::default();
    counts.add(Duration::from_millis(200), 10);
    let before = delays(&counts);
    counts.add(Duration::from_micros(50), 99);
    counts.add(Duration::from_secs(60), 1);
    let between = delays(&counts).since(&before);
    assert_eq!(between.count(), 100);
    assert!(between.p99().unwrap() < Duration::from_micros(63));
    assert_eq!(between.quantile(1.0), Some(Duration::from_nanos(u64::MAX)));
    assert_eq!(between.buckets().map(|(_, count)| count).sum::<u64>(), 100);
    assert_eq!(Delays::default().p50(), None);
}
