//! What nodes are told of tenants, and what they tell of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use base::fleet::MemberId;
use base::kv::Stats;
use base::{TenantId, Timestamp};
use node_proto::{Message, TenantTerms};

use super::hot_board::{HotBoard, HotTerms};
use super::latency::Latency;
use super::watch::Watch;
use super::{Remote, link_id};

/// What a tenant may hold on each node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allotment {
    /// The tenant.
    pub tenant: TenantId,
    /// Bytes on a node that has no part of its own.
    pub quota_bytes: u64,
    /// Bytes on those that have one.
    pub parts: BTreeMap<MemberId, u64>,
    /// Its largest item, in bytes.
    pub item_size_max: u32,
    /// How its busy keys are kept at this gateway, if they are.
    pub hot: Option<HotTerms>,
    /// Grows with every change, for all gateways alike.
    pub version: u64,
}

impl Allotment {
    /// What `node` is told.
    pub fn on(&self, node: MemberId) -> TenantTerms {
        TenantTerms {
            tenant: self.tenant,
            quota_bytes: self.parts.get(&node).copied().unwrap_or(self.quota_bytes),
            item_size_max: self.item_size_max,
            version: self.version,
        }
    }
}

/// The last figures of each tenant on each node, shared by the loops of a gateway; about a second
/// old.
#[derive(Debug, Default)]
pub struct StatsBoard(Mutex<HashMap<(TenantId, MemberId), Stats>>, Watch, HotBoard);

impl StatsBoard {
    /// How requests to the nodes fared, which the loops share in the same way.
    pub fn watch(&self) -> &Watch {
        &self.1
    }

    /// Busy keys, of which the loops share what they must.
    pub(super) fn hot(&self) -> &HotBoard {
        &self.2
    }

    /// Notes a tenant's figures on one node.
    pub fn put(&self, tenant: TenantId, node: MemberId, stats: Stats) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((tenant, node), stats);
    }

    /// A tenant's figures over all nodes, and of what this gateway answered without them.
    pub fn sum(&self, tenant: TenantId) -> Stats {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = Stats::default();
        for ((_, _), stats) in all.iter().filter(|((of, _), _)| *of == tenant) {
            sum.absorb(stats);
        }
        drop(all);
        self.2.complete(tenant, &mut sum);
        sum
    }

    /// A tenant's figures on each node.
    pub fn of(&self, tenant: TenantId) -> BTreeMap<MemberId, Stats> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.iter().filter(|((of, _), _)| *of == tenant);
        own.map(|((_, node), stats)| (*node, stats.clone()))
            .collect()
    }

    /// All figures of nodes, in no order.
    pub fn each(&self, mut look: impl FnMut(TenantId, MemberId, &Stats)) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((tenant, node), stats) in all.iter() {
            look(*tenant, *node, stats);
        }
    }

    /// Forgets a node that is no member any more.
    pub fn forget_node(&self, node: MemberId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, at), _| *at != node);
    }

    /// Forgets a tenant that was removed.
    pub fn forget(&self, tenant: TenantId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(of, _), _| *of != tenant);
        drop(all);
        self.2.forget(tenant);
    }
}

impl Remote {
    /// The place of a tenant among the latencies.
    pub(super) fn place_of(&mut self, tenant: TenantId) -> u32 {
        if let Some(place) = self.places.get(&tenant) {
            return *place;
        }
        let place = u32::try_from(self.latencies.len()).unwrap_or(u32::MAX);
        self.latencies.push(Latency::new(self.config.deadlines));
        self.places.insert(tenant, place);
        place
    }

    /// Tells the nodes that can be reached what has changed; the others hear it when they can be.
    pub(super) fn learn_terms(&mut self, terms: &Arc<Vec<Allotment>>) {
        let before = std::mem::replace(&mut self.terms, Arc::clone(terms));
        let by_id = |all: &[Allotment]| -> HashMap<TenantId, Allotment> {
            all.iter().map(|one| (one.tenant, one.clone())).collect()
        };
        let (known, new) = (by_id(&before), by_id(terms));
        let gone: Vec<TenantId> = (known.keys().copied())
            .filter(|tenant| !new.contains_key(tenant))
            .collect();
        let changed: Vec<&Allotment> = (terms.iter())
            .filter(|one| known.get(&one.tenant) != Some(one))
            .collect();
        if gone.is_empty() && changed.is_empty() {
            return;
        }
        for index in 0..self.links.len() {
            let link = &mut self.links[index];
            if link.is_up() {
                let member = link.node.member;
                for tenant in &gone {
                    Message::Forget(*tenant).encode(link.out());
                }
                for one in &changed {
                    Message::Tenant(one.on(member)).encode(link.out());
                }
                self.mark_dirty(link_id(index));
            }
        }
    }

    fn tell_all(&mut self, news: &[u8]) {
        for index in 0..self.links.len() {
            if self.links[index].is_up() {
                self.links[index].out().extend_from_slice(news);
                self.mark_dirty(link_id(index));
            }
        }
    }

    /// Empties a tenant on every node; on those that cannot be reached, before anything else once
    /// they can be.
    pub(super) fn flush(&mut self, now: Timestamp, tenant: TenantId, delay: std::time::Duration) {
        self.empty_hot(now, tenant, delay);
        for index in 0..self.links.len() {
            let link = &mut self.links[index];
            match link.is_up() {
                true => Message::Flush { tenant, delay }.encode(link.out()),
                // A delay that ends before the node is back would keep what is stale till then.
                false => link.doubts.empty(tenant),
            }
            self.mark_dirty(link_id(index));
        }
    }

    pub(super) fn reset_stats(&mut self, tenant: TenantId) {
        self.config.stats.hot().reset(tenant);
        let mut news = Vec::new();
        Message::ResetStats(tenant).encode(&mut news);
        self.tell_all(&news);
    }
}
