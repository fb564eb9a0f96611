//! What a shard does with bodies: who needs them, how they grow and go, what their chunks hold.

use super::Shard;
use super::bodies::{End, FREED_AT_ONCE, TABLE_LEAST};
use crate::item::{Extent, Header};

impl Shard {
    /// Begins a body without chunks, which its caller needs; `None` if memory is short.
    pub(super) fn begin_body(&mut self) -> Option<u32> {
        if !self.have_table_room(self.bodies.growth_bytes()) {
            return None;
        }
        self.bodies.begin()
    }

    /// One more needs the body.
    pub(super) fn share_body(&mut self, number: u32) {
        self.bodies.get_mut(number).users += 1;
    }

    /// One less needs the body; its chunks go now if they are few and nobody does.
    pub(super) fn release_body(&mut self, number: u32) {
        let few = self.bodies.chunks(number) as usize <= FREED_AT_ONCE;
        if self.bodies.release(number) && few {
            self.shed_dying();
        }
    }

    /// The item no longer needs its chunks.
    pub(super) fn forgo_chunks(&mut self, loc: u32, header: &Header) {
        if let Some(extent) = header.extent(self.segs.at(loc)) {
            self.release_body(extent.body);
        }
    }

    /// The item, one of many, no longer needs its chunks, which go later.
    pub(super) fn forgo_chunks_later(&mut self, loc: u32, header: &Header) {
        if let Some(extent) = header.extent(self.segs.at(loc)) {
            self.bodies.release(extent.body);
        }
    }

    /// Gives back some chunks that nobody needs; false if there are none.
    pub(super) fn shed_dying(&mut self) -> bool {
        let Some(number) = self.bodies.dying.last().copied() else {
            return false;
        };
        for _ in 0..FREED_AT_ONCE {
            let Some(slot) = self.bodies.get_mut(number).slots.pop() else {
                break;
            };
            self.free_slot(slot);
        }
        if self.bodies.chunks(number) == 0 {
            self.bodies.dying.pop();
            self.bodies.end(number);
        }
        true
    }

    /// A reader needs the body; how many bytes more are held in place for readers.
    pub(super) fn hold_body(&mut self, number: u32) -> u64 {
        let more = self.bytes_to_hold(number);
        let body = self.bodies.get_mut(number);
        body.users += 1;
        body.holds += 1;
        body.held_bytes += more;
        more
    }

    /// How many bytes more would be held in place if a reader came to need the body.
    pub(super) fn bytes_to_hold(&self, number: u32) -> u64 {
        let body = self.bodies.get(number);
        if body.holds > 0 {
            0
        } else {
            body.slots.len() as u64 * u64::from(self.chunk_len())
        }
    }

    /// A reader needs it no more; how many bytes less are held in place.
    pub(super) fn let_body_go(&mut self, number: u32) -> u64 {
        let body = self.bodies.get_mut(number);
        body.holds -= 1;
        let less = if body.holds == 0 {
            std::mem::take(&mut body.held_bytes)
        } else {
            0
        };
        self.release_body(number);
        less
    }

    /// Adds an empty chunk to an end of a body that is to have `total` in all.
    pub(super) fn add_chunk(&mut self, number: u32, end: End, total: u32) -> Option<u32> {
        if !self.have_table_for(number, 1, total) {
            return None;
        }
        let slot = self.make_slot()?;
        self.put_chunk(number, end, slot);
        Some(slot)
    }

    fn put_chunk(&mut self, number: u32, end: End, slot: u32) {
        let body = self.bodies.get_mut(number);
        let chunk = match end {
            End::Front => {
                body.first = body.first.wrapping_sub(1);
                body.slots.insert(0, slot);
                body.first
            }
            End::Back => {
                body.slots.push(slot);
                body.first.wrapping_add(body.slots.len() as u32 - 1)
            }
        };
        self.set_slot_owner(slot, number + 1, chunk);
        self.count_held(number, 1);
    }

    /// Counts chunks that a body with readers has more, or less.
    fn count_held(&mut self, number: u32, chunks: i64) {
        let bytes = chunks * i64::from(self.chunk_len());
        let body = self.bodies.get_mut(number);
        if body.holds > 0 {
            body.held_bytes = body.held_bytes.saturating_add_signed(bytes);
            self.client_bytes = self.client_bytes.saturating_add_signed(bytes);
        }
    }

