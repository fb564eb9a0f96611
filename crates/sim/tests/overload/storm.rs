//! A storm of connections that are given up and opened again: the others do not notice, and can
//! still connect.

use std::time::Duration;

use base::TenantId;
use sim::{Conduct, Cue, Group, Pace, Scenario, Sources, Tenant};

use crate::harness::{
    AGGRESSOR, VICTIMS, assert_unharmed, is_recovered, run, secs, seed, seen, victims,
};

/// From 1 to 3 s, 16,000 clients open a connection each every half second, authenticate, ask and go
/// without having read: 32,000 connects a second. A fourth well-behaved tenant connects anew for
/// every request.
fn storm(usual_seed: u64, sources: Sources) -> Scenario {
    let mut groups = victims();
    groups.push(Group {
        sources,
        arrive: (secs(1.0), secs(0.5)),
        leave: secs(3.0),
        conduct: Conduct::Abandon(secs(0.25), secs(0.25)),
        ..Group::new("storm", AGGRESSOR, 16_000, Pace::Closed(Duration::ZERO))
    });
    groups.push(Group {
        conduct: Conduct::Abandon(secs(0.1), secs(0.1)),
        ..Group::new("newcomers", TenantId(5), 100, Pace::Closed(Duration::ZERO))
    });
    Scenario {
        seed: seed(usual_seed),
        tenants: (1..=5).map(Tenant::new).collect(),
        groups,
        length: secs(4.5),
        ..Scenario::default()
    }
}

fn assert_weathered(scenario: Scenario) {
    let report = run(scenario);
    assert_unharmed(&report, 0.5..1.0, 1.0..3.0, Duration::from_micros(300));
    for victim in VICTIMS {
        is_recovered(&report, victim, 0.5..1.0, 3.5..4.5).unwrap();
    }
    let newcomers = seen(&report, "newcomers", 1.0..4.5);
    let told = format!("SIM_SEED={}: {newcomers:?}", report.seed);
    assert_eq!(newcomers.tally.connect_failures, 0, "{told}");
    assert!(newcomers.connect_p99 < Duration::from_millis(100), "{told}");
    let storm = seen(&report, "storm", 1.5..3.0);
    assert!(storm.tally.connects as f64 / 1.5 > 30_000.0, "{storm:?}");
    assert!(
        report.network.close_wait_oldest_ms < 1000,
        "{:?}",
        report.network
    );
}

#[test]
fn from_many_sources() {
    assert_weathered(storm(31, Sources::Each));
}

#[test]
fn from_one_source() {
    assert_weathered(storm(32, Sources::One));
}

#[test]
fn everybody_comes_back_after_their_connections_are_lost() {
    let mut scenario = storm(33, Sources::Each);
    scenario.groups[3] = Group {
        arrive: (secs(0.0), secs(0.7)),
        ..Group::new("crowd", AGGRESSOR, 20_000, Pace::Closed(secs(1.0)))
    };
    scenario.cues = vec![(secs(2.0), Cue::Cut(3))];
    let report = run(scenario);
    // To close them all takes 40 ms, to hear of it 1.2 ms; nobody waits for more than the latter.
    assert_unharmed(&report, 1.0..2.0, 2.0..2.1, Duration::from_millis(2));
    assert_unharmed(&report, 1.0..2.0, 2.0..3.0, Duration::from_micros(300));
    for group in VICTIMS.into_iter().chain(["crowd"]) {
        is_recovered(&report, group, 1.0..2.0, 3.5..4.5).unwrap();
    }
    let newcomers = seen(&report, "newcomers", 2.0..4.5);
    assert_eq!(newcomers.tally.connect_failures, 0, "{newcomers:?}");
}

#[test]
fn more_connections_than_can_be_served() {
    let mut scenario = storm(34, Sources::Each);
    // 80,000 a second, of which one core can authenticate and answer some 50,000.
    scenario.groups[3].conduct = Conduct::Abandon(secs(0.1), secs(0.1));
    scenario.groups[3].arrive = (secs(1.0), secs(0.2));
    scenario.server.unauthenticated_max = 50_000;
    scenario.groups[3].leave = secs(2.0);
    scenario.length = secs(3.0);
    let report = run(scenario);
    assert_unharmed(&report, 0.5..1.0, 1.0..2.0, Duration::from_micros(250));
    let newcomers = seen(&report, "newcomers", 1.0..2.0);
    let told = format!("SIM_SEED={}: {newcomers:?}", report.seed);
    assert_eq!(newcomers.tally.connect_failures, 0, "{told}");
    assert!(newcomers.connect_p99 < Duration::from_millis(100), "{told}");
    assert_eq!(report.network.syn_dropped, 0, "{told}");
}
