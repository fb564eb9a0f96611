//! A tenant over its limits waits, then is refused; its clients stay connected, and nobody reads
//! what was replaced.

use std::time::Duration;

use base::TrafficLimits;
use gateway::ConnectionFigures;
use sim::{Cue, Group, Mix, Pace, Report, Scenario, ServerConfig, Tenant};

use crate::harness::{AGGRESSOR, assert_unharmed, run, secs, seed, seen, victims};

/// Half reads, half changes, all of the connection's own key.
const OWN: Mix = Mix {
    get_shared: 0,
    get_own: 50,
    set_own: 40,
    delete_own: 10,
    keys_per_get: 1,
};

/// The victims, and a tenant that may take this much and wants `clients` requests at a time.
fn limited(usual_seed: u64, traffic: TrafficLimits, clients: u32, pace: Pace) -> Scenario {
    let mut groups = victims();
    groups.push(Group {
        mix: OWN,
        ..Group::new("limited", AGGRESSOR, clients, pace)
    });
    let mut tenants: Vec<_> = (1..=4).map(Tenant::new).collect();
    tenants[3].traffic = traffic;
    Scenario {
        seed: seed(usual_seed),
        tenants,
        groups,
        length: secs(3.0),
        ..Scenario::default()
    }
}

fn ops_per_second(ops: u64) -> TrafficLimits {
    TrafficLimits {
        ops_per_second: Some(ops),
        burst: Duration::from_millis(100),
        ..TrafficLimits::default()
    }
}

#[test]
fn a_little_over_the_rate_is_slowed_and_not_refused() {
    // A closed loop asks no faster than it is answered.
    let pace = Pace::Closed(Duration::from_millis(10));
    let report = run(limited(71, ops_per_second(5_000), 100, pace));
    assert_unharmed(&report, 0.5..1.0, 1.0..3.0, Duration::from_micros(250));
    let seen = seen(&report, "limited", 1.0..3.0);
    let told = format!("SIM_SEED={}: {seen:?}", report.seed);
    assert!((4_800.0..=5_100.0).contains(&seen.rate()), "{told}");
    let tally = seen.tally;
    assert_eq!(
        tally.timeouts + tally.dropped + tally.connects + tally.refused,
        0,
        "{told}"
    );
}

/// Six times the rate, and so many at once that to wait for one's turn takes longer than the 200 ms
/// that a request may wait.
fn far_over(usual_seed: u64, loops: usize) -> Report {
    let pace = Pace::Open(Duration::from_millis(100));
    let mut scenario = limited(usual_seed, ops_per_second(5_000), 3000, pace);
    scenario.server = ServerConfig {
        loops,
        ..ServerConfig::default()
    };
    let report = run(scenario);
    assert_unharmed(&report, 0.5..1.0, 1.0..3.0, Duration::from_micros(250));
    let seen = seen(&report, "limited", 1.0..3.0);
    let told = format!("SIM_SEED={}: {seen:?}", report.seed);
    let tally = seen.tally;
    assert_eq!(tally.timeouts + tally.dropped + tally.connects, 0, "{told}");
    assert_eq!(tally.failed, 0, "{told}");
    assert!(tally.refused > 1000, "{told}");
    report
}

#[test]
fn far_over_the_rate_is_refused_without_a_reconnect() {
    let report = far_over(72, 1);
    // Refusals do not count; removals are carried out however late, and do.
    let (before, after) = (
        report.figures_at(AGGRESSOR, 1),
        report.figures_at(AGGRESSOR, 3),
    );
    let served = |figures: ConnectionFigures| figures.reads_served + figures.writes_served;
    let served = served(after) - served(before);
    let told = format!("SIM_SEED={}: {served}, {after:?}", report.seed);
    assert!((9_500..=10_500).contains(&served), "{told}");
}

#[test]
fn so_it_is_on_several_loops() {
    far_over(77, 2);
}

#[test]
fn limits_change_live() {
    let pace = Pace::Closed(Duration::ZERO);
    let mut scenario = limited(73, TrafficLimits::default(), 50, pace);
    scenario.cues = vec![(secs(1.0), Cue::Limit(AGGRESSOR, ops_per_second(2_000)))];
    let report = run(scenario);
    let before = seen(&report, "limited", 0.5..1.0);
    let after = seen(&report, "limited", 1.5..3.0);
    assert!(before.rate() > 20_000.0, "{before:?}");
    assert!((1_900.0..=2_050.0).contains(&after.rate()), "{after:?}");
}

#[test]
fn connections_above_the_limit_wait_and_cause_no_storm() {
    let traffic = TrafficLimits {
        connections: Some(50),
        ..TrafficLimits::default()
    };
    let pace = Pace::Closed(Duration::from_millis(10));
    let report = run(limited(74, traffic, 100, pace));
    assert_unharmed(&report, 0.5..1.0, 1.0..3.0, Duration::from_micros(250));
    let seen = seen(&report, "limited", 1.0..3.0);
    let told = format!("SIM_SEED={}: {seen:?}", report.seed);
    // Fifty clients ask about 95 times a second each.
    assert!((4_000.0..5_500.0).contains(&seen.rate()), "{told}");
    // The others knock until they give up: twice in two seconds, with Dalli's patience.
    assert!(seen.tally.connect_failures <= 50 * 5, "{told}");
}

#[test]
fn a_burst_of_connects_is_spread() {
    let traffic = TrafficLimits {
        connects_per_second: Some(500),
        ..TrafficLimits::default()
    };
    let pace = Pace::Closed(Duration::from_millis(100));
    let mut scenario = limited(75, traffic, 2000, pace);
    scenario.groups[3].arrive = (secs(0.5), secs(0.1));
    let report = run(scenario);
    assert_unharmed(&report, 0.2..0.5, 0.5..3.0, Duration::from_micros(250));
    let connects = seen(&report, "limited", 0.5..3.0).tally.connects;
    // A second's worth at once, then 500 a second.
    let told = format!("SIM_SEED={}: {connects}", report.seed);
    assert!((1_000..=1_780).contains(&connects), "{told}");
}

#[test]
fn those_who_read_slowly_hold_no_more_than_their_tenant_may() {
    let traffic = TrafficLimits {
        inflight_bytes: Some(8 << 20),
        ..TrafficLimits::default()
    };
    let mut scenario = limited(76, traffic, 300, Pace::Closed(Duration::ZERO));
    scenario.groups[3].mix = Mix::MULTI_GETS;
    scenario.groups[3].conduct = sim::Conduct::Deaf(Duration::from_millis(50));
    let report = run(scenario);
    assert_unharmed(&report, 0.5..1.0, 1.0..3.0, Duration::from_micros(250));
    for second in 1..=3 {
        let held = report.figures_at(AGGRESSOR, second).inflight_bytes;
        // What is read in one batch can be above it.
        assert!(held < 12 << 20, "SIM_SEED={}: {held}", report.seed);
    }
}
