//! One tenant asks for several times what the machine can do: the others do not notice.

use std::time::Duration;

use sim::{Group, Mix, Pace, Scenario, ServerConfig, Tenant};

use crate::harness::{
    AGGRESSOR, VICTIMS, assert_unharmed, is_recovered, run, secs, seed, seen, victims,
};

/// From 0.8 to 2.1 s a tenant asks, in an open loop, for 80,000 retrievals of 100 keys a second: 3.2
/// times what the machine can do.
fn spike(usual_seed: u64, protections: bool) -> Scenario {
    let mut groups = victims();
    groups.push(Group {
        mix: Mix::MULTI_GETS,
        arrive: (secs(0.8), secs(0.1)),
        leave: secs(2.1),
        ..Group::new(
            "spike",
            AGGRESSOR,
            4000,
            Pace::Open(Duration::from_millis(50)),
        )
    });
    Scenario {
        seed: seed(usual_seed),
        tenants: (1..=4).map(Tenant::new).collect(),
        groups,
        server: ServerConfig {
            protections,
            ..ServerConfig::default()
        },
        length: secs(3.0),
        ..Scenario::default()
    }
}

#[test]
fn the_others_do_not_notice() {
    let report = run(spike(21, true));
    assert_unharmed(&report, 0.3..0.8, 0.8..2.1, Duration::from_micros(250));
    for victim in VICTIMS {
        is_recovered(&report, victim, 0.3..0.8, 2.1..3.0).unwrap();
    }
    // Nor is the machine wasted: three victims take 5 % each, and the loop itself a little.
    let share = report.busy_ns_between(AGGRESSOR, 1, 2) as f64 / 1e9;
    assert!(share > 0.75, "SIM_SEED={}: {share}", report.seed);
}

#[test]
fn control_without_protections_they_starve() {
    let report = run(spike(23, false));
    for victim in VICTIMS {
        let (before, during) = (
            seen(&report, victim, 0.3..0.8),
            seen(&report, victim, 1.2..2.1),
        );
        assert!(during.p99 > before.p99 * 10, "{before:?} {during:?}");
        assert!(during.rate() < 0.5 * before.rate(), "{before:?} {during:?}");
    }
}
