//! Tests that the gate takes no more than a twentieth of what a node can do.

use base::rng::Rng;

use super::*;

const A: MemberId = MemberId(1);
const B: MemberId = MemberId(2);

#[test]
fn a_twentieth_of_what_the_weakest_has_shown() {
    let mut rates = Rates::default();
    rates.note(A, Some(Duration::from_micros(100)), 1e9);
    rates.note(B, Some(Duration::from_micros(400)), 2e8);
    let budget = |nodes: &[MemberId]| rates.budget(nodes);
    assert_eq!(
        budget(&[A]),
        Budget {
            requests_per_s: 500,
            bytes_per_s: 50_000_000
        }
    );
    assert_eq!(
        budget(&[A, B]),
        Budget {
            requests_per_s: 125,
            bytes_per_s: 10_000_000
        }
    );
}

#[test]
fn who_is_not_known_is_taken_to_be_weak_and_a_bad_moment_does_not_count() {
    let mut rates = Rates::default();
    let first = Budget {
        requests_per_s: 100,
        bytes_per_s: 500_000,
    };
    assert_eq!(rates.budget(&[A]), first);
    rates.note(A, Some(Duration::from_micros(1)), 1e9);
    assert_eq!(rates.budget(&[A, B]), first);
    rates.note(A, Some(Duration::from_millis(10)), 1e3);
    assert_eq!(rates.budget(&[A]).requests_per_s, 1000);
}

#[test]
fn a_pace_is_kept_over_any_time_whatever_is_spent_at_once() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let per_s = 1.0 + rng.below(1_000_000) as f64;
        let mut now = Timestamp::from_secs(1_000);
        let mut pace = Pace::new(now, per_s);
        let mut spent: Vec<(Timestamp, f64)> = Vec::new();
        for _ in 0..100 {
            now = now.max(pace.due()) + Duration::from_micros(rng.below(200_000));
            let amount = rng.unit_f64() * per_s / 10.0;
            pace.spend(now, amount);
            spent.push((now, amount));
        }
        for (place, (begin, _)) in spent.iter().enumerate() {
            let mut sum = 0.0;
            for (at, amount) in &spent[place..] {
                let allowed = at.since(*begin).as_secs_f64() * per_s;
                assert!(sum <= allowed * 1.000_001 + 1e-6, "seed {seed}");
                sum += amount;
            }
        }
    }
}
