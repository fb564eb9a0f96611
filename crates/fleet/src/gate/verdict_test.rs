//! Tests of verdicts: who is as the others are passes, who is worse in one thing is refused for it.

use std::time::Duration;

use base::rng::Rng;

use super::*;
use crate::gate::{OwnFigures, Pair, PairFigures, Plan};

const CANDIDATE: MemberId = MemberId(100);
const LIMITS: GateLimits = GateLimits {
    round_trip_ms: 1.0,
    throughput_mbit_s: 100.0,
    resent_percent: 1.0,
    engine_us: 20.0,
    steal_percent: 5.0,
    memory_mib_s: 1000.0,
    disk_ms: 20.0,
    clock_ms: 100.0,
};

/// How a node is.
#[derive(Clone, Copy)]
struct Nature {
    delay_ms: f64,
    late_share: f64,
    mbit_s: f64,
    resent: u32,
    lost: f64,
    own: OwnFigures,
    clock_ms: f64,
}

const WELL: Nature = Nature {
    delay_ms: 0.2,
    late_share: 0.0,
    mbit_s: 900.0,
    resent: 0,
    lost: 0.0,
    own: OwnFigures {
        engine_us: 1.0,
        steal_percent: 0.5,
        memory_mib_s: 8000.0,
        pattern_faults: Some(0),
        disk_ms: None,
    },
    clock_ms: 0.3,
};

fn pair(rng: &mut Rng, one: &Nature, other: &Nature) -> PairFigures {
    let mut took = Vec::new();
    let mut unanswered = 0;
    for _ in 0..1000 {
        let late = rng.unit_f64() < one.late_share.max(other.late_share);
        let ms = one.delay_ms.max(other.delay_ms) * (0.5 + rng.unit_f64());
        match rng.unit_f64() < one.lost.max(other.lost) {
            true => unanswered += 1,
            false => took.push(Duration::from_secs_f64(
                (ms + if late { 60.0 } else { 0.0 }) / 1e3,
            )),
        }
    }
    let mbit_s = one.mbit_s.min(other.mbit_s) * (0.6 + 0.8 * rng.unit_f64());
    PairFigures {
        to_called_mbit_s: mbit_s,
        to_caller_mbit_s: mbit_s,
        segments: 1000,
        resent: one.resent.max(other.resent),
        ..PairFigures::default()
    }
    .with_round_trips(&took, unanswered)
}

fn seen(rng: &mut Rng, candidate: &Nature, serving: u32) -> Evidence {
    let mut evidence = Evidence::default();
    let peers: Vec<MemberId> = (1..=serving).map(MemberId).collect();
    let nature = |node: MemberId| if node == CANDIDATE { candidate } else { &WELL };
    for round in Plan::new(CANDIDATE, &peers).rounds {
        for (caller, called) in round.pairs {
            let seen = Ok(pair(rng, nature(caller), nature(called)));
            evidence.add_pair(Pair {
                caller,
                called,
                seen,
            });
        }
    }
    for node in peers.into_iter().chain([CANDIDATE]) {
        let mut own = nature(node).own;
        own.engine_us *= 0.6 + 0.8 * rng.unit_f64();
        own.memory_mib_s *= 0.6 + 0.8 * rng.unit_f64();
        evidence.add_own(node, own);
        evidence.add_clock(node, nature(node).clock_ms);
    }
    evidence
}

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
            let other = if node == MemberId(1) {
                MemberId(2)
            } else {
                MemberId(1)
            };
            let (caller, called) = (other, node);
            let seen = Ok(figures.with_round_trips(&took, 0));
            evidence.add_pair(Pair {
                caller,
                called,
                seen,
            });
        }
        Verdict::of(CANDIDATE, &evidence, limits).admitted
    };
    // A fleet whose nodes are far from one another lets in who is as far.
    assert!(slow_fleet(45.0, &LIMITS));
    assert!(!slow_fleet(130.0, &LIMITS));
}

#[test]
fn who_cannot_be_reached_is_refused_and_it_is_said_why() {
    let mut evidence = seen(&mut Rng::new(1), &WELL, 4);
    let caller = MemberId(1);
    for _ in 0..9 {
        let seen = Err("node1 cannot reach it: connection refused".to_owned());
        evidence.add_pair(Pair {
            caller,
            called: CANDIDATE,
            seen,
        });
    }
    let verdict = Verdict::of(CANDIDATE, &evidence, &LIMITS);
    assert!(!verdict.admitted);
    assert_eq!(
        verdict.problems,
        ["node1 cannot reach it: connection refused"]
    );
    let ours = verdict
        .outcomes
        .iter()
        .find(|it| it.test == Test::RoundTrip);
    assert_eq!(ours.map(|it| it.ours), Some(None));
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
