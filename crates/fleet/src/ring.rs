//! The ring: who owns each slot, since when, and the change that is under way.
//!
//! A change takes two steps, each one write to the state store that is compared with what was there.
//! [`Ring::propose`] announces the moves: whoever knows of them serves the slots that move no
//! longer, and says so in the store. Once enough members have said so (see
//! [`Patience`](crate::change::Patience)) [`Ring::commit`] gives the slots to their new owners. So a new
//! owner takes no writes while anybody who is not cut off still reads from the old one.

use base::fleet::{Epoch, MemberId, SLOT_COUNT, Slot};

use crate::assignment::{self, Weights};

/// A slot's owner, and since which epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// The node that owns it, if one does.
    pub owner: Option<MemberId>,
    /// The version of the ring that made it so.
    pub epoch: Epoch,
}

/// A slot and who is to own it; if that is its owner already, what it holds becomes void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The slot.
    pub slot: Slot,
    /// Its next owner, if any.
    pub to: Option<MemberId>,
}

/// One version of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    version: Epoch,
    slots: Box<[Holding; SLOT_COUNT]>,
    moving: Vec<Move>,
}

/// Why a change of the ring was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// Another change is under way: carry it through first.
    UnderWay,
    /// No change is under way.
    Idle,
}

impl Ring {
    /// The one that a fleet begins with: version 0, nobody owns anything.
    pub fn empty() -> Self {
        Self {
            version: Epoch::ZERO,
            slots: Box::new([Holding::default(); SLOT_COUNT]),
            moving: Vec::new(),
        }
    }

    /// From its parts; `None` unless slots are as old as the ring or older and none moves twice.
    pub(crate) fn from_parts(
        version: Epoch,
        slots: Box<[Holding; SLOT_COUNT]>,
        moving: Vec<Move>,
    ) -> Option<Self> {
        let mut moves = [false; SLOT_COUNT];
        let twice = moving
            .iter()
            .any(|step| std::mem::replace(&mut moves[step.slot.index()], true));
        let newer = slots.iter().any(|held| held.epoch > version);
        let ring = Self {
            version,
            slots,
            moving,
        };
        (!twice && !newer).then_some(ring)
    }

    /// How many changes were made.
    pub fn version(&self) -> Epoch {
        self.version
    }

    /// The version that whoever knows this ring knows of: with a change under way the one to come.
    pub fn announced(&self) -> Epoch {
        if self.moving.is_empty() {
            self.version
        } else {
            self.version.next()
        }
    }

    /// Who owns `slot`, and since when; a move under way has not happened yet.
    pub fn holding(&self, slot: Slot) -> Holding {
        self.slots[slot.index()]
    }

    /// All slots, by number.
    pub fn holdings(&self) -> &[Holding; SLOT_COUNT] {
        &self.slots
    }

    /// The moves under way; empty for none.
    pub fn moving(&self) -> &[Move] {
        &self.moving
    }

    /// The nodes that own slots, in order, each once.
    pub fn owners(&self) -> Vec<MemberId> {
        let mut owners: Vec<_> = self.slots.iter().filter_map(|held| held.owner).collect();
        owners.dedup();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// How many slots `node` owns.
    pub fn count(&self, node: MemberId) -> usize {
        let own = self.slots.iter().filter(|held| held.owner == Some(node));
        own.count()
    }

    /// This ring with the moves announced that bring it to `weights`; `None` if it is there.
    pub fn propose(&self, weights: &Weights) -> Result<Option<Self>, ChangeError> {
        self.announce(assignment::moves(&self.slots, weights))
    }

    /// This ring with it announced that all that `node` holds is to be void; `None` if it owns
    /// nothing.
    pub fn propose_void(&self, node: MemberId) -> Result<Option<Self>, ChangeError> {
        let own = Slot::all().filter(|slot| self.holding(*slot).owner == Some(node));
        let to = Some(node);
        self.announce(own.map(|slot| Move { slot, to }).collect())
    }

    /// This ring, out of a backup of the store, fit to be used again: newer than `newest`, the
    /// newest version that any member remembers, and with all that anybody holds void, since nobody
    /// knows which changes were lost. No epoch is used a second time.
    #[must_use]
    pub fn restored(&self, newest: Epoch) -> Self {
        let version = newest.max(self.announced()).next();
        let mut slots = self.slots.clone();
        for held in slots.iter_mut() {
            held.epoch = version;
        }
        Self {
            version,
            slots,
            moving: Vec::new(),
        }
    }

    fn announce(&self, moving: Vec<Move>) -> Result<Option<Self>, ChangeError> {
        if !self.moving.is_empty() {
            return Err(ChangeError::UnderWay);
        }
        let announced = || Self {
            moving: moving.clone(),
            ..self.clone()
        };
        Ok((!moving.is_empty()).then(announced))
    }

    /// The ring after the change under way.
    pub fn commit(&self) -> Result<Self, ChangeError> {
        if self.moving.is_empty() {
            return Err(ChangeError::Idle);
        }
        let epoch = self.version.next();
        let mut slots = self.slots.clone();
        for Move { slot, to } in &self.moving {
            slots[slot.index()] = Holding { owner: *to, epoch };
        }
        Ok(Self {
            version: epoch,
            slots,
            moving: Vec::new(),
        })
    }
}

#[cfg(test)]
#[path = "ring_test.rs"]
mod tests;
