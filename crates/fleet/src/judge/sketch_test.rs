//! Quantiles and shares against sorted lists.

use base::rng::Rng;

use super::*;

fn micros(us: u64) -> Duration {
    Duration::from_micros(us)
}

#[test]
fn quantiles_are_within_a_bucket_of_the_truth() {
    let mut rng = Rng::new(1);
    for _ in 0..200 {
        let count = 1 + rng.below(400);
        let scale = 1 << rng.below(12);
        let mut took: Vec<u64> = (0..count).map(|_| 20 + rng.below(20 * scale)).collect();
        let mut sketch = Sketch::default();
        for us in &took {
            sketch.note(micros(*us));
        }
        took.sort_unstable();
        for part in [0.25, 0.5, 0.9] {
            let rank = ((count as f64 * part).ceil() as usize).max(1) - 1;
            let (truth, found) = (took[rank] as f64 * 1e-6, sketch.quantile_s(part).unwrap());
            assert!(
                found > truth / 1.3 && found < truth * 1.3,
                "{part}: {found} for {truth}"
            );
        }
    }
}

#[test]
fn every_time_is_in_the_bucket_that_says_so() {
    for shift in 0..40 {
        for nanos in [1u64 << shift, (1 << shift) + (1 << shift) / 3] {
            let bucket = bucket_of(Duration::from_nanos(nanos));
            let (from, to) = (within(bucket, 0.0), within(bucket, 1.0));
            let took = nanos as f64 * 1e-9;
            assert!(
                took >= from * 0.999 && (took < to || bucket == UNANSWERED - 1),
                "{took}"
            );
        }
    }
    assert_eq!(bucket_of(Duration::MAX), UNANSWERED - 1);
}

#[test]
fn no_answer_is_later_than_any() {
    let mut sketch = Sketch::default();
    sketch.note(Duration::from_secs(30));
    sketch.note_unanswered(2);
    assert_eq!(sketch.quantile_s(0.5), Some(f64::INFINITY));
    assert!(sketch.quantile_s(0.3).unwrap() < 1.0);
    assert_eq!((sketch.count(), sketch.unanswered()), (3, 2));
    assert!((sketch.share_above(60.0) - 2.0 / 3.0).abs() < 1e-9);
}

#[test]
fn a_share_above_a_limit_leaves_the_limits_bucket_out() {
    let mut sketch = Sketch::default();
    for _ in 0..90 {
        sketch.note(micros(300));
    }
    for _ in 0..10 {
        sketch.note(micros(9000));
    }
    assert!((sketch.share_above(0.001) - 0.1).abs() < 1e-9);
    assert_eq!(sketch.share_above(0.02), 0.0);
    assert_eq!(Sketch::default().share_above(0.0), 0.0);
}

#[test]
fn merging_is_adding() {
    let (mut one, mut other, mut both) = (Sketch::default(), Sketch::default(), Sketch::default());
    for us in [50, 400, 90_000] {
        one.note(micros(us));
        both.note(micros(us));
    }
    for us in [70, 5_000] {
        other.note(micros(us));
        both.note(micros(us));
    }
    other.note_unanswered(1);
    both.note_unanswered(1);
    one.absorb(&other);
    assert_eq!(one, both);
    assert_eq!(Sketch::default().quantile_s(0.5), None);
}
