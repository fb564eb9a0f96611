//! How much of all keys each node has at this gateway, beside the weight that it is of.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::fleet::{MemberId, SLOT_COUNT};
use fleet::Ring;
use fleet::membership::Standing;
use fleet::registry::Registry;
use gateway::remote::Shares;

use super::ALL;
use super::witness::Witness;

/// Nodes' parts of the ring that this gateway goes by.
#[derive(Default)]
pub(super) struct Given {
    ring: Option<Arc<Ring>>,
    slots: BTreeMap<MemberId, u32>,
}

impl Given {
    /// This is the ring now.
    pub(super) fn learn(&mut self, ring: Arc<Ring>) {
        if self.ring.as_ref().is_some_and(|it| Arc::ptr_eq(it, &ring)) {
            return;
        }
        self.slots.clear();
        for held in ring.holdings() {
            if let Some(owner) = held.owner {
                *self.slots.entry(owner).or_default() += 1;
            }
        }
        self.ring = Some(ring);
    }

    /// Tells what each node has, of which this gateway gives it no more than `shares` say.
    pub(super) fn show(
        &self,
        witness: &mut Witness,
        standings: &BTreeMap<MemberId, Standing>,
        shares: &Shares,
        registry: Option<&Registry>,
    ) {
        for node in standings.keys() {
            let slots = self.slots.get(node).copied().unwrap_or(0);
            let share = shares.get(node).copied().unwrap_or(ALL);
            let keys = slots as f32 / SLOT_COUNT as f32 * (share as f32 / ALL as f32);
            // A ring that follows from a list gives each what it is to carry.
            let weight = registry.map_or(slots, |it| weight_of(it, *node));
            witness.give(*node, keys, weight as f32);
        }
    }
}

fn weight_of(registry: &Registry, node: MemberId) -> u32 {
    let record = registry.members.get(&node);
    record.map_or(1, |record| record.weight)
}

#[cfg(test)]
#[path = "given_test.rs"]
mod tests;
