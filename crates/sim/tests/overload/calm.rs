//! Without overload everybody is answered, at once and rightly; and runs repeat.

use std::time::Duration;

use base::TenantId;
use sim::{Group, Mix, Pace, Report, Scenario, ServerConfig, Tenant};

use crate::harness::{run, secs, seed, seen};

fn mixed(seed: u64, loops: usize) -> Scenario {
    let pace = Pace::Open(Duration::from_millis(10));
    let group = |name, tenant, batch| Group {
        mix: Mix::MIXED,
        batch,
        ..Group::new(name, TenantId(tenant), 100, pace)
    };
    Scenario {
        seed,
        tenants: vec![Tenant::new(1), Tenant::new(2)],
        groups: vec![group("single", 1, 1), group("piped", 2, 8)],
        server: ServerConfig {
            loops,
            ..ServerConfig::default()
        },
        length: secs(2.0),
        ..Scenario::default()
    }
}

fn assert_served(report: &Report) {
    for (name, rate) in [("single", 10_000.0), ("piped", 80_000.0)] {
        let seen = seen(report, name, 1.0..2.0);
        let told = format!("SIM_SEED={}, {name}: {seen:?}", report.seed);
        assert_eq!(seen.tally.timeouts + seen.tally.errors, 0, "{told}");
        assert!((seen.rate() / rate - 1.0).abs() < 0.02, "{told}");
        assert!(seen.longest < Duration::from_millis(1), "{told}");
        // Its own key before it was first stored, or after it was removed; never a shared one.
        assert!(seen.tally.misses * 15 < seen.tally.answered, "{told}");
    }
}

#[test]
fn everybody_is_answered_at_once() {
    assert_served(&run(mixed(seed(1), 1)));
}

#[test]
fn several_loops_serve_as_one() {
    assert_served(&run(mixed(seed(2), 4)));
}

#[test]
fn equal_seeds_give_equal_runs() {
    for loops in [1, 3] {
        let hash = |seed| run(mixed(seed, loops)).trace_hash;
        let seed = seed(3);
        assert_eq!(hash(seed), hash(seed), "SIM_SEED={seed}");
        assert_ne!(hash(seed), hash(seed + 1), "SIM_SEED={seed}");
    }
}

#[test]
fn large_values_pass_in_pieces() {
    let tenant = Tenant {
        value_len: 200_000,
        quota_bytes: 4 << 30,
        ..Tenant::new(1)
    };
    let group = Group {
        mix: Mix {
            get_shared: 0,
            get_own: 2,
            set_own: 2,
            delete_own: 1,
            keys_per_get: 1,
        },
        ..Group::new(
            "large",
            TenantId(1),
            20,
            Pace::Closed(Duration::from_millis(5)),
        )
    };
    let report = run(Scenario {
        seed: seed(4),
        tenants: vec![tenant],
        groups: vec![group],
        length: secs(1.0),
        ..Scenario::default()
    });
    let seen = seen(&report, "large", 0.5..1.0);
    let told = format!("SIM_SEED={}: {seen:?}", report.seed);
    assert_eq!(seen.tally.timeouts + seen.tally.failed, 0, "{told}");
    assert!(seen.tally.hits > 200, "{told}");
}
