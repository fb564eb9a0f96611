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

use base::Timestamp;
use base::fleet::{Epoch, MemberId};

use crate::ring::Ring;

/// How long a change waits for members that do not answer, from when it has its quorum: until then
/// nodes may assure those who have lost the store that nothing has changed.
pub const GRACE: Duration = Duration::from_secs(5);

/// Which announced version each member has said in the store that it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Of each node that has said any.
    pub nodes: BTreeMap<MemberId, Epoch>,
    /// Of each gateway that is registered, `Epoch::ZERO` if it has not said any. A gateway whose
    /// lease has run out is still registered: without the store it may be serving on, since nodes
    /// tell it that nothing has changed. Only who has ended for good is taken out.
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

/// Who carries changes through: decides, from what is in the store, when one may be made.
///
/// Several may do so at a time, since what they write to the store is compared with what was there;
/// one that takes over waits anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// The version announced for which there is a quorum, and since when.
    quorum: Option<(Epoch, Timestamp)>,
}

impl Patience {
    /// Whether the change under way in `ring` may be made, by what has been heard up to `now`. With
    /// none under way it is [`Readiness::Ready`].
    pub fn ready(&mut self, ring: &Ring, heard: &Heard, now: Timestamp) -> Readiness {
        let owners = ring.owners();
        let have = owners.iter().filter(|id| heard.node(ring, id)).count();
        let need = change_quorum(owners.len());
        if have < need {
            self.quorum = None;
            return Readiness::Quorum { have, need };
        }
        let announced = ring.announced();
        let since = match self.quorum {
            Some((of, since)) if of == announced => since,
            _ => now,
        };
        self.quorum = Some((announced, since));
        if now.since(since) >= GRACE {
            return Readiness::Ready;
        }
        silence(ring, heard)
    }
}

impl Heard {
    fn node(&self, ring: &Ring, id: &MemberId) -> bool {
        (self.nodes.get(id)).is_some_and(|known| *known >= ring.announced())
    }
}

/// A slot is safe once its old owner refuses it, or once nobody asks there any more.
fn silence(ring: &Ring, heard: &Heard) -> Readiness {
    let mut open: Vec<MemberId> = (ring.moving().iter())
        .filter_map(|step| ring.holding(step.slot).owner)
        .filter(|old| !heard.node(ring, old))
        .collect();
    open.sort_unstable();
    open.dedup();
    let unaware = heard.gateways.iter();
    let unaware = unaware.filter(|(_, known)| **known < ring.announced());
    let unaware: Vec<MemberId> = unaware.map(|(id, _)| *id).collect();
    if open.is_empty() || unaware.is_empty() {
        return Readiness::Ready;
    }
    Readiness::Silence(open.into_iter().chain(unaware).collect())
}

#[cfg(test)]
#[path = "change_test.rs"]
mod tests;
