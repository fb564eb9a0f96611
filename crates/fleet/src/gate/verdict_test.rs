//! Tests of verdicts: who is as the others are passes, who is worse in one thing is refused for it.

use std::time::Duration;

use base::rng::Rng;

use super::super::testing::{CANDIDATE, LIMITS, Nature, WELL, cannot_use, pair, seen, seen_but};
use super::*;
use crate::gate::{OwnFigures, Pair, PairFigures};

fn failed(candidate: &Nature, serving: u32) -> Vec<Test> {
    let mut rng = Rng::new(u64::from(serving));
    let verdict = Verdict::of(CANDIDATE, &seen(&mut rng, candidate, serving), &LIMITS);
    let failed: Vec<Test> = verdict.failed().map(|it| it.test).collect();
    assert_eq!(verdict.admitted, failed.is_empty());
    failed
}

#[test]
fn who_is_as_the_others_are_is_let_in_however_many_they_are() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let serving = 1 + rng.below(30) as u32;
        let verdict = Verdict::of(CANDIDATE, &seen(&mut rng, &WELL, serving), &LIMITS);
        assert!(verdict.admitted, "seed {seed}: {verdict:?}");
        let by_limits = serving < PEERS_MIN as u32;
        assert_eq!(verdict.against == Against::Limits, by_limits);
    }
}

#[test]
fn each_fault_is_refused_and_named() {
    let own = WELL.own;
    let faults = [
        (
            Test::RoundTrip,
            Nature {
                delay_ms: 50.0,
                ..WELL
            },
        ),
        (
            Test::RoundTripP99,
            Nature {
                late_share: 0.05,
                ..WELL
            },
        ),
        (
            Test::RoundTripP999,
            Nature {
                late_share: 0.004,
                ..WELL
            },
        ),
        (Test::Unanswered, Nature { lost: 0.05, ..WELL }),
        (
            Test::Inward,
            Nature {
                mbit_s: 2.0,
                ..WELL
            },
        ),
        (
            Test::Outward,
            Nature {
                mbit_s: 2.0,
                ..WELL
            },
        ),
        (Test::Resent, Nature { resent: 40, ..WELL }),
        (
            Test::Engine,
            Nature {
                own: OwnFigures {
                    engine_us: 40.0,
                    ..own
                },
                ..WELL
            },
        ),
        (
            Test::Steal,
            Nature {
                own: OwnFigures {
                    steal_percent: 30.0,
                    ..own
                },
                ..WELL
            },
        ),
        (
            Test::Memory,
            Nature {
                own: OwnFigures {
                    memory_mib_s: 500.0,
                    ..own
                },
                ..WELL
            },
        ),
        (
            Test::Pattern,
            Nature {
                own: OwnFigures {
                    pattern_faults: Some(1),
                    ..own
                },
                ..WELL
            },
        ),
        (
            Test::Clock,
            Nature {
                clock_ms: 4000.0,
                ..WELL
            },
        ),
    ];
    for serving in [1, 2, 3, 6, 29] {
        for (test, nature) in &faults {
            let failed = failed(nature, serving);
            assert!(
                failed.contains(test),
                "{serving} serve, {test:?}: {failed:?}"
            );
        }
    }
}

#[test]
fn what_the_fleet_does_decides_and_not_a_constant() {
    let slow_fleet = |test_ms: f64, limits: &GateLimits| {
        let mut evidence = Evidence::default();
        for node in (1..=5).map(MemberId).chain([CANDIDATE]) {
            let ms = if node == CANDIDATE { test_ms } else { 40.0 };
            evidence.add_own(node, WELL.own);
            let figures = PairFigures {
                to_called_mbit_s: 10.0,
                to_caller_mbit_s: 10.0,
                ..PairFigures::default()
            };
            let took = vec![Duration::from_secs_f64(ms / 1e3); 100];
            for caller in (1..=5).map(MemberId).filter(|caller| *caller != node) {
                let seen = Ok(figures.with_round_trips(&took, 0));
                evidence.add_pair(Pair {
                    caller,
                    called: node,
                    seen,
                });
            }
            evidence.add_clock(node, 0.0);
        }
        Verdict::of(CANDIDATE, &evidence, limits).admitted
    };
    // A fleet whose nodes are far from one another lets in who is as far.
    assert!(slow_fleet(45.0, &LIMITS));
    assert!(!slow_fleet(130.0, &LIMITS));
}

