//! Rates that follow use: what this gateway says of its tenants, what it may take of their limits, and,
//! at the steward, who gets how much.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::fleet::MemberId;
use base::{TenantId, Timestamp, TrafficLimits};
use fleet::membership::State;
use fleet::memory::Parts;
use fleet::registry::{MEMORY, Registry, SHARES, USE_PREFIX, use_key};
use fleet::shares::{Each, KINDS, Presence, Shares, Use, Used, Wanted, even_part, rates};
use runtime::store::{Change, Snapshot, StoreError};

use super::join::revision;
use super::sight::Sight;
use super::tenants::{FleetTenants, Tenants};

/// How often it is looked what clients use.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who has not heard from the store for so long takes no more than an even part. Its lease is longer,
/// and only when that has ended the others get the rest.
const CUT_OFF_AFTER: Duration = Duration::from_secs(5);
/// A change that is less than this part of the limit is not worth saying.
const WORTH_PART: u64 = 32;

/// What the store says of shares; nothing, if that makes no sense.
pub(super) fn read(snapshot: &Snapshot) -> Shares {
    let entry = snapshot.get(SHARES);
    entry.map_or_else(Shares::default, |entry| {
        serde_json::from_slice(&entry.value).unwrap_or_else(|error| {
            tracing::error!(%error, "the store holds shares that make no sense");
            Shares::default()
        })
    })
}

/// How memory is divided, by what the store says; as the ring has it, if that makes no sense.
pub(super) fn read_parts(snapshot: &Snapshot) -> Parts {
    let entry = snapshot.get(MEMORY);
    entry.map_or_else(Parts::default, |entry| {
        serde_json::from_slice(&entry.value).unwrap_or_else(|error| {
            tracing::error!(%error, "the store holds parts of memory that make no sense");
            Parts::default()
        })
    })
}

/// What gateways have said.
fn uses(snapshot: &Snapshot) -> BTreeMap<MemberId, Use> {
    let said = snapshot.entries.iter().filter_map(|entry| {
        let id = entry.key.strip_prefix(USE_PREFIX)?.parse().ok()?;
        Some((MemberId(id), serde_json::from_slice(&entry.value).ok()?))
    });
    said.collect()
}

impl Tenants {
    /// Limits that are to be split, and over whom.
    fn wanted(&self) -> BTreeMap<TenantId, Wanted> {
        let all = self.by_id.iter().filter_map(|(id, tenant)| {
            let limits = rates(&tenant.traffic.limits());
            let gateways = self.spread(*id);
            let is_split = gateways.len() > 1 && limits.iter().any(Option::is_some);
            is_split.then_some((*id, Wanted { limits, gateways }))
        });
        all.collect()
    }
}

/// The steward's next write, if anything is to be shared out anew.
pub(super) fn next(snapshot: &Snapshot, registry: &Registry) -> Option<Change> {
    let tenants = Tenants::read(snapshot, registry);
    let presence = |id: MemberId| match registry.members.get(&id) {
        None => Presence::Gone,
        Some(record) if record.standing.state() == State::Drained => Presence::Gone,
        Some(_) if registry.alive.contains(&id) => Presence::Here,
        Some(_) => Presence::Silent,
    };
    let before = &tenants.shares;
    let next = before.next(&uses(snapshot), &tenants.wanted(), presence);
    if next == *before {
        return None;
    }
    let text = serde_json::to_vec(&next).ok()?;
    let change = Change::default().only_if(SHARES, revision(snapshot, SHARES));
    Some(change.put(SHARES, text))
}

/// The steward's write of how memory is divided, if that is to be `next`.
pub(super) fn divided(snapshot: &Snapshot, next: &Parts) -> Option<Change> {
    if *next == read_parts(snapshot) {
        return None;
    }
    let text = serde_json::to_vec(next).ok()?;
    let change = Change::default().only_if(MEMORY, revision(snapshot, MEMORY));
    Some(change.put(MEMORY, text))
}

impl FleetTenants {
    /// What this gateway may take of a tenant's limits: of rates as much as it is given, of what is
    /// counted an even part. Its weight and its patience are the same everywhere.
    pub(crate) fn share(&self, id: TenantId, limits: TrafficLimits) -> TrafficLimits {
        let latest = self.latest();
        let count = latest.spread(id).len().max(1);
        let part = |limit: u64| even_part(limit, count).max(1);
        let part_u32 = |limit: u32| u32::try_from(part(limit.into())).unwrap_or(limit);
        let mut kinds = rates(&limits);
        for (kind, limit) in kinds.iter_mut().enumerate() {
            *limit = limit.map(|limit| self.part(&latest, id, kind, limit, count).0);
        }
        let [ops_per_second, bytes_in_per_second, bytes_out_per_second] = kinds;
        TrafficLimits {
            ops_per_second,
            bytes_in_per_second,
            bytes_out_per_second,
            connections: limits.connections.map(part_u32),
            connects_per_second: limits.connects_per_second.map(part_u32),
            inflight_bytes: limits.inflight_bytes.map(part),
            ..limits
        }
    }

