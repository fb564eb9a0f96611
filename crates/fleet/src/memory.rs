//! The memory of a fleet's tenants, divided over the nodes by what keys take up there.
//!
//! Keys are spread evenly, bytes are not: a few large values may fill a tenant's part of one node
//! while another has room. Such a tenant's parts are written down and follow its use; everybody
//! else's are those of the ring. As with [rates](crate::shares), all that a step needs is in the
//! store and in what nodes tell, and nothing is given away before a node has given it up.

use std::collections::BTreeMap;

use base::TenantId;
use base::fleet::MemberId;
use serde::{Deserialize, Serialize};

use crate::split::{Held, Split};

/// A part that is this much above or below an even one is worth writing down: one in so many.
const WORTH_PART: u64 = 8;
/// Parts that are all nearer than this to even ones are forgotten: one in so many.
const SAME_PART: u64 = 16;

/// The digits of a part that tell it from others.
const MARK: u64 = 0xff;

/// What each node may hold, of those tenants whose parts are not the ring's; beyond what each node
/// has in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts(BTreeMap<u32, BTreeMap<u32, Held>>);

/// What a node tells of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bytes of live items.
    pub live_bytes: u64,
    /// Bytes held, which sink to a smaller quota by and by.
    pub held_bytes: u64,
    /// What it may hold, as far as the node knows.
    pub quota_bytes: u64,
    /// Items have been evicted of late.
    pub is_evicting: bool,
}

/// What is to be divided of a tenant's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All of it, in bytes.
    pub quota_bytes: u64,
    /// What each node has in any case, in bytes.
    pub least_bytes: u64,
    /// The nodes that own keys, and how many slots.
    pub slots: BTreeMap<MemberId, u64>,
}

impl Wanted {
    /// What is left to divide when each node has the least; none if that is nothing worth it.
    fn limit(&self) -> Option<u64> {
        let least = self.least_bytes.saturating_mul(self.slots.len() as u64);
        let rest = self.quota_bytes.checked_sub(least)?;
        (rest >= least && self.slots.len() > 1).then_some(rest)
    }

    /// What a node would get of `limit` if all wanted more.
    fn even(&self, node: MemberId, limit: u64) -> u64 {
        let slots = self.slots.get(&node).copied().unwrap_or(0);
        let all: u64 = self.slots.values().sum();
        let most = u128::from(limit.saturating_add(limit / 10));
        u64::try_from(most * u128::from(slots) / u128::from(all.max(1))).unwrap_or(u64::MAX)
    }

    /// The part of a node as the ring has it, beyond the least.
    fn of_ring(&self, node: MemberId) -> u64 {
        let slots = self.slots.get(&node).copied().unwrap_or(0);
        let all: u64 = self.slots.values().sum();
        let part = u128::from(self.quota_bytes) * u128::from(slots) / u128::from(all.max(1));
        let part = u64::try_from(part).unwrap_or(u64::MAX);
        part.saturating_sub(self.least_bytes)
    }
}

impl Parts {
    /// What each node may hold of a tenant's memory; `None` where that follows from the ring, as it
    /// does while its quota has been cut to less than was written down.
    pub fn of(&self, tenant: TenantId, wanted: &Wanted) -> Option<BTreeMap<MemberId, u64>> {
        let known = self.0.get(&tenant.0)?;
        let limit = wanted.limit()?;
        let sum: u64 = known.values().map(|held| held.amount).sum();
        let marks = MARK * known.len() as u64;
        if sum > limit.saturating_add(limit / 10).saturating_add(marks) {
            return None;
        }
        let part = |node: &MemberId| known.get(&node.0).map_or(0, |held| held.amount);
        let nodes = wanted.slots.keys();
        Some(
            nodes
                .map(|id| (*id, wanted.least_bytes + part(id)))
                .collect(),
        )
    }

