//! Tenants: a line of figures for each of the first hundred, and one for all others together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use base::TenantId;
use gateway::Delays;

use super::TenantFrame;
use super::figures::Figures;
use crate::observe::reading::{Reading, TenantReading};

/// Tenants with lines of their own, as many as have a label in the metrics.
const LINES_MAX: usize = 100;
/// The name of all others.
const OTHER: &str = "other";

/// What is told of each tenant. Most are rates a second, `paused` and `busy`
/// times as shares of the second; `p50_s` and `p99_s` are what requests of the second waited from
/// being there to being answered, NaN if there were none.
pub(crate) const TENANT_FIGURES: [&str; 21] = [
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
    "connections",
    "items",
    "held_bytes",
    "quota_bytes",
    "p50_s",
    "p99_s",
];

const NANOS: f64 = 1e9;

/// Remembers who has a line, until the process ends.
#[derive(Debug, Default)]
pub(super) struct Lines {
    named: HashSet<Arc<str>>,
}

/// A tenant at its beginning.
fn nothing_of(tenant: &TenantReading) -> TenantReading {
    TenantReading {
        id: tenant.id,
        name: Arc::clone(&tenant.name),
        traffic: tenant.traffic,
        cache: Default::default(),
        clients: Default::default(),
        delays: Delays::default(),
        close_waits: 0,
    }
}

/// One tenant between two readings.
struct Second {
    /// The figures but the delays, in the order of [`TENANT_FIGURES`].
    values: Vec<f64>,
    delays: Option<Delays>,
}

impl Lines {
    /// The lines of a second.
    pub(super) fn of(&mut self, before: Option<&Reading>, now: &Reading) -> Vec<TenantFrame> {
        let time = before.map_or(Duration::ZERO, |before| now.at.since(before.at));
        let old: HashMap<TenantId, &TenantReading> = before
            .iter()
            .flat_map(|before| &before.tenants)
            .map(|tenant| (tenant.id, tenant))
            .collect();
        let mut frames = Vec::new();
        let mut others: Option<Second> = None;
        for tenant in &now.tenants {
            // Of a tenant that was not there before all that it has is new.
            let nothing = before.map(|_| nothing_of(tenant));
            let old = old.get(&tenant.id).copied().or(nothing.as_ref());
            let second = Second::of(&Figures::over(time), old, tenant);
            match self.has_line(&tenant.name) {
                true => frames.push(second.into_frame(&tenant.name)),
                false => others = Some(second.and(others)),
            }
        }
        frames.extend(others.map(|sum| sum.into_frame(&Arc::from(OTHER))));
        frames
    }

    fn has_line(&mut self, name: &Arc<str>) -> bool {
        // A tenant of that name would be mistaken for the sum.
        if &**name == OTHER {
            return false;
        }
        self.named.contains(name)
            || (self.named.len() < LINES_MAX && self.named.insert(Arc::clone(name)))
    }
}

impl Second {
    fn of(figures: &Figures, before: Option<&TenantReading>, now: &TenantReading) -> Self {
        let rate = |value: fn(&TenantReading) -> u64| {
            let before = before.map(value);
            let rate = before.and_then(|before| figures.per_second(before, value(now)));
            rate.unwrap_or(f64::NAN)
        };
        let values = vec![
            rate(|t| t.clients.reads_served),
            rate(|t| t.clients.writes_served),
            rate(TenantReading::refused),
            rate(|t| t.cache.get_hits),
            rate(|t| t.cache.get_misses),
            rate(|t| t.cache.evictions),
            rate(|t| t.clients.connections_total),
            rate(|t| t.clients.connects_delayed),
            rate(|t| t.clients.connects_refused),
            rate(|t| t.clients.connections_unused),
            rate(|t| t.clients.auth_failures),
            rate(|t| t.clients.bytes_read),
            rate(|t| t.clients.bytes_written),
            rate(|t| t.clients.paused_ns) / NANOS,
            rate(|t| t.clients.busy_ns) / NANOS,
            now.clients.connections as f64,
            now.cache.curr_items as f64,
            now.cache.held_bytes as f64,
            now.cache.quota_bytes as f64,
        ];
        let delays = before.map(|before| now.delays.since(&before.delays));
        Self { values, delays }
    }

    /// The sum of two tenants.
    fn and(mut self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        for (sum, value) in self.values.iter_mut().zip(other.values) {
            // What is not known of one makes the others' sum no worse.
            if sum.is_nan() {
                *sum = value;
            } else if !value.is_nan() {
                *sum += value;
            }
        }
        match (&mut self.delays, other.delays) {
            (Some(sum), Some(delays)) => sum.merge(&delays),
            (none, delays) => *none = none.take().or(delays),
        }
        self
    }

    fn into_frame(self, name: &Arc<str>) -> TenantFrame {
        let quantile = |part: f64| {
            let found = self.delays.as_ref().and_then(|d| d.quantile(part));
            found.map_or(f32::NAN, |delay| delay.as_secs_f32())
        };
        let values = self.values.iter().map(|value| *value as f32);
        TenantFrame {
            name: Arc::clone(name),
            values: values.chain([quantile(0.5), quantile(0.99)]).collect(),
        }
    }
}

#[cfg(test)]
#[path = "tenants_test.rs"]
mod tests;
