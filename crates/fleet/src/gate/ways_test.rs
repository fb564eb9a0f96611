//! Tests of who must be able to use a candidate, and of how many that must be known.

use super::super::testing::{CANDIDATE, LIMITS, WELL, cannot_use, seen_but};
use super::*;
use crate::gate::{Against, Verdict};

#[test]
fn one_that_serves_and_cannot_use_it_is_enough_to_refuse_it_and_it_is_said_why() {
    for serving in 1..10 {
        for caller in 1..=serving {
            let mut evidence = seen_but(serving, &[caller]);
            cannot_use(&mut evidence, caller, CANDIDATE);
            let verdict = Verdict::of(CANDIDATE, &evidence, &LIMITS);
            assert!(!verdict.admitted && verdict.is_refused(), "{verdict:?}");
            let why = format!("node{caller} cannot use it: connection refused");
            assert_eq!(verdict.problems, [why]);
        }
    }
}

#[test]
fn who_died_in_the_middle_is_refused_whichever_half_of_the_pairs_was_before() {
    for serving in 2..10u32 {
        let after: Vec<u32> = (1..=serving / 2).collect();
        let mut evidence = seen_but(serving, &after);
        for caller in after {
            cannot_use(&mut evidence, caller, CANDIDATE);
        }
        let verdict = Verdict::of(CANDIDATE, &evidence, &LIMITS);
        assert!(!verdict.admitted, "{serving}: {verdict:?}");
        let is_over = verdict.is_hopeless(serving as usize);
        assert_eq!(is_over, serving >= 4, "more than one says so");
    }
}

#[test]
fn one_that_can_use_nobody_says_nothing_of_the_candidate() {
    let mut evidence = Evidence::default();
    for pair in seen_but(6, &[2]).pairs() {
        match pair.caller == MemberId(2) {
            true => cannot_use(&mut evidence, 2, pair.called),
            false => evidence.add_pair(pair.clone()),
        }
    }
    cannot_use(&mut evidence, 2, CANDIDATE);
    for node in (1..=6).map(MemberId).chain([CANDIDATE]) {
        evidence.add_own(node, WELL.own);
        evidence.add_clock(node, WELL.clock_ms);
    }
    let verdict = Verdict::of(CANDIDATE, &evidence, &LIMITS);
    assert!(verdict.admitted, "{verdict:?}");
    let told = verdict.untested.join("\n");
    assert!(told.contains("it can use no other node either"), "{told}");
}

#[test]
fn without_a_pair_nobody_is_let_in_and_what_was_not_tested_is_named() {
    let mut evidence = seen_but(4, &[1, 2, 3, 4]);
    evidence.add_untried("node1 could not be asked: it does not answer".to_owned());
    let verdict = Verdict::of(CANDIDATE, &evidence, &LIMITS);
    assert!(!verdict.admitted && !verdict.is_refused(), "{verdict:?}");
    let told = verdict.untested.join("\n");
    assert!(told.contains("node1 could not be asked") && told.contains("round trip, median"));
    assert!(!told.contains("disk"), "it keeps nothing there: {told}");
}

#[test]
fn more_than_half_of_those_that_serve_must_have_tried_it_and_below_three_limits_decide() {
    let untried = |serving: u32, silent: &[u32]| {
        let mut evidence = seen_but(serving, silent);
        for node in silent {
            evidence.add_untried(format!("node{node} could not be asked"));
        }
        Verdict::of(CANDIDATE, &evidence, &LIMITS)
    };
    let most = untried(5, &[1, 2]);
    assert!(most.admitted && most.against == Against::Fleet, "{most:?}");
    assert_eq!(most.untested.len(), 2);
    let few = untried(3, &[1]);
    assert!(few.admitted && few.against == Against::Limits, "{few:?}");
    let half = untried(4, &[1, 2]);
    assert!(!half.admitted && !half.is_refused(), "{half:?}");
}

#[test]
fn a_test_that_ends_early_is_measured_by_the_fleet_as_any_other() {
    let verdict = Verdict::of(CANDIDATE, &seen_but(3, &[3]), &LIMITS);
    assert_eq!(verdict.against, Against::Fleet, "{verdict:?}");
}
