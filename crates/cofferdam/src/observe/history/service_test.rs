//! The whole is the sum of its tenants, and its delays are those of all requests together.

use std::sync::Arc;
use std::time::Duration;

use base::{TenantId, Timestamp, TrafficLimits};

use super::*;
use crate::observe::history::tenants::Lines;
use crate::observe::reading::TenantReading;
use crate::plane::Totals;

fn tenant(id: u32, reads: u64, delay_us: u64) -> TenantReading {
    let mut tenant = TenantReading {
        id: TenantId(id),
        name: Arc::from(format!("t{id}")),
        traffic: TrafficLimits::default(),
        cache: Default::default(),
        clients: Default::default(),
        delays: Delays::default(),
        close_waits: 0,
    };
    tenant.clients.reads_served = reads;
    tenant.delays.add(Duration::from_micros(delay_us), reads);
    tenant
}

fn figures(tenants: Vec<TenantReading>, known: bool) -> Figures {
    let quiet = tenants.iter().map(|t| tenant(t.id.0, 0, 1)).collect();
    let reading = |at_s: u64, tenants, connections| Reading {
        at: Timestamp::from_secs(at_s),
        tenants,
        totals: Totals {
            connections,
            refused: at_s * 2,
            ..Totals::default()
        },
        loop_ages: vec![Duration::from_millis(3), Duration::from_millis(9)],
        fleet: None,
    };
    let before = known.then(|| reading(10, quiet, 5));
    let now = reading(11, tenants, 7);
    let lines = Lines::default().of(before.as_ref(), &now);
    let mut figures = Figures::over(Duration::from_secs(u64::from(known)));
    add(&mut figures, before.as_ref(), &now, &lines);
    figures
}

fn figure(figures: &Figures, name: &str) -> f32 {
    let found = figures.all.iter().find(|(own, _)| own == name);
    found.unwrap_or_else(|| panic!("{name}")).1
}

#[test]
fn sums_and_quantiles_over_all_tenants() {
    let figures = figures(vec![tenant(1, 990, 100), tenant(2, 10, 50_000)], true);
    assert_eq!(figure(&figures, "service/reads"), 1000.0);
    assert_eq!(figure(&figures, "service/connections"), 7.0);
    assert_eq!(figure(&figures, "service/turned_away"), 2.0);
    assert_eq!(figure(&figures, "service/turn_age_s"), 0.009);
    assert!(figure(&figures, "service/p99_s") < 0.001);
    assert!(figure(&figures, "service/p999_s") > 0.04);
}

#[test]
fn before_the_second_look_nothing_is_made_up() {
    let figures = figures(vec![tenant(1, 990, 100)], false);
    assert!(figure(&figures, "service/reads").is_nan());
    assert!(figure(&figures, "service/p99_s").is_nan());
    assert_eq!(figure(&figures, "service/connections"), 7.0);
}
