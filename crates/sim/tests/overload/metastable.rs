//! Whatever set off an overload: once it is gone, a crowd that times out and reconnects must not keep
//! it going.

use std::time::Duration;

use sim::{Cue, Group, Mix, Pace, Patience, Scenario, ServerConfig, Tenant};

use crate::harness::{AGGRESSOR, VICTIMS, is_recovered, run, secs, seed, seen, victims};

/// The victims, and 100,000 clients that take half of the machine; from 3 to 4.5 s everything that
/// the server does takes four times as long:
/// twice what there is.
fn slow_period(usual_seed: u64, protections: bool, length: Duration) -> Scenario {
    let mut groups = victims();
    groups.push(Group {
        arrive: (secs(0.0), secs(1.5)),
        mix: Mix {
            keys_per_get: 50,
            ..Mix::GETS
        },
        patience: Patience::NONE,
        ..Group::new("crowd", AGGRESSOR, 100_000, Pace::Open(secs(4.0)))
    });
    Scenario {
        seed: seed(usual_seed),
        tenants: (1..=4).map(Tenant::new).collect(),
        groups,
        server: ServerConfig {
            protections,
            ..ServerConfig::default()
        },
        cues: vec![
            (secs(3.0), Cue::Slowness(400)),
            (secs(4.5), Cue::Slowness(100)),
        ],
        length,
        ..Scenario::default()
    }
}

#[test]
fn a_slow_period_passes() {
    let report = run(slow_period(51, true, secs(7.0)));
    for victim in VICTIMS {
        // They are within their shares, and so all their requests are served in time throughout.
        let during = seen(&report, victim, 3.0..4.5).tally;
        let failures = during.timeouts + during.errors + during.refused + during.dropped;
        assert_eq!(failures, 0, "SIM_SEED={}: {during:?}", report.seed);
        is_recovered(&report, victim, 2.0..3.0, 5.0..7.0).unwrap();
    }
    is_recovered(&report, "crowd", 2.5..3.0, 6.0..7.0).unwrap();
}

#[test]
fn control_without_protections_it_stays_down() {
    let report = run(slow_period(52, false, secs(5.5)));
    for group in VICTIMS.into_iter().chain(["crowd"]) {
        let (before, after) = (
            seen(&report, group, 2.5..3.0),
            seen(&report, group, 5.0..5.5),
        );
        assert!(after.rate() < 0.1 * before.rate(), "{before:?} {after:?}");
    }
}
