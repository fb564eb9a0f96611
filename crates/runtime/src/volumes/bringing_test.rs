//! Quick where what is brought stays, seldom where it does not.

use super::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(100) + Duration::from_millis(millis)
}

/// How many are brought within a second in which one is missed each millisecond.
fn brought(bringing: &Bringing, from: u64, before: impl Fn(u64) -> Option<Timestamp>) -> usize {
    let times = from..from + 1000;
    times
        .filter(|now| bringing.may_bring(at(*now), before(*now)))
        .count()
}

#[test]
fn what_was_never_brought_comes_quickly() {
    assert_eq!(brought(&Bringing::default(), 0, |_| None), 500);
}

#[test]
fn what_does_not_stay_is_brought_seldom() {
    let bringing = Bringing::default();
    let just_now = |now: u64| Some(at(now.saturating_sub(50)));
    brought(&bringing, 0, just_now);
    assert_eq!(brought(&bringing, 1000, just_now), 50);
    // Others stay: quick again, after some.
    brought(&bringing, 2000, |_| None);
    assert_eq!(brought(&bringing, 3000, |_| None), 500);
}

#[test]
fn what_stayed_for_long_was_not_brought_in_vain() {
    let bringing = Bringing::default();
    let long_ago = |_| Some(at(0));
    assert_eq!(brought(&bringing, 60_000, long_ago), 500);
}