    /// The next parts, from what nodes have told.
    pub fn next(
        &self,
        wanted: &BTreeMap<TenantId, Wanted>,
        seen: impl Fn(TenantId, MemberId) -> Option<Seen>,
    ) -> Self {
        let next = wanted.iter().filter_map(|(tenant, wanted)| {
            let limit = wanted.limit()?;
            let seen = |node: MemberId| seen(*tenant, node);
            let known = self.0.get(&tenant.0);
            let begun = || begin(wanted, limit, seen);
            let parts = match known {
                Some(known) => step(known, wanted, limit, seen),
                None => step(&begun()?, wanted, limit, seen),
            };
            let nearness = if known.is_some() {
                SAME_PART
            } else {
                WORTH_PART
            };
            let is_other = |(id, held): (&u32, &Held)| {
                let even = wanted.even(MemberId(*id), limit);
                [held.amount, held.most]
                    .iter()
                    .any(|it| it.abs_diff(even) > even / nearness)
            };
            parts.iter().any(is_other).then_some((tenant.0, parts))
        });
        Self(next.collect())
    }
}

/// What the ring gives, written down, if some node of the tenant has too little while another has room.
fn begin(
    wanted: &Wanted,
    limit: u64,
    seen: impl Fn(MemberId) -> Option<Seen>,
) -> Option<BTreeMap<u32, Held>> {
    let all: Option<Vec<(MemberId, Seen)>> = (wanted.slots.keys())
        .map(|id| Some((*id, seen(*id)?)))
        .collect();
    let all = all?;
    let is_short = all.iter().any(|(_, seen)| seen.is_evicting);
    let has_room = |(id, seen): &(MemberId, Seen)| {
        let part = wanted.of_ring(*id) + wanted.least_bytes;
        !seen.is_evicting && seen.live_bytes < part / 2
    };
    if !is_short || !all.iter().any(has_room) {
        return None;
    }
    // A node of little weight has more than its part of the ring, in any case: the others have less.
    let sum: u64 = wanted.slots.keys().map(|id| wanted.of_ring(*id)).sum();
    let part = |id: MemberId| {
        let of_ring = u128::from(wanted.of_ring(id)) * u128::from(limit.min(sum));
        u64::try_from(of_ring / u128::from(sum.max(1))).unwrap_or(u64::MAX)
    };
    let held = |id: &MemberId| Held {
        serial: 1,
        amount: part(*id),
        most: wanted.of_ring(*id),
    };
    Some(wanted.slots.keys().map(|id| (id.0, held(id))).collect())
}

fn step(
    before: &BTreeMap<u32, Held>,
    wanted: &Wanted,
    limit: u64,
    seen: impl Fn(MemberId) -> Option<Seen>,
) -> BTreeMap<u32, Held> {
    let mut split = Split::new(limit);
    for (id, held) in before {
        // What a node held that owns no keys any more is void, and goes.
        if wanted.slots.contains_key(&MemberId(*id)) {
            split.resume(MemberId(*id), *held);
        }
    }
    for (id, slots) in &wanted.slots {
        split.join(*id);
        split.weigh(*id, *slots);
        let held = before.get(&id.0).copied().unwrap_or_default();
        let Some(seen) = seen(*id) else {
            // Of a node that says nothing it is not known that it has room.
            split.report(*id, held.amount, 0);
            continue;
        };
        let has = wanted.least_bytes + held.amount;
        // Each part is told from the one before by its lowest digits.
        let has_given_up = seen.quota_bytes == has && seen.held_bytes <= has;
        let used = match seen.is_evicting {
            true => seen.live_bytes.max(has),
            false => seen.live_bytes,
        };
        let serial = if has_given_up { held.serial } else { 0 };
        split.report(*id, used.saturating_sub(wanted.least_bytes), serial);
    }
    split.rebalance();
    let marked = split.held().map(|(id, held)| {
        let is_known = |known: &&Held| known.serial == held.serial;
        let known = before.get(&id.0).filter(is_known);
        (id.0, known.map_or_else(|| mark(held), |_| held))
    });
    marked.collect()
}

/// Puts the grant's serial into the lowest digits of its amount, so that a node that has it can be told
/// from one that has another of nearly the same size.
fn mark(held: Held) -> Held {
    let amount = held.amount & !MARK | held.serial & MARK;
    Held {
        amount,
        most: held.most.max(amount),
        ..held
    }
}

#[cfg(test)]
#[path = "memory_test.rs"]
mod tests;
