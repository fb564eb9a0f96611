//! One tenant without a limit takes every connection that the server may have: the others still get
//! their share.

use std::time::Duration;

use base::TenantId;
use sim::{Conduct, Group, Pace, Patience, Scenario, Tenant};

use crate::harness::{AGGRESSOR, VICTIMS, run, secs, seed, seen, victims};

const PLACES: usize = 2_000;

/// A crowd of twice as many as there are places for holds them all from the start; the others come a
/// second later.
fn crowd(usual_seed: u64, loops: usize, connects_anew: bool) -> Scenario {
    let mut groups: Vec<Group> = victims()
        .into_iter()
        .map(|group| Group {
            arrive: (secs(1.0), secs(0.1)),
            ..group
        })
        .collect();
    groups.push(Group {
        patience: Patience::NONE,
        ..Group::new(
            "crowd",
            AGGRESSOR,
            2 * PLACES as u32,
            Pace::Closed(secs(0.5)),
        )
    });
    if connects_anew {
        groups.push(Group {
            arrive: (secs(1.0), secs(0.1)),
            conduct: Conduct::Abandon(secs(0.1), secs(0.1)),
            ..Group::new("newcomers", TenantId(5), 100, Pace::Closed(Duration::ZERO))
        });
    }
    let mut scenario = Scenario {
        seed: seed(usual_seed),
        tenants: (1..=5).map(Tenant::new).collect(),
        groups,
        length: secs(3.0),
        ..Scenario::default()
    };
    scenario.server.loops = loops;
    scenario.server.connections_max = PLACES;
    scenario.server.connections_reserve = 64;
    scenario.server.unauthenticated_max = PLACES / 2;
    scenario
}

fn assert_everybody_gets_a_share(scenario: Scenario) {
    let report = run(scenario);
    let told = format!("SIM_SEED={}", report.seed);
    let alone = report.figures_at(AGGRESSOR, 1);
    assert_eq!(
        alone.connections, PLACES as u64,
        "{told}: alone it may have all"
    );
    assert!(alone.turned_away > 0 && alone.displaced == 0, "{told}");
    for name in VICTIMS {
        let victim = seen(&report, name, 1.0..3.0);
        let failures = victim.tally.timeouts
            + victim.tally.errors
            + victim.tally.failed
            + victim.tally.connect_failures
            + victim.tally.dropped;
        assert_eq!(failures, 0, "{told}, {name}: {victim:?}");
        assert_eq!(victim.tally.connects, 10, "{told}, {name}");
        assert!(
            victim.connect_p99 < Duration::from_millis(100),
            "{told}, {name}: {victim:?}"
        );
    }
    let gave = report.figures_at(AGGRESSOR, 2);
    assert!(gave.displaced >= 30, "{told}: {gave:?}");
    assert!(
        gave.connections >= PLACES as u64 - 400,
        "{told}: no more than was asked for: {gave:?}"
    );
}

#[test]
fn a_crowd_gives_way_to_who_has_less() {
    assert_everybody_gets_a_share(crowd(71, 1, false));
}

#[test]
fn so_it_is_on_several_loops_and_for_connection_after_connection() {
    let scenario = crowd(72, 3, true);
    let report = crowd(72, 3, true)
        .run()
        .expect("the scenario can be set up");
    let newcomers = seen(&report, "newcomers", 1.2..3.0);
    assert_eq!(newcomers.tally.connect_failures, 0, "{newcomers:?}");
    assert!(newcomers.tally.connects > 500, "{newcomers:?}");
    assert_everybody_gets_a_share(scenario);
}
