//! Shuffle sharding: which few of the gateways a tenant is on, so that what hurts some gateways hurts
//! few tenants, and two tenants rarely share all of theirs.
//!
//! Weighted rendezvous hashing (Thaler, Ravishankar, 1998; weights as by Schindelhauer and Schomaker,
//! 2005): each gateway draws a number for the tenant, and the lowest win. A gateway that comes or goes
//! changes the places of those tenants only that it wins or leaves.

use std::collections::BTreeMap;

use base::TenantId;
use base::fleet::MemberId;
use base::rng::Rng;

/// How many gateways a tenant is on unless it asks for more.
pub const GATEWAYS_DEFAULT: usize = 2;

/// Gateways and how many tenants each may take beside the others; 0 for none that are new.
pub type Capacities = BTreeMap<MemberId, u32>;

/// The `count` gateways for `tenant`, the first of them the first of its server list; all there
/// are if there are fewer.
pub fn place(tenant: TenantId, count: usize, gateways: &Capacities) -> Vec<MemberId> {
    let open = gateways.iter().filter(|(_, capacity)| **capacity > 0);
    let mut drawn: Vec<(f64, MemberId)> = open
        .map(|(id, capacity)| (draw(tenant, *id, *capacity), *id))
        .collect();
    drawn.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    drawn.into_iter().take(count).map(|(_, id)| id).collect()
}

/// An exponential variable whose rate is the capacity: the lowest of several is drawn with a
/// probability in proportion to its rate.
fn draw(tenant: TenantId, gateway: MemberId, capacity: u32) -> f64 {
    let seed = (u64::from(tenant.0) << 32) | u64::from(gateway.0);
    // Neighbouring seeds give neighbouring sequences; the second number is well mixed.
    let mixed = Rng::new(seed).next_u64();
    let unit = 1.0 - Rng::new(mixed).unit_f64();
    -unit.ln() / f64::from(capacity)
}

/// How a tenant gets from some gateways to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// On these first, so that its clients find them: its old ones and its new ones.
    pub during: Vec<MemberId>,
    /// On these alone, once its clients have the new list.
    pub after: Vec<MemberId>,
    /// Where it will no longer be.
    pub leaves: Vec<MemberId>,
}

/// The plan of moving a tenant that is on `present` away from `avoided`, or anywhere if that is
/// empty, to `count` of `gateways`. Places that may stay do. `None` if there is nowhere to go.
///
/// Keys are found by the ring and not by the gateway: nothing cached moves or is lost.
pub fn relocate(
    tenant: TenantId,
    count: usize,
    present: &[MemberId],
    avoided: &[MemberId],
    gateways: &Capacities,
) -> Option<Relocation> {
    let fine = |id: &MemberId| !avoided.contains(id) && gateways.contains_key(id);
    let stay: Vec<MemberId> = match avoided {
        [] => Vec::new(),
        _ => present.iter().copied().filter(fine).take(count).collect(),
    };
    let elsewhere = |id: &MemberId| fine(id) && !present.contains(id);
    let open: Capacities = (gateways.iter())
        .filter(|(id, _)| elsewhere(id))
        .map(|(id, capacity)| (*id, *capacity))
        .collect();
    let new = place(tenant, count - stay.len(), &open);
    if new.is_empty() {
        return None;
    }
    let mut after: Vec<MemberId> = stay.iter().chain(&new).copied().collect();
    // With fewer free gateways than places, some of the old ones stay all the same.
    let spare = present.iter().filter(|id| fine(id) && !stay.contains(id));
    after.extend(spare.take(count - after.len()).copied().collect::<Vec<_>>());
    let leaves = present.iter().filter(|id| !after.contains(id)).copied();
    let leaves: Vec<MemberId> = leaves.collect();
    let during = after.iter().chain(&leaves).copied().collect();
    Some(Relocation {
        during,
        after,
        leaves,
    })
}

#[cfg(test)]
#[path = "shuffle_test.rs"]
mod tests;
