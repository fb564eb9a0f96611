//! Chunk segments: slots, whose chunk each holds, and how they are moved together.

use super::Shard;
use crate::geometry::Geometry;
use crate::item::{self, Header};
use crate::segment::Kind;

impl Shard {
    fn slot_place(&self, slot: u32) -> (u32, u32) {
        let slots = self.segs.geometry.slots;
        (slot / slots, slot % slots)
    }

    /// The bytes of a slot.
    pub(super) fn slot_bytes(&self, slot: u32) -> &[u8] {
        let (segment, number) = self.slot_place(slot);
        let geometry = self.segs.geometry;
        let at = geometry.slot_at(number);
        &self.segs.get(segment).bytes[at..at + geometry.chunk_len as usize]
    }

    pub(super) fn slot_bytes_mut(&mut self, slot: u32) -> &mut [u8] {
        let (segment, number) = self.slot_place(slot);
        let geometry = self.segs.geometry;
        let at = geometry.slot_at(number);
        &mut self.segs.get_mut(segment).bytes[at..at + geometry.chunk_len as usize]
    }

    pub(super) fn slot_owner(&self, slot: u32) -> (u32, u32) {
        let (segment, number) = self.slot_place(slot);
        let bytes = &self.segs.get(segment).bytes;
        let at = Geometry::owner_at(number);
        (item::u32_at(bytes, at), item::u32_at(bytes, at + 4))
    }

    /// Says which body's chunk, and the chunk's number, a slot holds; a body's number is one less
    /// than the owner, and 0 is nobody.
    pub(super) fn set_slot_owner(&mut self, slot: u32, owner: u32, number: u32) {
        let (segment, place) = self.slot_place(slot);
        let at = Geometry::owner_at(place);
        let bytes = &mut self.segs.get_mut(segment).bytes;
        bytes[at..at + 4].copy_from_slice(&owner.to_le_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&number.to_le_bytes());
    }

    /// Whether a slot can be had without opening a segment.
    pub(super) fn has_empty_slot(&self) -> bool {
        !self.roomy.is_empty()
    }

    /// Takes an empty slot, from free memory only; it must be given an owner at once.
    pub(super) fn take_slot(&mut self) -> Option<u32> {
        if self.roomy.is_empty() {
            self.open_chunk_segment()?;
        }
        let segment = *self.roomy.last()?;
        let slots = self.segs.geometry.slots;
        let empty = |slot: &u32| self.slot_owner(*slot).0 == 0;
        let slot = (segment * slots..(segment + 1) * slots).find(empty)?;
        let full = {
            let segment = self.segs.get_mut(segment);
            segment.live += 1;
            segment.live == slots
        };
        if full {
            self.roomy.pop();
        }
        self.slots_empty -= 1;
        Some(slot)
    }

    fn open_chunk_segment(&mut self) -> Option<u32> {
        if self.roomy.try_reserve(1).is_err() || !self.have_free_segment() {
            return None;
        }
        let now_s = self.now_s();
        let segment = self.segs.open(Kind::Chunk, now_s)?;
        let slots = self.segs.geometry.slots;
        self.slots_empty += slots;
        self.roomy.push(segment);
        for slot in segment * slots..(segment + 1) * slots {
            self.set_slot_owner(slot, 0, 0);
        }
        Some(segment)
    }

    /// Gives a slot back.
    pub(super) fn free_slot(&mut self, slot: u32) {
        self.set_slot_owner(slot, 0, 0);
        let (number, _) = self.slot_place(slot);
        let slots = self.segs.geometry.slots;
        self.slots_empty += 1;
        let segment = self.segs.get_mut(number);
        segment.live -= 1;
        if segment.live + 1 == slots {
            self.roomy.push(number);
        }
        if self.segs.get(number).live == 0 {
            self.roomy.retain(|other| *other != number);
            self.slots_empty -= slots;
            self.give_up(number);
        }
    }

    /// Whether moving chunks together would free a whole segment.
    pub(super) fn chunks_are_loose(&self) -> bool {
        self.roomy.len() > 1 && self.slots_empty >= self.segs.geometry.slots
    }

    /// Moves one chunk from the emptiest segment to another; false if there is none to move.
    pub(super) fn move_one_chunk(&mut self) -> bool {
        if !self.chunks_are_loose() {
            return false;
        }
        let live = |number: &u32| self.segs.get(*number).live;
        let Some(emptiest) = (0..self.roomy.len()).min_by_key(|at| live(&self.roomy[*at])) else {
            return false;
        };
        // Slots are taken from the last in the list: that must be another.
        self.roomy.swap(0, emptiest);
        let slots = self.segs.geometry.slots;
        let segment = self.roomy[0];
        let taken = |slot: &u32| self.slot_owner(*slot).0 != 0;
        let Some(from) = (segment * slots..(segment + 1) * slots).find(taken) else {
            return false;
        };
        let Some(to) = self.take_slot() else {
            return false;
        };
        self.move_chunk(from, to);
        true
    }

    fn move_chunk(&mut self, from: u32, to: u32) {
        let (owner, number) = self.slot_owner(from);
        let chunk_len = self.chunk_len();
        let place = |slot| {
            let (segment, number) = self.slot_place(slot);
            (segment, self.segs.geometry.slot_at(number))
        };
        let (source, target) = (place(from), place(to));
        self.segs.copy(source, target, chunk_len as usize);
        self.stats.copied_bytes += u64::from(chunk_len);
        self.set_slot_owner(to, owner, number);
        self.bodies.moved(owner - 1, number, to);
        self.free_slot(from);
    }

    /// Appends up to `max` bytes of a value from `offset` on to `out`; how many, or `None` if
    /// memory is short.
    pub(super) fn copy_value(
        &self,
        loc: u32,
        header: &Header,
        offset: u32,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let chunk_len = self.chunk_len();
        let left = header.value_len.saturating_sub(offset) as usize;
        let wanted = left.min(max);
        if wanted == 0 {
            return Some(0);
        }
        out.try_reserve(wanted).ok()?;
        let item = self.segs.at(loc);
        let tail = header.tail(item, chunk_len);
        let tail_at = header.value_len - tail.len() as u32;
        let mut copied = 0;
        if let Some(extent) = header.extent(item) {
            copied = wanted.min(tail_at.saturating_sub(offset) as usize);
            self.copy_chunks(extent, extent.skip + offset.min(tail_at), copied, out);
        }
        let from = (offset + copied as u32).saturating_sub(tail_at) as usize;
        out.extend_from_slice(tail.get(from..from + wanted - copied)?);
        Some(wanted)
    }
}
