//! All places for connections are taken: who is turned away, and whose idle connections are closed
//! for others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::TenantId;
use base::event::{EventKind, Figure, Unit};

use super::window::Window;
use super::{Observation, rate, told};
use crate::observe::reading::TenantReading;
use crate::observe::signal::Signal;
use crate::plane::Totals;

const SPAN: Duration = Duration::from_secs(1);

/// What was turned away and displaced, in all and by tenant.
#[derive(Debug)]
pub(super) struct Places {
    totals: Window<Totals>,
    turned_away: PerTenant,
    displaced: PerTenant,
}

/// A counter of every tenant as it was last.
#[derive(Debug, Default)]
struct PerTenant(Option<HashMap<TenantId, u64>>);

impl Default for Places {
    fn default() -> Self {
        Self {
            totals: Window::new(SPAN),
            turned_away: PerTenant::default(),
            displaced: PerTenant::default(),
        }
    }
}

impl Places {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        self.totals.push(seen.now, seen.reading.totals);
        let (refused, time) = self.totals.last_growth(|totals| totals.refused);
        let (shed, _) = self.totals.last_growth(|totals| totals.door.shed());
        let tenants = &seen.reading.tenants;
        let turned_away = self.turned_away.grown(tenants, |t| t.clients.turned_away);
        let displaced = self.displaced.grown(tenants, |t| t.clients.displaced);
        let refused = refused.saturating_sub(shed);
        if refused > 0 {
            let most = turned_away.into_iter().max_by_key(|(_, count)| *count);
            signals.push(connections_full(seen, refused, time, most));
        }
        for (tenant, count) in displaced {
            signals.push(connections_displaced(seen, tenant, count, time));
        }
    }
}

impl PerTenant {
    /// The tenants of which there is more than at the last look.
    fn grown<'a>(
        &mut self,
        tenants: &'a [TenantReading],
        counter: fn(&TenantReading) -> u64,
    ) -> Vec<(&'a TenantReading, u64)> {
        let mut now = HashMap::new();
        let mut grown = Vec::new();
        for tenant in tenants {
            let count = counter(tenant);
            // What there was before the first look is not of this second.
            let before = match &self.0 {
                Some(before) => before.get(&tenant.id).copied().unwrap_or(0),
                None => count,
            };
            if count > before {
                grown.push((tenant, count - before));
            }
            now.insert(tenant.id, count);
        }
        self.0 = Some(now);
        grown
    }
}

fn connections_full(
    seen: &Observation<'_>,
    refused: u64,
    time: Duration,
    most: Option<(&TenantReading, u64)>,
) -> Signal {
    let totals = seen.reading.totals;
    let whose = most.map(|(tenant, count)| {
        format!(
            "; {} of them were of tenant {}, which has its share",
            told(count as f64),
            tenant.name
        )
    });
    // Those that had the places may have gone since.
    let sentence = format!(
        "{} connections were turned away in the last second, as all of the {} that this server may \
         have were taken{}.",
        told(refused as f64),
        told(totals.connections_max as f64),
        whose.unwrap_or_default()
    );
    let ended = "There is room for connections again";
    let name: Option<&Arc<str>> = most.map(|(tenant, _)| &tenant.name);
    Signal::lasting(EventKind::ConnectionsFull, seen.now, sentence, ended)
        .tenant(name)
        .advice(
            "Limit the tenant that has most of them (`cofferdam stat`, `cofferdam tenant limit \
             --connections`), or raise --max-connections and the limit on open files.",
        )
        .evidence([Figure::new(
            "turned_away",
            rate(refused, time),
            Unit::PerSecond,
        )])
        .evidence(places(&totals))
}

fn connections_displaced(
    seen: &Observation<'_>,
    tenant: &TenantReading,
    count: u64,
    time: Duration,
) -> Signal {
    let totals = seen.reading.totals;
    let (name, open) = (&tenant.name, tenant.clients.connections);
    let sentence = format!(
        "{} connections of tenant {name} were closed for other tenants' in the last second, the \
         longest idle first: all of the {} that this server may have are open, and it has {} of \
         them, more than its share.",
        told(count as f64),
        told(totals.connections_max as f64),
        told(open as f64),
    );
    let ended = format!("No connection of tenant {name} has to go for another tenant's any more");
    Signal::lasting(EventKind::ConnectionsFull, seen.now, sentence, ended)
        .cause("displaced")
        .tenant(Some(name))
        .advice(format!(
            "Lower the pool sizes of its clients (`cofferdam tenant limit {name} --connections N` \
             has the rest wait), or raise --max-connections and the limit on open files."
        ))
        .evidence([
            Figure::new("displaced", rate(count, time), Unit::PerSecond),
            Figure::new("tenant_connections", open as f64, Unit::Count),
        ])
        .evidence(places(&totals))
}

fn places(totals: &Totals) -> [Figure; 2] {
    [
        Figure::new("connections", totals.connections as f64, Unit::Count),
        Figure::new(
            "connections_max",
            totals.connections_max as f64,
            Unit::Count,
        ),
    ]
}

#[cfg(test)]
#[path = "places_test.rs"]
mod tests;
