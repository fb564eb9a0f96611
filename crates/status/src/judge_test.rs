//! What probes make of a level, and what they do not.

use super::*;

const EVERY: Duration = Duration::from_secs(2);
const QUICK: Option<Duration> = Some(Duration::from_millis(1));
const SLOW: Option<Duration> = Some(Duration::from_millis(300));

struct Bench {
    judge: Judge,
    now: Timestamp,
    steps: Vec<Step>,
}

impl Bench {
    fn new() -> Self {
        let now = Timestamp::from_secs(1_000);
        Self {
            judge: Judge::new(Standard::default(), now),
            now,
            steps: Vec::new(),
        }
    }

    fn probe(&mut self, took: Option<Duration>, times: usize) -> &mut Self {
        for _ in 0..times {
            self.now = self.now + EVERY;
            self.steps
                .extend(self.judge.observe(self.now, self.now, took));
        }
        self
    }

    fn healthy() -> Self {
        let mut bench = Self::new();
        bench.probe(QUICK, 30);
        assert_eq!(bench.judge.level(), Level::Operational);
        bench.steps.clear();
        bench
    }
}

#[test]
fn nothing_is_known_before_two_probes() {
    let mut bench = Bench::new();
    assert_eq!(bench.judge.level(), Level::NoData);
    assert_eq!(bench.probe(QUICK, 1).judge.level(), Level::NoData);
    assert_eq!(bench.probe(QUICK, 1).judge.level(), Level::Operational);
}

#[test]
fn two_failures_are_noise_and_three_are_an_outage_since_the_first() {
    let mut bench = Bench::healthy();
    let first = bench.now + EVERY;
    assert_eq!(bench.probe(None, 2).judge.level(), Level::Operational);
    assert_eq!(bench.probe(None, 1).judge.level(), Level::Major);
    assert_eq!(bench.judge.onset(), first);
    assert_eq!(bench.judge.failures(), (3, 20));
}

#[test]
fn an_outage_ends_after_four_successes_in_a_row() {
    let mut bench = Bench::healthy();
    bench.probe(None, 5).probe(QUICK, 3).probe(None, 1);
    assert_eq!(bench.judge.level(), Level::Major);
    bench.probe(QUICK, 3);
    assert_eq!(bench.judge.level(), Level::Major);
    bench.probe(QUICK, 1);
    assert_eq!(bench.judge.level(), Level::Operational);
    // The failures that are over do not count again.
    bench.probe(None, 1).probe(QUICK, 5);
    assert_eq!(bench.judge.level(), Level::Operational);
}

#[test]
fn what_fails_now_and_then_is_a_partial_outage_and_does_not_flap() {
    let mut bench = Bench::healthy();
    for _ in 0..20 {
        bench.probe(None, 1).probe(QUICK, 1);
    }
    assert_eq!(bench.judge.level(), Level::Partial);
    assert_eq!(bench.steps.len(), 1, "{:?}", bench.steps);
    bench.probe(QUICK, 7);
    assert_eq!(bench.judge.level(), Level::Operational);
    assert_eq!(bench.steps.len(), 2);
}

#[test]
fn slowness_needs_ten_of_twelve_and_goes_with_nine_quick_ones() {
    let mut bench = Bench::healthy();
    assert_eq!(bench.probe(SLOW, 9).judge.level(), Level::Operational);
    assert_eq!(bench.probe(SLOW, 1).judge.level(), Level::Degraded);
    for _ in 0..10 {
        bench.probe(QUICK, 1).probe(SLOW, 1);
    }
    assert_eq!(bench.judge.level(), Level::Degraded);
    bench.probe(QUICK, 10);
    assert_eq!(bench.judge.level(), Level::Operational);
    assert_eq!(bench.steps.len(), 2, "{:?}", bench.steps);
}

#[test]
fn silence_is_no_data_whatever_was_before() {
    for before in [QUICK, None] {
        let mut bench = Bench::healthy();
        bench.probe(before, 5);
        let last = bench.now;
        assert_eq!(
            bench.judge.handle_timeout(last + Duration::from_secs(8)),
            None
        );
        let step = bench
            .judge
            .handle_timeout(last + Duration::from_secs(9))
            .unwrap();
        assert_eq!((step.to, step.onset), (Level::NoData, last));
        assert_eq!(
            bench.judge.handle_timeout(last + Duration::from_secs(10)),
            None
        );
    }
}

#[test]
fn a_probe_after_a_silence_does_not_hide_it() {
    let mut bench = Bench::healthy();
    bench.now = bench.now + Duration::from_secs(60);
    bench.probe(QUICK, 1);
    assert_eq!(bench.judge.level(), Level::NoData);
    assert_eq!(bench.steps.len(), 1);
    assert_eq!(bench.probe(QUICK, 1).judge.level(), Level::Operational);
}