    /// Gives back `count` chunks at an end of a body.
    pub(super) fn drop_chunks(&mut self, number: u32, end: End, count: u32) {
        for _ in 0..count {
            let body = self.bodies.get_mut(number);
            let slot = match end {
                End::Front if !body.slots.is_empty() => {
                    body.first = body.first.wrapping_add(1);
                    Some(body.slots.remove(0))
                }
                End::Front => None,
                End::Back => body.slots.pop(),
            };
            if let Some(slot) = slot {
                self.free_slot(slot);
                self.count_held(number, -1);
            }
        }
    }

    /// Moves all chunks of a body to an end of another one; false if memory is short.
    pub(super) fn hand_chunks_over(&mut self, from: u32, to: u32, end: End) -> bool {
        let more = self.bodies.chunks(from);
        let total = self.bodies.chunks(to) + more;
        if !self.have_table_for(to, more, total) {
            return false;
        }
        let handed = std::mem::take(&mut self.bodies.get_mut(from).slots);
        self.bodies.table_places -= handed.capacity();
        let body = self.bodies.get_mut(to);
        let chunk = match end {
            End::Front => {
                body.first = body.first.wrapping_sub(more);
                body.slots.splice(..0, handed.iter().copied());
                body.first
            }
            End::Back => {
                body.slots.extend_from_slice(&handed);
                body.first.wrapping_add(total - more)
            }
        };
        for (number, slot) in (0..).zip(handed) {
            self.set_slot_owner(slot, to + 1, chunk.wrapping_add(number));
        }
        self.count_held(to, i64::from(more));
        true
    }

    /// Makes a body's table take `more` chunks, and grow towards `total`; false if memory is short.
    fn have_table_for(&mut self, number: u32, more: u32, total: u32) -> bool {
        let slots = &self.bodies.get(number).slots;
        let (len, places) = (slots.len(), slots.capacity());
        let needed = len + more as usize;
        if needed <= places {
            return true;
        }
        let wanted = (2 * places)
            .max(TABLE_LEAST)
            .min(total as usize)
            .max(needed);
        if !self.have_table_room(4 * (wanted - places) as u64) {
            return false;
        }
        let slots = &mut self.bodies.get_mut(number).slots;
        let had = slots.try_reserve_exact(wanted - len).is_ok();
        let grown = slots.capacity() - places;
        self.bodies.table_places += grown;
        had
    }

    /// Makes the quota have room for `more` bytes of tables, whatever must go for it.
    fn have_table_room(&mut self, more: u64) -> bool {
        if more == 0 || self.held_bytes() > self.quota_bytes {
            // A smaller quota is reached step by step: a table more changes little.
            return true;
        }
        while self.held_bytes() + more > self.quota_bytes {
            if !self.segs.release() && !self.reclaim_at_once() {
                return false;
            }
        }
        true
    }

    /// Appends `len` bytes of a value's chunks to `out`, from `at` after the first chunk's start.
    pub(super) fn copy_chunks(&self, extent: Extent, at: u32, len: usize, out: &mut Vec<u8>) {
        let chunk_len = self.chunk_len();
        let (mut at, mut left) = (at, len);
        while left > 0 {
            let bytes = self.slot_bytes(self.bodies.slot(extent, at / chunk_len));
            let piece = &bytes[(at % chunk_len) as usize..];
            let piece = &piece[..piece.len().min(left)];
            out.extend_from_slice(piece);
            at += piece.len() as u32;
            left -= piece.len();
        }
    }

    /// Writes bytes over a body's chunks, from `at` after the first chunk's start.
    pub(super) fn write_chunks(&mut self, number: u32, at: u32, bytes: &[u8]) {
        let chunk_len = self.chunk_len();
        let extent = self.bodies.extent(number, 0);
        let (mut at, mut bytes) = (at, bytes);
        while !bytes.is_empty() {
            let slot = self.bodies.slot(extent, at / chunk_len);
            let place = &mut self.slot_bytes_mut(slot)[(at % chunk_len) as usize..];
            let len = place.len().min(bytes.len());
            place[..len].copy_from_slice(&bytes[..len]);
            at += len as u32;
            bytes = &bytes[len..];
        }
    }

    /// The bytes of a value that lie with its item.
    pub(super) fn tail_of(&self, loc: u32, header: &Header) -> Option<Vec<u8>> {
        let tail = header.tail(self.segs.at(loc), self.chunk_len());
        let mut copy = Vec::new();
        copy.try_reserve_exact(tail.len()).ok()?;
        copy.extend_from_slice(tail);
        Some(copy)
    }
}
