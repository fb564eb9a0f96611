//! Lines of tenants: rates, delays of the second alone, and the sum of those without a line.

use base::{Timestamp, TrafficLimits};

use super::*;
use crate::plane::Totals;

fn tenant(id: u32, name: &str, requests: u64) -> TenantReading {
    let mut tenant = TenantReading {
        id: TenantId(id),
        name: Arc::from(name),
        traffic: TrafficLimits::default(),
        cache: Default::default(),
        clients: Default::default(),
        delays: Delays::default(),
        close_waits: 0,
    };
    tenant.clients.reads_served = requests;
    tenant.clients.paused_ns = requests * 1_000_000;
    tenant.clients.connections = 4;
    tenant
}

fn reading(at_s: u64, tenants: Vec<TenantReading>) -> Reading {
    Reading {
        at: Timestamp::from_secs(at_s),
        tenants,
        totals: Totals::default(),
        loop_ages: Vec::new(),
        fleet: None,
    }
}

#[test]
fn rates_are_by_the_second_and_gauges_as_they_are() {
    let before = reading(10, vec![tenant(1, "acme", 100)]);
    let now = reading(12, vec![tenant(1, "acme", 300)]);
    let lines = Lines::default().of(Some(&before), &now);
    assert_eq!(lines[0].values.len(), TENANT_FIGURES.len());
    assert_eq!(lines[0].get("reads"), 100.0);
    assert_eq!(lines[0].get("paused"), 0.1);
    assert_eq!(lines[0].get("connections"), 4.0);
    assert!(lines[0].get("p99_s").is_nan(), "nobody asked");
}

#[test]
fn delays_are_those_of_the_second() {
    let mut before = tenant(1, "acme", 0);
    before.delays.add(Duration::from_secs(1), 1000);
    let mut now = before.clone();
    now.delays.add(Duration::from_micros(100), 10);
    let lines = Lines::default().of(Some(&reading(10, vec![before])), &reading(11, vec![now]));
    let p99 = lines[0].get("p99_s");
    assert!((0.0001..0.00013).contains(&p99), "{p99}");
}

#[test]
fn all_that_a_new_tenant_has_is_new_and_at_the_first_look_nothing_is_known() {
    let before = reading(10, Vec::new());
    let now = reading(11, vec![tenant(1, "acme", 300)]);
    let lines = Lines::default().of(Some(&before), &now);
    assert_eq!(lines[0].get("reads"), 300.0);
    let lines = Lines::default().of(None, &now);
    assert!(lines[0].get("reads").is_nan());
    assert_eq!(lines[0].get("connections"), 4.0);
}

#[test]
fn past_a_hundred_they_are_summed() {
    let tenants = |requests: u64| -> Vec<TenantReading> {
        let ids = 0..LINES_MAX as u32 + 3;
        ids.map(|id| tenant(id, &format!("t{id}"), requests))
            .collect()
    };
    let lines = Lines::default().of(Some(&reading(10, tenants(0))), &reading(11, tenants(5)));
    assert_eq!(lines.len(), LINES_MAX + 1);
    let other = lines.last().unwrap();
    assert_eq!(&*other.name, OTHER);
    assert_eq!(other.get("reads"), 15.0);
    assert_eq!(other.get("connections"), 12.0);
}

#[test]
fn nobody_takes_the_name_of_the_sum() {
    let now = reading(10, vec![tenant(1, OTHER, 1), tenant(2, "acme", 1)]);
    let lines = Lines::default().of(None, &now);
    let names: Vec<&str> = lines.iter().map(|line| &*line.name).collect();
    assert_eq!(names, ["acme", OTHER]);
}
