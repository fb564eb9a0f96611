//! The node's side: which claims of gateways it honours, and which of its items are valid.

use base::fleet::{Claim, Epoch, MemberId, SLOT_COUNT, Slot};

use crate::knowledge::Standing;
use crate::ring::Ring;

/// What a node makes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Serve. What is stored is stamped with the claim's epoch; an item with another stamp is void
    /// and as good as not there.
    ///
    /// A node whose cache has the stamp as a part of its keys ([`Epoch::stamp`]) needs no field in
    /// its items and no scan: void items are never found again, and are evicted like any that
    /// nobody asks for. All loops of a node agree on stamps without talking to each other.
    Serve,
    /// Do not touch the cache: a read is a miss, a change is not stored.
    Refuse(Refusal),
}

/// Why a node does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The gateway's epoch is older than the node's: the slot has moved, or is about to.
    Older,
    /// In the node's ring, as new as the gateway's, another node owns the slot.
    NotOwner,
    /// Neither side is sure that this is still the owner: both have been cut off for too long, or
    /// the node has just started.
    Unsure,
}

/// What a node knows of each slot.
#[derive(Clone, Debug)]
pub struct SlotTable {
    me: MemberId,
    slots: Box<[Entry; SLOT_COUNT]>,
    /// Of the newest ring learned.
    version: Epoch,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Claims below it are refused.
    floor: Epoch,
    /// At `floor`, another node owns it, or nobody.
    foreign: bool,
}

impl SlotTable {
    /// For the node `me`, which holds nothing yet.
    pub fn new(me: MemberId) -> Self {
        Self {
            me,
            slots: Box::new([Entry::default(); SLOT_COUNT]),
            version: Epoch::ZERO,
        }
    }

    /// Brings it up to `ring`. From then on slots that move are refused: only after this may the
    /// member say in the store that it knows of the change.
    pub fn learn(&mut self, ring: &Ring) {
        for slot in Slot::all() {
            let held = ring.holding(slot);
            let entry = &mut self.slots[slot.index()];
            if held.epoch >= entry.floor {
                entry.floor = held.epoch;
                entry.foreign = held.owner != Some(self.me);
            }
        }
        let announced = ring.announced();
        for step in ring.moving() {
            let entry = &mut self.slots[step.slot.index()];
            if announced > entry.floor {
                entry.floor = announced;
                // Who asks with this epoch has seen it come true before this node has.
                entry.foreign = step.to != Some(self.me);
            }
        }
        self.version = self.version.max(ring.version());
    }

    /// The version of the newest ring learned.
    pub fn version(&self) -> Epoch {
        self.version
    }

    /// The epoch that a reply about `slot` carries: claims with a lower one are refused.
    pub fn epoch(&self, slot: Slot) -> Epoch {
        self.slots[slot.index()].floor
    }

    /// Whether to serve a request that makes this claim, for a node as sure of its ring as this, for
    /// an errand such as the request's.
    ///
    /// A claim newer than what the node knows is believed: gateways know of owners from the store
    /// alone. What the node held is void by it, and the node is up to date for this slot.
    #[inline]
    pub fn admit(&mut self, claim: Claim, standing: Standing) -> Admission {
        let entry = &mut self.slots[claim.slot.index()];
        if claim.epoch < entry.floor {
            return Admission::Refuse(Refusal::Older);
        }
        if claim.epoch > entry.floor {
            entry.floor = claim.epoch;
            entry.foreign = false;
        }
        if entry.foreign {
            return Admission::Refuse(Refusal::NotOwner);
        }
        match standing {
            Standing::Assured => Admission::Serve,
            Standing::Unsure if claim.vouched => Admission::Serve,
            Standing::Unsure | Standing::Starting => Admission::Refuse(Refusal::Unsure),
        }
    }
}

#[cfg(test)]
#[path = "slot_table_test.rs"]
mod tests;
