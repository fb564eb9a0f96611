//! What each tenant may hold on each node, and at this gateway.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use base::fleet::{MemberId, SLOT_COUNT};
use base::{TenantId, Timestamp};
use cache::least_quota_bytes;
use fleet::memory::{Parts, Seen, Wanted};
use gateway::remote::{Allotment, HotTerms, StatsBoard};

use super::{Holdings, Inner};
use crate::fleet_parts::shares;

/// A node that has evicted items within this has too little room.
const OF_LATE: Duration = Duration::from_secs(15);

impl Inner {
    /// Works out what each tenant may hold on each node, and has loops tell the nodes if that is new.
    pub(super) fn allot(&mut self) {
        let shares = shares(&self.view.ring);
        let mut version = self.revision;
        let before = Arc::clone(&self.view.tenants);
        let mut changed = before.len() != self.held.len();
        let mut allotments = Vec::new();
        for (tenant, held) in &self.held {
            let at = before.binary_search_by_key(tenant, |known| known.tenant);
            let known = at.ok().map(|at| &before[at]);
            let next = Allotment {
                version: known.map_or(0, |known| known.version),
                ..self.allotment(*tenant, held, &shares)
            };
            if known == Some(&next) {
                allotments.push(next);
                continue;
            }
            changed = true;
            if !self.has_store {
                version += 1;
            }
            let version = version.max(1);
            allotments.push(Allotment { version, ..next });
        }
        if !self.has_store {
            self.revision = version;
        }
        if changed {
            self.view.tenants = Arc::new(allotments);
        }
    }

    /// Of one tenant, with the nodes' slots at hand.
    fn allotment(
        &self,
        tenant: TenantId,
        held: &Holdings,
        slots: &BTreeMap<MemberId, u64>,
    ) -> Allotment {
        let wanted = self.wanted(tenant, held, slots);
        let least = wanted.least_bytes;
        let of_ring = |slots: &u64| {
            let part = u128::from(wanted.quota_bytes) * u128::from(*slots) / SLOT_COUNT as u128;
            u64::try_from(part).unwrap_or(u64::MAX).max(least)
        };
        let parts = match self.parts.of(tenant, &wanted) {
            Some(parts) => parts,
            None => slots.iter().map(|(id, own)| (*id, of_ring(own))).collect(),
        };
        let nodes = self.view.nodes.len().max(1) as u64;
        let hot = self.hot.get(&tenant);
        Allotment {
            tenant,
            quota_bytes: match slots.is_empty() {
                true => (wanted.quota_bytes / nodes).max(least),
                // Who owns nothing has nothing to hold.
                false => least,
            },
            parts,
            item_size_max: held.item_size_max,
            hot: hot.map(|hot| HotTerms::new(hot.age_max, held.quota_bytes, hot.gateways)),
            version: 0,
        }
    }

    /// What of a tenant's memory is divided over the nodes: what gateways may hold counts as well.
    fn wanted(&self, tenant: TenantId, held: &Holdings, slots: &BTreeMap<MemberId, u64>) -> Wanted {
        let hot = self.hot.get(&tenant);
        let aside = hot.map_or(0, |_| HotTerms::set_aside(held.quota_bytes));
        Wanted {
            quota_bytes: held.quota_bytes - aside,
            least_bytes: least_quota_bytes(held.item_size_max),
            slots: slots.clone(),
        }
    }

    /// How memory is to be divided from now on.
    pub(super) fn divide(&mut self, before: &Parts, stats: &StatsBoard, now: Timestamp) -> Parts {
        let slots = shares(&self.view.ring);
        let wanted: BTreeMap<TenantId, Wanted> = (self.held.iter())
            .map(|(tenant, held)| (*tenant, self.wanted(*tenant, held, &slots)))
            .collect();
        let mut seen = BTreeMap::new();
        stats.each(|tenant, node, stats| {
            let is_evicting = self.evictions.note((tenant, node), stats.evictions, now);
            let one = Seen {
                live_bytes: stats.bytes,
                held_bytes: stats.held_bytes,
                quota_bytes: stats.quota_bytes,
                is_evicting,
            };
            seen.insert((tenant, node), one);
        });
        self.evictions.keep(|place| seen.contains_key(place));
        before.next(&wanted, |tenant, node| seen.get(&(tenant, node)).copied())
    }
}

/// How long ago a node has evicted items of a tenant, by this process's clock.
#[derive(Debug, Default)]
pub(super) struct Evictions(HashMap<(TenantId, MemberId), (u64, Option<Timestamp>)>);

impl Evictions {
    /// Notes how many there have been; whether there were any of late.
    fn note(&mut self, place: (TenantId, MemberId), count: u64, now: Timestamp) -> bool {
        let (known, grew_at) = self.0.entry(place).or_insert((count, None));
        if std::mem::replace(known, count) < count {
            *grew_at = Some(now);
        }
        grew_at.is_some_and(|at| now.since(at) < OF_LATE)
    }

    fn keep(&mut self, is_kept: impl Fn(&(TenantId, MemberId)) -> bool) {
        self.0.retain(|place, _| is_kept(place));
    }
}

#[cfg(test)]
#[path = "allot_test.rs"]
mod tests;
