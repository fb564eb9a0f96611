//! Chunks of values that are too large to lie with their item: slots, their owners, their bytes.

use super::Shard;
use crate::geometry::Geometry;
use crate::item::{self, Header};
use crate::segment::Kind;

/// Set in an owner's number if the owner is a reservation and not an item.
const ARRIVING: u32 = 1 << 31;

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

    /// Says whose chunk, and its how manieth, a slot holds; owner 0 is nobody.
    pub(super) fn set_slot_owner(&mut self, slot: u32, owner: u32, number: u32) {
        let (segment, place) = self.slot_place(slot);
        let at = Geometry::owner_at(place);
        let bytes = &mut self.segs.get_mut(segment).bytes;
        bytes[at..at + 4].copy_from_slice(&owner.to_le_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&number.to_le_bytes());
    }

    /// Says that a slot holds the `number`th chunk of what arrives in this place of the list.
    pub(super) fn set_slot_arriving(&mut self, slot: u32, place: u32, number: u32) {
        self.set_slot_owner(slot, place + 1, number | ARRIVING);
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

    /// The slot of an item's `number`th chunk.
    fn slot_of(&self, loc: u32, header: &Header, number: u32) -> u32 {
        item::u32_at(self.segs.at(loc), header.body_at() + 4 * number as usize)
    }

    /// Gives back the chunks of a dead item, or leaves that to the hold on it.
    pub(super) fn let_chunks_go(&mut self, loc: u32, header: &Header) {
        match self.hold_mut(loc) {
            Some(hold) => hold.orphan = true,
            None => self.free_chunks(loc, header),
        }
    }

    pub(super) fn free_chunks(&mut self, loc: u32, header: &Header) {
        for number in 0..header.chunks(self.chunk_len()) {
            self.free_slot(self.slot_of(loc, header, number));
        }
    }

    /// Tells an item's chunks where the item now is.
    pub(super) fn own_chunks_anew(&mut self, loc: u32, header: &Header) {
        for number in 0..header.chunks(self.chunk_len()) {
            self.set_slot_owner(self.slot_of(loc, header, number), loc, number);
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
        if number & ARRIVING != 0 {
            if let Some(arriving) = self.arriving.nth_mut(owner - 1) {
                arriving.slots[(number & !ARRIVING) as usize] = to;
            }
        } else {
            let bytes = self.segs.at_mut(owner);
            let at = Header::read(bytes).body_at() + 4 * number as usize;
            bytes[at..at + 4].copy_from_slice(&to.to_le_bytes());
        }
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
        out.try_reserve(wanted).ok()?;
        let chunks = header.chunks(chunk_len);
        let item = self.segs.at(loc);
        let tail_at = header.body_at() + 4 * chunks as usize;
        let tail = &item[tail_at..tail_at + header.tail_len(chunk_len) as usize];
        let mut at = offset;
        let mut done = 0;
        while done < wanted {
            let number = at / chunk_len;
            let (piece, skip) = if number < chunks {
                (
                    self.slot_bytes(self.slot_of(loc, header, number)),
                    at % chunk_len,
                )
            } else {
                (tail, at - chunks * chunk_len)
            };
            let piece = &piece[skip as usize..];
            let piece = &piece[..piece.len().min(wanted - done)];
            out.extend_from_slice(piece);
            done += piece.len();
            at += piece.len() as u32;
        }
        Some(done)
    }
}
