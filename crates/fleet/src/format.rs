//! The ring as it lies in the state store: JSON, neighbours with one owner and epoch in one entry.
//!
//! `{"version":2,"slots":[[owner,epoch,count],...],"moving":[[slot,owner],...]}`, an owner being a
//! member's number or null. Releases that run side by side read each other's: a field that a
//! release does not know is left alone by those who only read, and there is none so far.

use base::fleet::{Epoch, MemberId, SLOT_COUNT, Slot};
use serde::{Deserialize, Serialize};

use crate::ring::{Holding, Move, Ring};

/// Why bytes are not a ring.
#[derive(Debug, thiserror::Error)]
pub enum RingFormatError {
    /// They are not the JSON that a ring is.
    #[error("not a ring: {0}")]
    Syntax(#[from] serde_json::Error),
    /// They are, but say what cannot be.
    #[error("not a ring: {0}")]
    Contradiction(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u64,
    slots: Vec<(Option<u32>, u64, u16)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    moving: Vec<(u16, Option<u32>)>,
}

impl Ring {
    /// For the store.
    pub fn to_json(&self) -> String {
        let mut slots: Vec<(Option<u32>, u64, u16)> = Vec::new();
        for held in self.holdings() {
            let (owner, epoch) = (held.owner.map(|id| id.0), held.epoch.0);
            match slots.last_mut() {
                Some(last) if (last.0, last.1) == (owner, epoch) => last.2 += 1,
                _ => slots.push((owner, epoch, 1)),
            }
        }
        let moving = self.moving().iter();
        let written = Written {
            version: self.version().0,
            slots,
            moving: moving
                .map(|step| (step.slot.number(), step.to.map(|id| id.0)))
                .collect(),
        };
        // Numbers in vectors have no way to fail.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// What [`Ring::to_json`] wrote, checked whole.
    pub fn from_json(json: &[u8]) -> Result<Self, RingFormatError> {
        let written: Written = serde_json::from_slice(json)?;
        let slots = holdings(&written.slots)?;
        let moving = written.moving.iter().map(|(slot, to)| {
            let slot = Slot::new(*slot)?;
            let to = to.map(MemberId);
            Some(Move { slot, to })
        });
        let moving = moving.collect::<Option<Vec<Move>>>();
        let moving = moving.ok_or(RingFormatError::Contradiction(
            "a slot beyond the last moves",
        ))?;
        Self::from_parts(Epoch(written.version), slots, moving).ok_or(
            RingFormatError::Contradiction("a slot is newer than the ring, or moves twice"),
        )
    }
}

fn holdings(
    runs: &[(Option<u32>, u64, u16)],
) -> Result<Box<[Holding; SLOT_COUNT]>, RingFormatError> {
    let total: usize = runs.iter().map(|(_, _, count)| usize::from(*count)).sum();
    if total != SLOT_COUNT {
        return Err(RingFormatError::Contradiction("it has not 4,096 slots"));
    }
    let mut slots = Box::new([Holding::default(); SLOT_COUNT]);
    let held = runs.iter().flat_map(|(owner, epoch, count)| {
        let held = Holding {
            owner: owner.map(MemberId),
            epoch: Epoch(*epoch),
        };
        std::iter::repeat_n(held, usize::from(*count))
    });
    for (slot, held) in slots.iter_mut().zip(held) {
        *slot = held;
    }
    Ok(slots)
}

#[cfg(test)]
#[path = "format_test.rs"]
mod tests;
