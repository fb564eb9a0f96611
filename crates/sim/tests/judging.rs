//! The small form of `scripts/fleet-sim.sh`: healthy nodes stay, bad ones go, and others' rules show
//! what the noise is worth.
//!
//! `SIM_SEED=N` begins at another seed.
#![forbid(unsafe_code)]

use std::time::Duration;

use base::rng::Rng;
use sim::judging::{Fault, FaultKind, FleetShape, Intensity, RuleKind};

fn seed() -> u64 {
    let given = std::env::var("SIM_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

fn shape(nodes: usize, observers: usize, seed: u64) -> FleetShape {
    FleetShape {
        nodes,
        observers,
        seed,
    }
}

#[test]
fn noise_takes_nobody_out() {
    let (mut hours, mut mcrouter) = (0.0, 0.0);
    for (place, (nodes, observers)) in [(6, 2), (6, 1), (30, 3)].into_iter().enumerate() {
        let shape = shape(nodes, observers, seed() + place as u64);
        let calm = shape.calm(Duration::from_secs(3600));
        let by = |kind: RuleKind| calm.ejections.iter().find(|it| it.0 == kind).unwrap().1;
        assert_eq!(by(RuleKind::Cofferdam), 0.0, "{shape:?}");
        mcrouter += by(RuleKind::Mcrouter);
        hours += calm.node_hours;
    }
    // The noise is some: a rule that looks at timeouts alone takes healthy nodes out by the dozen.
    assert!(mcrouter > hours / 2.0, "{mcrouter} in {hours} hours");
}

#[test]
fn every_kind_of_fault_is_found() {
    for kind in FaultKind::ALL {
        for (nodes, observers) in [(6, 2), (30, 3)] {
            for intensity in [Intensity::Known, Intensity::HeldOut] {
                let shape = shape(nodes, observers, seed() + nodes as u64);
                let fault = Fault::draw(&mut Rng::new(shape.seed), kind, intensity);
                let found = shape.with_fault(fault, Duration::from_secs(40));
                let ours = found[0];
                assert_eq!(ours.rule, RuleKind::Cofferdam);
                assert!(
                    ours.ejected_s.is_some_and(|it| it <= 30.0),
                    "{fault:?} {ours:?}"
                );
                assert_eq!(ours.wrong, 0.0, "{fault:?}: another one was blamed");
            }
        }
    }
}

#[test]
fn a_rule_of_timeouts_does_not_see_what_is_slow_but_answers() {
    let shape = shape(30, 3, seed());
    let fault = Fault::draw(&mut Rng::new(1), FaultKind::Bimodal, Intensity::Known);
    let found = shape.with_fault(fault, Duration::from_secs(40));
    let by = |kind: RuleKind| found.iter().find(|it| it.rule == kind).unwrap();
    assert!(
        by(RuleKind::Cofferdam)
            .noticed_s
            .is_some_and(|it| it <= 30.0)
    );
    assert_eq!(by(RuleKind::Tikv).ejected_s, None);
}

#[test]
fn who_has_recovered_comes_back_once_and_stays() {
    for kind in FaultKind::ALL {
        for seed in seed()..seed() + 5 {
            let shape = shape(6, 2, seed);
            let fault = Fault::draw(&mut Rng::new(seed), kind, Intensity::Known);
            let (bad, well) = (Duration::from_secs(30), Duration::from_secs(600));
            let seen = shape.with_recovery(fault, bad, well);
            assert!(seen.was_out, "{kind:?}, seed {seed}: {seen:?}");
            assert!(seen.back_s.is_some(), "{kind:?}, seed {seed}: {seen:?}");
            // At the moment of its recovery it may be on probation for what it did before.
            assert!(
                seen.ejections_after <= 1.0,
                "{kind:?}, seed {seed}: {seen:?}"
            );
        }
    }
}

#[test]
fn a_seed_repeats_its_fleet() {
    let shape = shape(6, 2, 7);
    let length = Duration::from_secs(600);
    assert_eq!(shape.calm(length), shape.calm(length));
}
