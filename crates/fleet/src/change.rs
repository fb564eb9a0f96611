//! When a change of the ring that was announced may be made.
//!
//! Two rules, for two dangers. *Quorum*: a member that has lost the store takes the word of nodes
//! for it that nothing has changed; so a change needs so many nodes to know of it that among those
//! asked there is always one that does ([`evidence_quorum`] and [`change_quorum`] overlap).
//! *Silence*: no slot changes hands while a member that is not cut off may still read it at its old
//! owner; who does not answer within [`GRACE`] is taken to be cut off, and stops by itself at the
//! latest `max_stale` after he last heard.

use std::collections::BTreeMap;
use std::time::Duration;

use base::fleet::{Epoch, MemberId};

use crate::ring::Ring;

/// How long a change waits for members that do not answer, once it has its quorum.
pub const GRACE: Duration = Duration::from_secs(2);

/// Which announced version each member has said in the store that it knows. A gateway is in it from
/// the moment it registers, a node that was never heard need not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Of each node that has said so.
    pub nodes: BTreeMap<MemberId, Epoch>,
    /// Of each gateway that is registered and alive, `Epoch::ZERO` if it has not said any.
    pub gateways: BTreeMap<MemberId, Epoch>,
}

/// Of `nodes` that own slots, how many must say that they know of no change for that to hold.
///
/// Two thirds: so a third of the nodes may be gone while the store is too.
pub const fn evidence_quorum(nodes: usize) -> usize {
    (2 * nodes).div_ceil(3)
}

/// Of `nodes` that own slots, how many must know of a change before it is made.
pub const fn change_quorum(nodes: usize) -> usize {
    nodes - evidence_quorum(nodes) + if nodes == 0 { 0 } else { 1 }
}

/// What a change under way waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing: it may be made.
    Ready,
    /// Too few of the nodes that own slots know of it. If the others are truly dead an operator may
    /// force it; else it would let them serve what is stale.
    Quorum {
        /// How many know of it.
        have: usize,
        /// How many must.
        need: usize,
    },
    /// These members may still be serving what moves.
    Silence(Vec<MemberId>),
}

/// Whether the change under way in `ring` may be made, `waited` after it was announced. With no
/// change under way it is [`Readiness::Ready`].
pub fn ready(ring: &Ring, heard: &Heard, waited: Duration) -> Readiness {
    let knows = |of: &BTreeMap<MemberId, Epoch>, id: &MemberId| {
        of.get(id).is_some_and(|known| *known >= ring.announced())
    };
    let owners = ring.owners();
    let have = owners.iter().filter(|id| knows(&heard.nodes, id)).count();
    let need = change_quorum(owners.len());
    if have < need {
        return Readiness::Quorum { have, need };
    }
    let mut open: Vec<MemberId> = (ring.moving().iter())
        .filter_map(|step| ring.holding(step.slot).owner)
        .filter(|old| !knows(&heard.nodes, old))
        .collect();
    open.sort_unstable();
    open.dedup();
    let unaware = heard.gateways.keys();
    let unaware = unaware.filter(|id| !knows(&heard.gateways, id)).copied();
    let unaware: Vec<MemberId> = unaware.collect();
    // A slot is safe once its old owner refuses it, or once nobody asks there any more.
    if open.is_empty() || unaware.is_empty() || waited >= GRACE {
        return Readiness::Ready;
    }
    Readiness::Silence(open.into_iter().chain(unaware).collect())
}

#[cfg(test)]
#[path = "change_test.rs"]
mod tests;