#[test]
fn half_of_its_pairs_being_bad_is_bad() {
    let slow = Nature {
        mbit_s: 1.0,
        delay_ms: 90.0,
        ..WELL
    };
    for serving in [2, 4, 6] {
        let half: Vec<u32> = (1..=serving / 2).collect();
        let mut evidence = seen_but(serving, &half);
        for caller in half {
            evidence.add_pair(Pair {
                caller: MemberId(caller),
                called: CANDIDATE,
                seen: Ok(pair(&mut Rng::new(3), &slow, &WELL)),
            });
        }
        let verdict = Verdict::of(CANDIDATE, &evidence, &LIMITS);
        let failed: Vec<Test> = verdict.failed().map(|it| it.test).collect();
        assert!(failed.contains(&Test::RoundTrip) && failed.contains(&Test::Inward));
    }
}

#[test]
fn who_is_far_from_good_enough_is_known_after_two_pairs_and_nobody_else() {
    let hopeless = |nature: &Nature, pairs: usize| {
        let evidence = seen(&mut Rng::new(5), nature, 6);
        Verdict::of(CANDIDATE, &evidence, &LIMITS).is_hopeless(pairs)
    };
    let narrow = Nature {
        mbit_s: 2.0,
        ..WELL
    };
    assert!(hopeless(&narrow, 2) && !hopeless(&narrow, 1));
    assert!(!hopeless(
        &Nature {
            mbit_s: 150.0,
            ..WELL
        },
        6
    ));
    assert!(!hopeless(&WELL, 6));
    // One caller alone may be to blame itself.
    let mut evidence = seen_but(6, &[1, 2]);
    cannot_use(&mut evidence, 1, CANDIDATE);
    assert!(!Verdict::of(CANDIDATE, &evidence, &LIMITS).is_hopeless(2));
    cannot_use(&mut evidence, 2, CANDIDATE);
    assert!(Verdict::of(CANDIDATE, &evidence, &LIMITS).is_hopeless(2));
}

#[test]
fn one_bad_pair_of_several_says_nothing() {
    let mut evidence = seen(&mut Rng::new(2), &WELL, 6);
    let bad = pair(
        &mut Rng::new(3),
        &Nature {
            mbit_s: 1.0,
            delay_ms: 90.0,
            ..WELL
        },
        &WELL,
    );
    let (caller, called) = (MemberId(1), CANDIDATE);
    evidence.add_pair(Pair {
        caller,
        called,
        seen: Ok(bad),
    });
    assert!(Verdict::of(CANDIDATE, &evidence, &LIMITS).admitted);
}

#[test]
fn nobody_is_let_in_of_whom_nothing_was_seen_or_whose_machine_could_not_be_tried() {
    let nothing = Verdict::of(CANDIDATE, &Evidence::default(), &LIMITS);
    assert!(!nothing.admitted);
    let mut evidence = seen(&mut Rng::new(1), &WELL, 4);
    evidence.add_problem("its own machine could not be tried: it speaks version 1".to_owned());
    assert!(!Verdict::of(CANDIDATE, &evidence, &LIMITS).admitted);
}

#[test]
fn the_sentence_names_ours_and_the_fleets() {
    let outcome = Outcome {
        test: Test::Inward,
        ours: Some(1.93),
        fleet: Some(812.4),
        limit: Some(270.8),
        passed: false,
    };
    let told = "throughput towards it: 1.9 Mbit/s, the fleet's 812 Mbit/s, at least 271 Mbit/s";
    assert_eq!(outcome.sentence(), told);
}
