//! Whether tenants' rules hold, second by second. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base::event::{EventKind, Figure, Unit};
use base::{TenantId, Timestamp};

use super::RulesByTenant;
use crate::observe::reading::{Reading, TenantReading};
use crate::observe::signal::Signal;

/// Hits are counted over so long.
const SPAN: Duration = Duration::from_secs(60);
/// Fewer reads in that time say nothing.
const READS_MIN: u64 = 100;
/// By so much a figure must be better for what was told to be over, in parts of a hundred.
const MARGIN: f64 = 2.0;

/// What is remembered of the tenants that have rules.
#[derive(Debug, Default)]
pub(crate) struct AlertWatch {
    tenants: HashMap<TenantId, Track>,
}

#[derive(Debug, Default)]
struct Track {
    /// Hits and misses since the start, at most [`SPAN`] old.
    counts: VecDeque<(Timestamp, u64, u64)>,
    is_low: bool,
    is_full: bool,
}

impl AlertWatch {
    /// What is to be said of this second.
    pub(crate) fn observe(&mut self, rules: &RulesByTenant, reading: &Reading) -> Vec<Signal> {
        self.tenants.retain(|id, _| rules.contains_key(&id.0));
        let mut signals = Vec::new();
        for tenant in &reading.tenants {
            let Some(rule) = rules.get(&tenant.id.0) else {
                continue;
            };
            let track = self.tenants.entry(tenant.id).or_default();
            track.push(reading.at, tenant);
            let low = rule.hit_ratio_min_percent;
            let low = low.and_then(|min| track.hits_too_few(reading.at, tenant, min));
            track.is_low = low.is_some();
            let full = rule.memory_max_percent;
            let full = full.and_then(|max| track.memory_too_full(reading.at, tenant, max));
            track.is_full = full.is_some();
            signals.extend(low.into_iter().chain(full));
        }
        signals
    }
}

impl Track {
    fn push(&mut self, now: Timestamp, tenant: &TenantReading) {
        let (hits, misses) = (tenant.cache.get_hits, tenant.cache.get_misses);
        // Figures that were set back, as by `stats reset`, begin anew.
        let is_back = |(_, h, m): &(Timestamp, u64, u64)| *h > hits || *m > misses;
        if self.counts.back().is_some_and(is_back) {
            self.counts.clear();
        }
        self.counts.push_back((now, hits, misses));
        while let Some((second, ..)) = self.counts.get(1)
            && now.since(*second) >= SPAN
        {
            self.counts.pop_front();
        }
    }

    fn hits_too_few(&self, now: Timestamp, tenant: &TenantReading, min: u8) -> Option<Signal> {
        let (since, hits_before, misses_before) = self.counts.front()?;
        let (_, hits_now, misses_now) = self.counts.back()?;
        let hits = hits_now.saturating_sub(*hits_before);
        let reads = hits + misses_now.saturating_sub(*misses_before);
        if now.since(*since) < SPAN || reads < READS_MIN {
            return None;
        }
        let percent = hits as f64 / reads as f64 * 100.0;
        let bound = f64::from(min) + if self.is_low { MARGIN } else { 0.0 };
        let name: &Arc<str> = &tenant.name;
        (percent < bound).then(|| {
            let sentence = format!(
                "Of tenant {name}'s reads {percent:.1} % found something in the last minute, less \
                 than the {min} % that it wants to be told of."
            );
            let ended = format!("Tenant {name}'s reads find enough again");
            Signal::lasting(EventKind::HitRatioLow, *since, sentence, ended)
                .tenant(Some(name))
                .advice(
                    "See whether items were flushed, live too short, or are dropped for want of \
                     memory; the tenant set this alert itself.",
                )
                .evidence([
                    Figure::new("hit_ratio", percent, Unit::Percent),
                    Figure::new("reads", reads as f64, Unit::Count),
                ])
        })
    }

    fn memory_too_full(&self, now: Timestamp, tenant: &TenantReading, max: u8) -> Option<Signal> {
        let (held, quota) = (tenant.cache.held_bytes, tenant.cache.quota_bytes);
        if quota == 0 {
            return None;
        }
        let percent = held as f64 / quota as f64 * 100.0;
        let bound = f64::from(max) - if self.is_full { MARGIN } else { 0.0 };
        let name: &Arc<str> = &tenant.name;
        (percent >= bound).then(|| {
            let sentence = format!(
                "Tenant {name} holds {percent:.1} % of its memory, more than the {max} % that it \
                 wants to be told of."
            );
            let ended = format!("Tenant {name} has room again");
            Signal::lasting(EventKind::MemoryNearlyFull, now, sentence, ended)
                .tenant(Some(name))
                .advice(
                    "A full cache drops what was used least; if that is missed, give the tenant more \
                     memory. It set this alert itself.",
                )
                .evidence([
                    Figure::new("held", held as f64, Unit::Bytes),
                    Figure::new("quota", quota as f64, Unit::Bytes),
                ])
        })
    }
}

#[cfg(test)]
#[path = "watch_test.rs"]
mod tests;
