//! Identities in a fleet: its members, the slots that keys fall into, and the epochs of their owners.

use std::fmt;

/// Into how many slots all keys fall. Never to be changed: it is part of where a key lives.
pub const SLOT_COUNT: usize = 4096;

/// A gateway or a node, by the number that the state store gave it when it joined; never used for
/// another member again, and kept over restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "member {}", self.0)
    }
}

/// One run of one member's process, by a number that the state store gives out once in the life of
/// a fleet. It is the upper part of every CAS token that a node hands out, so that no token matches
/// one of another node or of another run: see [`Incarnation::first_cas`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(u32);

impl Incarnation {
    /// The one of a machine without a fleet.
    pub const ALONE: Self = Self(0);

    /// How many tokens each has: at a million changes a second, those of twelve days.
    pub const CAS_TOKENS: u64 = 1 << 40;

    /// The one with this number, `None` from 2²⁴ on.
    pub const fn new(number: u32) -> Option<Self> {
        if number >> 24 == 0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The first of its CAS tokens, never 0; there are [`Incarnation::CAS_TOKENS`] - 1 more.
    pub const fn first_cas(self) -> u64 {
        ((self.0 as u64) << 40) + 1
    }
}

/// One of the [`SLOT_COUNT`] parts that keys are divided into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot with this number, `None` from [`SLOT_COUNT`] on.
    pub const fn new(number: u16) -> Option<Self> {
        if (number as usize) < SLOT_COUNT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The slot of a key with this hash: its upper bits.
    pub const fn of_hash(hash: u64) -> Self {
        Self((hash >> (u64::BITS - SLOT_COUNT.trailing_zeros())) as u16)
    }

    /// Its number, below [`SLOT_COUNT`].
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Its place in a table of all slots.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// All of them, in order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..SLOT_COUNT as u16).map(Self)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}", self.0)
    }
}

/// A version of the ring: it grows by one with every change that the state store takes.
///
/// A slot's epoch is the version that last gave the slot to another owner, or declared what its
/// owner held void. Two members that name the same epoch of a slot mean the same owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Before the first ring.
    pub const ZERO: Self = Self(0);

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Five bytes that no other epoch has, short enough to follow the longest key where a length
    /// is one byte; good for 2⁴⁰ changes.
    pub const fn stamp(self) -> [u8; 5] {
        let [a, b, c, d, e, ..] = self.0.to_le_bytes();
        [a, b, c, d, e]
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}", self.0)
    }
}

/// What a request to a node says about the ring: which slot its key is in, and what the gateway
/// knows of the slot. The reply carries the node's own epoch of the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key's slot.
    pub slot: Slot,
    /// Since which epoch the node addressed owns it, as far as the gateway knows.
    pub epoch: Epoch,
    /// Whether the gateway is sure enough of this for what the request is to do: a change needs a
    /// fresher ring than a read.
    pub vouched: bool,
}

#[cfg(test)]
#[path = "fleet_test.rs"]
mod tests;
