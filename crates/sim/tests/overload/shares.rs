//! Who gets how much of a machine that is not enough for all.

use std::time::Duration;

use base::TenantId;
use sim::{Cue, Group, Mix, Pace, Report, Scenario, ServerConfig, Tenant};

use crate::harness::{run, secs, seed};

/// Three tenants that ask without a pause: few connections with deep pipelines, many with one
/// request each, and some with dear ones. The machine is a slow one, so that a second of it is soon
/// simulated.
fn saturated(usual_seed: u64, loops: usize) -> Scenario {
    let pace = Pace::Closed(Duration::ZERO);
    let few = Group {
        batch: 64,
        ..Group::new("few", TenantId(1), 16, pace)
    };
    let many = Group::new("many", TenantId(2), 1000, pace);
    let dear = Group {
        mix: Mix::MULTI_GETS,
        ..Group::new("dear", TenantId(3), 200, pace)
    };
    Scenario {
        seed: seed(usual_seed),
        tenants: (1..=3).map(Tenant::new).collect(),
        groups: vec![few, many, dear],
        server: ServerConfig {
            loops,
            ..ServerConfig::default()
        },
        cues: vec![(Duration::ZERO, Cue::Slowness(300))],
        length: secs(3.0),
        ..Scenario::default()
    }
}

/// Each tenant's part of the time served in the last two seconds.
fn shares(report: &Report) -> Vec<f64> {
    let busy = |tenant| report.busy_ns_between(TenantId(tenant), 1, 3) as f64;
    let sum: f64 = (1..=3).map(busy).sum();
    (1..=3).map(|tenant| busy(tenant) / sum).collect()
}

fn assert_shares(report: &Report, expected: [f64; 3]) {
    let got = shares(report);
    for (share, fair) in got.iter().zip(expected) {
        assert!(
            (share / fair - 1.0).abs() < 0.05,
            "SIM_SEED={}: {got:?}",
            report.seed
        );
    }
}

#[test]
fn without_weights_they_are_equal() {
    let report = run(saturated(41, 1));
    assert_shares(&report, [1.0 / 3.0; 3]);
}

#[test]
fn weights_divide_it_over_several_loops() {
    let mut scenario = saturated(42, 2);
    for (tenant, weight) in scenario.tenants.iter_mut().zip([100, 200, 400]) {
        tenant.traffic.weight = weight;
    }
    assert_shares(&run(scenario), [1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]);
}
