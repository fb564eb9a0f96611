//! Tests of the figures of round trips.

use super::*;

fn millis(of: impl IntoIterator<Item = u64>) -> Vec<Duration> {
    of.into_iter().map(Duration::from_millis).collect()
}

#[test]
fn parts_of_a_thousand_round_trips() {
    let figures = PairFigures::default().with_round_trips(&millis((1..=1000).rev()), 0);
    assert_eq!(figures.median_ms, Some(500.0));
    assert_eq!(figures.p99_ms, Some(990.0));
    assert_eq!(figures.p999_ms, Some(999.0));
}

#[test]
fn one_without_an_answer_took_longer_than_any_other() {
    let figures = PairFigures::default().with_round_trips(&millis(1..=90), 10);
    assert_eq!((figures.asked, figures.unanswered), (100, 10));
    assert_eq!(figures.median_ms, Some(50.0));
    assert_eq!(figures.p99_ms, None);
    let none = PairFigures::default().with_round_trips(&[], 0);
    assert_eq!(none.median_ms, None);
}

#[test]
fn every_test_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = Test::ALL.iter().map(|test| test.name()).collect();
    assert_eq!(names.len(), Test::ALL.len());
}
