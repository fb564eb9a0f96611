//! Quotas that were cut below what their tenants held, and what that has cost.
//!
//! A cache comes down to a smaller quota in bounded steps, so that the cost is known only some seconds
//! after the cut.

use std::sync::Arc;
use std::time::Duration;

use base::event::{EventKind, Figure, Unit};
use base::{ByteSize, TenantId, Timestamp};

use super::reading::Reading;
use super::signal::Signal;

/// After so long it is told what is known.
const PATIENCE: Duration = Duration::from_secs(60);
/// Cuts that are followed at once.
const CUTS_MAX: usize = 100;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoryCut {
    pub(crate) id: TenantId,
    pub(crate) tenant: Arc<str>,
    pub(crate) from_bytes: u64,
    pub(crate) to_bytes: u64,
    /// Its items before.
    pub(crate) items: u64,
    /// Items that had been dropped by then since the start.
    pub(crate) evicted_before: u64,
}

/// Those whose cost is not known yet.
#[derive(Debug, Default)]
pub(super) struct Cuts(Vec<(Timestamp, MemoryCut)>);

impl Cuts {
    pub(super) fn add(&mut self, now: Timestamp, cut: MemoryCut) {
        if self.0.len() < CUTS_MAX {
            self.0.push((now, cut));
        }
    }

    /// What is to be said of those whose tenants have come down to their quota.
    pub(super) fn observe(&mut self, reading: &Reading) -> Vec<Signal> {
        let mut signals = Vec::new();
        self.0.retain(|(at, cut)| {
            let Some(tenant) = reading.tenants.iter().find(|tenant| tenant.id == cut.id) else {
                return false;
            };
            let is_on_its_way = tenant.cache.held_bytes > cut.to_bytes;
            if is_on_its_way && reading.at.since(*at) < PATIENCE {
                return true;
            }
            let dropped = tenant.cache.evictions.saturating_sub(cut.evicted_before);
            if dropped > 0 {
                signals.push(cut.signal(*at, dropped));
            }
            false
        });
        signals
    }
}

impl MemoryCut {
    fn signal(&self, at: Timestamp, dropped: u64) -> Signal {
        let (tenant, items) = (&self.tenant, self.items);
        let sentence = format!(
            "The memory of tenant {tenant} was cut from {} to {}, which is less than it held: {dropped} \
             of its {items} items are gone, those that were used least.",
            ByteSize(self.from_bytes).rounded(),
            ByteSize(self.to_bytes).rounded(),
        );
        Signal::moment(EventKind::MemoryCut, at, sentence)
            .tenant(Some(tenant))
            .advice(format!(
                "Its clients find less until they have stored it anew: watch its hit ratio (`cofferdam \
                 stat --tenant {tenant}`)."
            ))
            .evidence([
                Figure::new("items_before", items as f64, Unit::Count),
                Figure::new("items_dropped", dropped as f64, Unit::Count),
                Figure::new("memory_before", self.from_bytes as f64, Unit::Bytes),
                Figure::new("memory_after", self.to_bytes as f64, Unit::Bytes),
            ])
    }
}

#[cfg(test)]
#[path = "cut_test.rs"]
mod tests;
