//! Clients that say nothing, stop halfway, never read, give up or vanish harm nobody and leave
//! nothing behind.

use std::time::Duration;

use sim::{Conduct, Group, Mix, Pace, Scenario, Sources, Tenant};

use crate::harness::{AGGRESSOR, assert_unharmed, is_recovered, run, secs, seed, victims};

/// The victims, and from 1 to 4 s a crowd that behaves like this.
fn with_crowd(usual_seed: u64, clients: u32, conduct: Conduct, mix: Mix) -> Scenario {
    let mut groups = victims();
    groups.push(Group {
        arrive: (secs(1.0), secs(0.5)),
        leave: secs(4.0),
        conduct,
        mix,
        ..Group::new("crowd", AGGRESSOR, clients, Pace::Closed(Duration::ZERO))
    });
    Scenario {
        seed: seed(usual_seed),
        tenants: (1..=4).map(Tenant::new).collect(),
        groups,
        length: secs(5.0),
        ..Scenario::default()
    }
}

fn assert_harmless(scenario: Scenario) {
    let report = run(scenario);
    let more = Duration::from_micros(250);
    assert_unharmed(&report, 0.5..1.0, 1.0..4.0, more);
    for victim in crate::harness::VICTIMS {
        is_recovered(&report, victim, 0.5..1.0, 4.1..5.0).unwrap();
    }
    let oldest_ms = report.network.close_wait_oldest_ms;
    assert!(oldest_ms < 1000, "SIM_SEED={}: {oldest_ms} ms", report.seed);
}

#[test]
fn mute() {
    let conduct = Conduct::Mute(Duration::from_millis(10));
    assert_harmless(with_crowd(11, 8000, conduct, Mix::GETS));
}

#[test]
fn mute_from_one_source() {
    let mut scenario = with_crowd(12, 8000, Conduct::Mute(secs(0.01)), Mix::GETS);
    scenario.groups[3].sources = Sources::One;
    assert_harmless(scenario);
}

#[test]
fn halting_in_the_middle_of_a_request() {
    let conduct = Conduct::Halting(Duration::from_millis(10));
    assert_harmless(with_crowd(13, 2000, conduct, Mix::GETS));
}

#[test]
fn deaf() {
    let conduct = Conduct::Deaf(Duration::from_millis(10));
    assert_harmless(with_crowd(14, 200, conduct, Mix::MULTI_GETS));
}

#[test]
fn vanishing() {
    let conduct = Conduct::Vanish(Duration::from_micros(200));
    assert_harmless(with_crowd(15, 2000, conduct, Mix::MULTI_GETS));
}
