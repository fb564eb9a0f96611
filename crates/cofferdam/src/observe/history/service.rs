//! The service as a whole: what all tenants ask together, the door, the loops.

use gateway::Delays;

use super::TenantFrame;
use super::figures::Figures;
use super::tenants::TENANT_FIGURES;
use crate::observe::reading::Reading;

/// Figures of tenants whose sum is one of the service.
const SUMS: [&str; 18] = [
    "reads",
    "writes",
    "refused",
    "hits",
    "misses",
    "evictions",
    "connects",
    "connects_delayed",
    "connects_refused",
    "connects_unused",
    "logins_refused",
    "received_bytes",
    "sent_bytes",
    "paused",
    "busy",
    "items",
    "held_bytes",
    "quota_bytes",
];

/// Parts of all requests whose delay is told.
const QUANTILES: [(&str, f64); 3] = [
    ("service/p50_s", 0.5),
    ("service/p99_s", 0.99),
    ("service/p999_s", 0.999),
];

pub(super) fn add(
    figures: &mut Figures,
    before: Option<&Reading>,
    now: &Reading,
    tenants: &[TenantFrame],
) {
    for (place, figure) in TENANT_FIGURES.iter().enumerate() {
        if SUMS.contains(figure) {
            let values = tenants.iter().filter_map(|t| t.values.get(place));
            let known = values.copied().filter(|value| !value.is_nan());
            let sum = known.map(f64::from).reduce(|a, b| a + b);
            figures.gauge(format!("service/{figure}"), sum);
        }
    }
    delays(figures, before, now);
    connections(figures, before, now);
    let ages = now.loop_ages.iter().max();
    figures.gauge("service/turn_age_s", ages.map(|age| age.as_secs_f64()));
}

/// How long requests of the second waited, over all tenants.
fn delays(figures: &mut Figures, before: Option<&Reading>, now: &Reading) {
    let mut all = Delays::default();
    let Some(before) = before else {
        return untold(figures);
    };
    for tenant in &now.tenants {
        match before.tenants.iter().find(|old| old.id == tenant.id) {
            Some(old) => all.merge(&tenant.delays.since(&old.delays)),
            None => all.merge(&tenant.delays),
        }
    }
    let quantile = |part: f64| all.quantile(part).map(|delay| delay.as_secs_f64());
    for (name, part) in QUANTILES {
        figures.gauge(name, quantile(part));
    }
}

fn untold(figures: &mut Figures) {
    for (name, _) in QUANTILES {
        figures.gauge(name, None);
    }
}

fn connections(figures: &mut Figures, before: Option<&Reading>, now: &Reading) {
    let totals = &now.totals;
    figures.gauge("service/connections", Some(totals.connections as f64));
    figures.gauge(
        "service/connections_max",
        Some(totals.connections_max as f64),
    );
    figures.gauge("service/at_door", Some(totals.at_door as f64));
    let old = before.map(|before| before.totals);
    let mut rate = |name: &str, value: fn(&crate::plane::Totals) -> u64| {
        figures.rate(name, old.as_ref().map(value), Some(value(totals)));
    };
    rate("service/turned_away", |t| t.refused);
    rate("service/door_arrivals", |t| t.door.arrivals);
    rate("service/door_timeouts", |t| t.door.timed_out);
    rate("service/door_shed", |t| {
        let shed = t.door.shed_for_source.saturating_add(t.door.shed_when_full);
        shed.saturating_add(t.door.shed_for_memory)
    });
}

#[cfg(test)]
#[path = "service_test.rs"]
mod tests;
