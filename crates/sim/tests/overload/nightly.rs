//! A million clients; too long for every day. `scripts/nightly.sh` runs it.

use sim::{Cue, Group, Mix, Pace, Scenario, ServerConfig, Tenant};

use crate::harness::{AGGRESSOR, VICTIMS, is_recovered, run, secs, seed, victims};

/// The victims, and a million clients on four cores that ask once in 10 s each. At 23 s they all lose
/// their connections, at 50 s everything takes ten times as long for a second.
fn million(usual_seed: u64) -> Scenario {
    let mut groups = victims();
    groups.push(Group {
        arrive: (secs(0.0), secs(10.0)),
        mix: Mix::MIXED,
        ..Group::new("crowd", AGGRESSOR, 1_000_000, Pace::Open(secs(10.0)))
    });
    Scenario {
        seed: seed(usual_seed),
        tenants: (1..=4).map(Tenant::new).collect(),
        groups,
        server: ServerConfig {
            loops: 4,
            ..ServerConfig::default()
        },
        cues: vec![
            (secs(23.0), Cue::Cut(3)),
            (secs(50.0), Cue::Slowness(1000)),
            (secs(51.0), Cue::Slowness(100)),
        ],
        length: secs(80.0),
        ..Scenario::default()
    }
}

#[test]
#[ignore = "takes minutes: scripts/nightly.sh"]
fn a_million_clients_recover() {
    let report = run(million(61));
    for group in VICTIMS.into_iter().chain(["crowd"]) {
        // Whoever lost his connection finds out when he asks next, within 20 s.
        is_recovered(&report, group, 20.0..23.0, 45.0..50.0).unwrap();
        is_recovered(&report, group, 20.0..23.0, 75.0..80.0).unwrap();
    }
}
