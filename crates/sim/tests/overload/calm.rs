//! Without overload everybody is answered, at once and rightly; and runs repeat.

use std::time::Duration;

use sim::{Group, Mix, Pace, Scenario, Tenant};

use crate::harness::{run, secs, seed};

fn mixed(seed: u64) -> Scenario {
    let pace = Pace::Open(Duration::from_millis(10));
    let group = |name, tenant: u32, batch| Group {
        mix: Mix::MIXED,
        batch,
        ..Group::new(name, base::TenantId(tenant), 100, pace)
    };
    Scenario {
        seed,
        tenants: vec![Tenant::new(1), Tenant::new(2)],
        groups: vec![group("single", 1, 1), group("piped", 2, 8)],
        length: secs(3.0),
        ..Scenario::default()
    }
}

#[test]
fn everybody_is_answered_at_once() {
    let report = run(mixed(seed(1)));
    for name in ["single", "piped"] {
        let seen = report.group(name).unwrap().between(secs(1.0), secs(3.0));
        eprintln!("{name} {seen:?}");
        assert_eq!(seen.tally.timeouts + seen.tally.errors, 0);
    }
    eprintln!(
        "{:?} {:?} {}",
        report.network, report.busy_ns, report.events
    );
}
