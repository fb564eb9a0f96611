//! Which slots must change hands so that every node has its share, and no more than must.
//!
//! The present owners are the starting point, so that a node keeps what it has warmed: a slot moves
//! only from a node that has more than its share, rounded up, or to one that has less than its
//! share, rounded down. Rendezvous hashing would need no table, but with 13 slots a node (300
//! nodes) its shares are off by a quarter; and a table there must be, for the epochs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base::fleet::{Epoch, MemberId, SLOT_COUNT, Slot};

use crate::ring::{Holding, Move};

/// A node's part of the keys relative to the other nodes'; 0 for none.
pub type Weights = BTreeMap<MemberId, u32>;

/// The moves that bring `slots` to `weights`, each node's share rounded up or down; empty if there
/// is nothing to do. Nobody owns anything where all weights are 0.
///
/// Of a node's slots the youngest go first: they hold the least.
pub(crate) fn moves(slots: &[Holding; SLOT_COUNT], weights: &Weights) -> Vec<Move> {
    let mut shares = Shares::new(slots, weights);
    let mut moves = Vec::new();
    for slot in Slot::all() {
        let owner = slots[slot.index()].owner;
        if shares.has(owner) {
            continue;
        }
        let to = shares.poorest().map(|at| shares.take(at));
        if to != owner {
            moves.push(Move { slot, to });
        }
    }
    while let Some((rich, poor)) = shares.unequal() {
        let Some(slot) = shares.give(rich, slots) else {
            break;
        };
        let to = Some(shares.take(poor));
        moves.push(Move { slot, to });
    }
    moves
}

/// Who has how much, and should have.
struct Shares {
    nodes: Vec<Share>,
    weight_sum: i64,
}

struct Share {
    id: MemberId,
    weight: i64,
    count: i64,
    /// What it had from the beginning, the youngest last; found out when it has to give.
    slots: Option<Vec<Slot>>,
}

impl Shares {
    fn new(slots: &[Holding; SLOT_COUNT], weights: &Weights) -> Self {
        let weighty = weights.iter().filter(|(_, weight)| **weight > 0);
        let nodes = weighty.map(|(id, weight)| Share::new(*id, *weight, slots));
        let nodes: Vec<Share> = nodes.collect();
        let weight_sum = nodes.iter().map(|node| node.weight).sum();
        Self { nodes, weight_sum }
    }

    fn has(&self, owner: Option<MemberId>) -> bool {
        let at = owner.map(|id| self.nodes.binary_search_by_key(&id, |node| node.id));
        matches!(at, Some(Ok(_)))
    }

    /// By how much it has more than its share, in slots times the sum of weights.
    fn excess(&self, at: usize) -> i64 {
        let node = &self.nodes[at];
        node.count * self.weight_sum - node.weight * SLOT_COUNT as i64
    }

    fn poorest(&self) -> Option<usize> {
        (0..self.nodes.len()).min_by_key(|at| self.excess(*at))
    }

    /// The richest and the poorest, if one of the two is off its share by a whole slot or more.
    fn unequal(&self) -> Option<(usize, usize)> {
        let rich = (0..self.nodes.len()).max_by_key(|at| self.excess(*at))?;
        let poor = self.poorest()?;
        let off = self.excess(rich) >= self.weight_sum || self.excess(poor) <= -self.weight_sum;
        off.then_some((rich, poor))
    }

    fn give(&mut self, at: usize, slots: &[Holding; SLOT_COUNT]) -> Option<Slot> {
        let node = &mut self.nodes[at];
        let own = node.slots.get_or_insert_with(|| by_age(node.id, slots));
        let slot = own.pop()?;
        node.count -= 1;
        Some(slot)
    }

    fn take(&mut self, at: usize) -> MemberId {
        self.nodes[at].count += 1;
        self.nodes[at].id
    }
}

impl Share {
    fn new(id: MemberId, weight: u32, slots: &[Holding; SLOT_COUNT]) -> Self {
        let own = slots.iter().filter(|held| held.owner == Some(id));
        Self {
            id,
            weight: i64::from(weight),
            count: own.count() as i64,
            slots: None,
        }
    }
}

fn by_age(id: MemberId, slots: &[Holding; SLOT_COUNT]) -> Vec<Slot> {
    let own = Slot::all().filter(|slot| slots[slot.index()].owner == Some(id));
    let mut own: Vec<Slot> = own.collect();
    own.sort_unstable_by_key(|slot| youth(*slot, slots[slot.index()].epoch));
    own
}

/// Orders slots from the one to be kept longest; those of an age anyhow, but not in a row.
fn youth(slot: Slot, epoch: Epoch) -> (Epoch, Reverse<u32>) {
    (
        epoch,
        Reverse(u32::from(slot.number()).wrapping_mul(0x9e37_79b1)),
    )
}

#[cfg(test)]
#[path = "assignment_test.rs"]
mod tests;
