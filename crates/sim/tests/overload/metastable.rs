//! Whatever set off an overload: once it is gone, a crowd that times out and reconnects must not keep
//! it going.

use sim::{Cue, Group, Mix, Pace, Patience, Scenario, ServerConfig, Tenant};

use crate::harness::{AGGRESSOR, VICTIMS, is_recovered, run, secs, seed, seen, victims};

/// The victims, and 100,000 clients that take half of the machine; from 3 to 4.5 s everything that
/// the server does takes twenty times as long.
fn slow_period(usual_seed: u64, protections: bool) -> Scenario {
    let mut groups = victims();
    groups.push(Group {
        arrive: (secs(0.0), secs(1.5)),
        mix: Mix {
            keys_per_get: 50,
            ..Mix::GETS
        },
        patience: Patience::NONE,
        ..Group::new("crowd", AGGRESSOR, 100_000, Pace::Closed(secs(4.0)))
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
            (secs(3.0), Cue::Slowness(2000)),
            (secs(4.5), Cue::Slowness(100)),
        ],
        length: secs(7.0),
        ..Scenario::default()
    }
}

#[test]
fn a_slow_period_passes() {
    let report = run(slow_period(51, true));
    for victim in VICTIMS {
        is_recovered(&report, victim, 2.0..3.0, 5.0..7.0).unwrap();
    }
}

#[test]
fn control_first_come_first_served_stays_down() {
    let report = run(slow_period(52, false));
    let (before, after) = (
        seen(&report, "crowd", 2.0..3.0),
        seen(&report, "crowd", 6.0..7.0),
    );
    assert!(after.rate() < 0.1 * before.rate(), "{before:?} {after:?}");
}
