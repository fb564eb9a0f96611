//! The rates of a fleet's tenants, split over their gateways by use: what gateways say, what is written
//! down, and the step from one to the next.
//!
//! Everything that a step needs is in the store, so that any gateway can make the next one: each
//! [`Split`] goes on from what is written down, and what is written holds before anybody acts by it.

use std::collections::BTreeMap;

use base::fleet::MemberId;
use base::{TenantId, TrafficLimits};
use serde::{Deserialize, Serialize};

use crate::split::{Held, Split};

/// The limits that are split: requests, bytes in and bytes out, each a second.
pub const KINDS: usize = 3;

/// One number for each of the limits that are split.
pub type Each<T> = [T; KINDS];

/// What one gateway's clients use of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// A second, of late.
    pub amount: u64,
    /// The serial of the grant that it applies; 0 for none.
    pub serial: u64,
}

/// What one gateway says, by tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use(pub BTreeMap<u32, Each<Used>>);

/// What each gateway may use, by tenant. A limit that nobody is in is split evenly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares(BTreeMap<u32, Each<BTreeMap<u32, Held>>>);

/// A tenant's limits, and the gateways where its clients are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Where there is none, nothing is split.
    pub limits: Each<Option<u64>>,
    /// Who has a share.
    pub gateways: Vec<MemberId>,
}

/// What is known of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Its lease holds.
    Here,
    /// It does not: by now it uses no more than an even part, see [`Shares::of`].
    Silent,
    /// It has ended for certain, or is no member any more.
    Gone,
}

/// The limits of these that are split.
pub fn rates(limits: &TrafficLimits) -> Each<Option<u64>> {
    [
        limits.ops_per_second,
        limits.bytes_in_per_second,
        limits.bytes_out_per_second,
    ]
}

impl Shares {
    /// What a gateway may use of a limit that is split over `count` gateways, and the serial of the
    /// grant that says so. One that is cut off from the store, before its lease ends, takes no more
    /// than an even part: the others may be given the rest.
    pub fn of(
        &self,
        tenant: TenantId,
        kind: usize,
        me: MemberId,
        limit: u64,
        count: usize,
    ) -> (u64, u64) {
        let known = self.0.get(&tenant.0).and_then(|kinds| kinds.get(kind));
        let known = known.filter(|parts| !parts.is_empty());
        let (amount, serial) = match known.map(|parts| parts.get(&me.0)) {
            // Nobody has written anything down yet.
            None => (even_part(limit, count), 0),
            Some(Some(held)) => (held.amount, held.serial),
            // All of it is somebody else's, until that one has given something up.
            Some(None) => (0, 0),
        };
        // A limit that was cut holds at once; nobody is shut out.
        (amount.min(limit).max(1), serial)
    }

    /// The next shares, from what gateways have said.
    pub fn next(
        &self,
        uses: &BTreeMap<MemberId, Use>,
        wanted: &BTreeMap<TenantId, Wanted>,
        presence: impl Fn(MemberId) -> Presence,
    ) -> Self {
        let mut next = BTreeMap::new();
        for (tenant, wanted) in wanted {
            let mut kinds: Each<BTreeMap<u32, Held>> = Default::default();
            for (kind, parts) in kinds.iter_mut().enumerate() {
                let Some(limit) = wanted.limits.get(kind).copied().flatten() else {
                    continue;
                };
                let before = self.0.get(&tenant.0).and_then(|kinds| kinds.get(kind));
                let said = |id: MemberId| {
                    let said = uses.get(&id)?;
                    Some(said.0.get(&tenant.0).and_then(|it| it.get(kind)).copied())
                };
                *parts = match before.filter(|parts| !parts.is_empty()) {
                    None => begin(limit, &wanted.gateways),
                    Some(before) => step(limit, before, &wanted.gateways, said, &presence),
                };
            }
            if kinds.iter().any(|parts| !parts.is_empty()) {
                next.insert(tenant.0, kinds);
            }
        }
        Self(next)
    }
}

/// One of `count` equal parts of a limit, rounded up.
pub fn even_part(limit: u64, count: usize) -> u64 {
    limit.div_ceil(count.max(1) as u64)
}

/// What all gateways go by before anything is written down, written down.
fn begin(limit: u64, gateways: &[MemberId]) -> BTreeMap<u32, Held> {
    let amount = even_part(limit, gateways.len());
    let held = Held {
        serial: 1,
        amount,
        most: amount,
    };
    gateways.iter().map(|id| (id.0, held)).collect()
}

fn step(
    limit: u64,
    before: &BTreeMap<u32, Held>,
    gateways: &[MemberId],
    said: impl Fn(MemberId) -> Option<Option<Used>>,
    presence: impl Fn(MemberId) -> Presence,
) -> BTreeMap<u32, Held> {
    let mut split = Split::new(limit);
    for (id, held) in before {
        let id = MemberId(*id);
        // One that is told not to serve it any more, and says that it does not.
        let has_left = !gateways.contains(&id) && said(id) == Some(None);
        match presence(id) {
            _ if has_left => {}
            Presence::Gone => {}
            Presence::Silent => split.resume(id, held.at_most(even_part(limit, gateways.len()))),
            Presence::Here => split.resume(id, *held),
        }
    }
    for id in gateways
        .iter()
        .filter(|id| presence(**id) == Presence::Here)
    {
        split.join(*id);
    }
    let all: Vec<MemberId> = split.held().map(|(id, _)| id).collect();
    for id in all {
        match said(id).flatten() {
            // Nothing is given to whoever does not hear of it, nor asked of it.
            _ if presence(id) == Presence::Silent => {}
            Some(used) => split.report(id, used.amount, used.serial),
            None if !gateways.contains(&id) => split.report(id, 0, 0),
            None => {}
        }
    }
    split.rebalance();
    split.held().map(|(id, held)| (id.0, held)).collect()
}

#[cfg(test)]
#[path = "shares_test.rs"]
mod tests;
