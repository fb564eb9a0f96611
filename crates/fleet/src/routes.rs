//! The gateway's side: where a key's requests go, and when they go nowhere.

use std::collections::BTreeMap;

use base::fleet::{Epoch, MemberId, SLOT_COUNT, Slot};

use crate::ring::{Holding, Ring};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this node, with this epoch as the claim.
    To {
        /// The owner.
        node: MemberId,
        /// Since which epoch it owns the slot.
        epoch: Epoch,
    },
    /// Nowhere: a read is a miss, a change is not stored. Never to another node.
    Nowhere(Why),
}

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nobody owns the slot.
    NoOwner,
    /// The slot is changing hands, or has and this gateway has yet to learn to whom.
    Moving,
    /// This gateway has taken the owner out for itself.
    Ejected,
}

/// A gateway's table of slots.
#[derive(Clone, Debug)]
pub struct Routes {
    slots: Box<[Entry; SLOT_COUNT]>,
    /// How much of its keys a node gets here, in thousandths; of the others all.
    shares: BTreeMap<MemberId, u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    held: Holding,
    /// The newest epoch that anybody has mentioned: above `held.epoch` the slot is moving.
    seen: Epoch,
    ejected: bool,
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

impl Routes {
    /// With no ring yet: nothing goes anywhere.
    pub fn new() -> Self {
        Self {
            slots: Box::new([Entry::default(); SLOT_COUNT]),
            shares: BTreeMap::new(),
        }
    }

    /// Brings it up to `ring`. From then on slots that move go nowhere: only after this may the
    /// member say in the store that it knows of the change.
    pub fn learn(&mut self, ring: &Ring) {
        for slot in Slot::all() {
            let (held, entry) = (ring.holding(slot), &mut self.slots[slot.index()]);
            if held.epoch >= entry.held.epoch {
                entry.held = held;
                entry.seen = entry.seen.max(held.epoch);
                entry.ejected = is_kept_back(&self.shares, held.owner, slot);
            }
        }
        for step in ring.moving() {
            let entry = &mut self.slots[step.slot.index()];
            entry.seen = entry.seen.max(ring.announced());
        }
    }

    /// Where requests about keys in `slot` go.
    #[inline]
    pub fn route(&self, slot: Slot) -> Route {
        let entry = &self.slots[slot.index()];
        match entry.held.owner {
            _ if entry.seen > entry.held.epoch => Route::Nowhere(Why::Moving),
            None => Route::Nowhere(Why::NoOwner),
            Some(_) if entry.ejected => Route::Nowhere(Why::Ejected),
            Some(node) => Route::To {
                node,
                epoch: entry.held.epoch,
            },
        }
    }

    /// Who has `slot` and since which epoch, taken out here or not; `None` while it moves, or has
    /// nobody.
    pub fn holder(&self, slot: Slot) -> Option<(MemberId, Epoch)> {
        let entry = &self.slots[slot.index()];
        let owner = entry.held.owner?;
        (entry.seen <= entry.held.epoch).then_some((owner, entry.held.epoch))
    }

    /// Takes note of a reply's epoch. True if it is newer than the gateway's: the slot's requests
    /// go nowhere until the store has told where; ask it at once.
    pub fn observe(&mut self, slot: Slot, epoch: Epoch) -> bool {
        let entry = &mut self.slots[slot.index()];
        entry.seen = entry.seen.max(epoch);
        entry.seen > entry.held.epoch
    }

    /// Gives these nodes only so much of their keys, in thousandths, and the others all; for this
    /// gateway alone, store or no store. The rest of their keys goes nowhere.
    pub fn limit(&mut self, shares: &BTreeMap<MemberId, u32>) {
        self.shares = shares.clone();
        for slot in Slot::all() {
            let entry = &mut self.slots[slot.index()];
            entry.ejected = is_kept_back(shares, entry.held.owner, slot);
        }
    }

    /// Takes `node` out for this gateway alone, store or no store: its keys go nowhere.
    pub fn eject(&mut self, node: MemberId) {
        let mut shares = std::mem::take(&mut self.shares);
        shares.insert(node, 0);
        self.limit(&shares);
    }

    /// Puts `node` back in.
    pub fn readmit(&mut self, node: MemberId) {
        let mut shares = std::mem::take(&mut self.shares);
        shares.remove(&node);
        self.limit(&shares);
    }

    /// The nodes that this gateway has taken out.
    pub fn ejected(&self) -> impl Iterator<Item = MemberId> {
        let out = self.shares.iter().filter(|(_, share)| **share == 0);
        out.map(|(node, _)| *node)
    }
}

/// Whether a slot is among those that its owner does not get; a node that gets more gets what it had
/// and some more.
fn is_kept_back(shares: &BTreeMap<MemberId, u32>, owner: Option<MemberId>, slot: Slot) -> bool {
    let Some(share) = owner.and_then(|owner| shares.get(&owner)) else {
        return false;
    };
    // Neighbours are spread over the whole range (Knuth's multiplicative hash).
    let spread = u32::from(slot.number()).wrapping_mul(2_654_435_769) >> 12;
    (u64::from(spread) * 1000) >> 20 >= u64::from(*share)
}

#[cfg(test)]
#[path = "routes_test.rs"]
mod tests;