    /// So much of one limit, by the grant of this serial.
    fn part(
        &self,
        latest: &Tenants,
        id: TenantId,
        kind: usize,
        limit: u64,
        count: usize,
    ) -> (u64, u64) {
        if count == 1 {
            return (limit, 0);
        }
        let (amount, serial) = latest.shares.of(id, kind, self.me, limit, count);
        match self.is_cut_off.load(Ordering::Acquire) {
            true => (amount.min(even_part(limit, count)).max(1), serial),
            false => (amount, serial),
        }
    }

    /// Notes whether the store is in reach; true if that has changed.
    pub(crate) fn note_contact(&self, sight: &Sight, now: Timestamp) -> bool {
        let is_fresh = sight.age(now).is_some_and(|age| age < CUT_OFF_AFTER);
        let is_cut_off = !is_fresh || !sight.registry.alive.contains(&self.me);
        self.is_cut_off.swap(is_cut_off, Ordering::AcqRel) != is_cut_off
    }
}

/// What this gateway's clients use, and what was said of it.
#[derive(Default)]
pub(crate) struct UseMeter {
    looked_at: Option<Timestamp>,
    before: BTreeMap<TenantId, Each<u64>>,
    said: Option<Use>,
}

impl UseMeter {
    /// Once a second says in the store what has changed; `counters` has requests, bytes in and bytes
    /// out of a tenant since the start.
    pub(crate) fn turn(
        &mut self,
        fleet: &FleetTenants,
        now: Timestamp,
        counters: impl Fn(TenantId) -> Each<u64>,
    ) -> Result<(), StoreError> {
        let elapsed = self.looked_at.map(|at| now.since(at));
        if elapsed.is_some_and(|elapsed| elapsed < LOOK_EVERY) {
            return Ok(());
        }
        let latest = fleet.latest();
        let mut wanted = latest.wanted();
        wanted.retain(|_, wanted| wanted.gateways.contains(&fleet.me));
        let counted: BTreeMap<TenantId, Each<u64>> =
            wanted.keys().map(|id| (*id, counters(*id))).collect();
        let before = std::mem::replace(&mut self.before, counted);
        self.looked_at = Some(now);
        let Some(elapsed) = elapsed else {
            return Ok(());
        };
        let mut next = BTreeMap::new();
        for (id, wanted) in &wanted {
            let (Some(from), Some(to)) = (before.get(id), self.before.get(id)) else {
                continue;
            };
            let count = wanted.gateways.len();
            let used: Each<Used> = std::array::from_fn(|kind| {
                let Some(limit) = wanted.limits[kind] else {
                    return Used::default();
                };
                let (_, serial) = fleet.part(&latest, *id, kind, limit, count);
                let amount = a_second(to[kind].saturating_sub(from[kind]), elapsed);
                Used { amount, serial }
            });
            next.insert(id.0, used);
        }
        let next = Use(next);
        let limit = |id: u32, kind: usize| {
            let wanted = wanted.get(&TenantId(id));
            wanted.and_then(|wanted| wanted.limits[kind]).unwrap_or(0)
        };
        if self
            .said
            .as_ref()
            .is_some_and(|said| !is_news(said, &next, limit))
        {
            return Ok(());
        }
        if self.said.is_none() && next.0.is_empty() {
            return Ok(());
        }
        let text = serde_json::to_vec(&next).unwrap_or_default();
        fleet
            .store
            .commit(&Change::default().put(&use_key(fleet.me), text))?;
        self.said = Some(next);
        Ok(())
    }
}

fn a_second(count: u64, elapsed: Duration) -> u64 {
    let micros = elapsed.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

fn is_news(said: &Use, next: &Use, limit: impl Fn(u32, usize) -> u64) -> bool {
    if !said.0.keys().eq(next.0.keys()) {
        return true;
    }
    let pairs = said.0.iter().zip(next.0.values());
    pairs.into_iter().any(|((id, said), next)| {
        (0..KINDS).any(|kind| {
            let (said, next) = (&said[kind], &next[kind]);
            let differs = said.amount.abs_diff(next.amount) > limit(*id, kind) / WORTH_PART;
            said.serial != next.serial || differs
        })
    })
}

#[cfg(test)]
#[path = "shares_test.rs"]
mod tests;
